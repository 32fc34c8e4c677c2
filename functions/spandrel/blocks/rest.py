"""Which attributes a block has outside of columns of their own, counted when it is written and kept in its footer.

A merge chooses columns by them without reading the rests, and who asks for names of attributes reads no spans.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from .attributes import Attribute
from .naming import ATTRIBUTE_SCOPES, ATTRIBUTE_TYPES, COUNTED_MAX, REST_KEY, AttributeScope
from .pairs import NO_COLUMN, pairs_of

CountedScope = AttributeScope | Literal["event", "link"]
COUNTED_SCOPES: tuple[CountedScope, ...] = (*ATTRIBUTE_SCOPES, "event", "link")


class RestCounts:
    """How often each key and type stands in the rests, events and links of the tables added."""

    def __init__(self) -> None:
        self._counts: dict[CountedScope, Counter[Attribute]] = {scope: Counter() for scope in COUNTED_SCOPES}

    def add(self, table: pa.Table) -> None:
        for scope, lists in _lists(table):
            counts = self._counts[scope]
            counts.update(_most_common(lists))
            self._counts[scope] = Counter(dict(counts.most_common(COUNTED_MAX)))

    def as_json(self) -> bytes:
        """{scope: [[key, type, count] …]}, without scopes that have none."""
        said = {s: [[*attribute, count] for attribute, count in c.most_common()] for s, c in self._counts.items() if c}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def counts_of(footer: dict[bytes, bytes]) -> dict[AttributeScope, Counter[Attribute]]:
    """A block's key-value metadata -> the counts of its rests that its writer left there."""
    said = json.loads(footer.get(REST_KEY.encode(), b"{}"))
    return {scope: Counter({(key, kind): n for key, kind, n in said.get(scope, ())}) for scope in ATTRIBUTE_SCOPES}


def _lists(table: pa.Table) -> Iterator[tuple[CountedScope, pa.ListArray]]:
    """The attributes that have no column, as lists of KEY_VALUE."""
    for scope in ATTRIBUTE_SCOPES:
        if f"{scope}_rest" in table.column_names:
            yield scope, table[f"{scope}_rest"].combine_chunks()
    for nested, column in (("event", "events"), ("link", "links")):
        if column in table.column_names:
            yield nested, pc.list_flatten(table[column].combine_chunks()).field("attributes")  # type: ignore[misc]


def _most_common(lists: pa.ListArray) -> Counter[Attribute]:
    structs = pc.list_flatten(lists)
    pairs = pairs_of(structs, pa.repeat(pa.scalar(0, pa.int64()), len(structs)))
    counted = (
        pa.table({"key": pairs.key, "type": pairs.type_code}).group_by(["key", "type"]).aggregate([([], "count_all")])
    )
    counted = counted.filter(pc.not_equal(counted["type"], NO_COLUMN))
    order = pc.sort_indices(counted, sort_keys=[("count_all", "descending"), ("key", "ascending")])
    top = counted.take(order.slice(0, COUNTED_MAX)).to_pylist()
    return Counter({(row["key"], ATTRIBUTE_TYPES[row["type"]]): row["count_all"] for row in top})
