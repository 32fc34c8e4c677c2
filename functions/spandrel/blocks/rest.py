"""What is in a block's rests, counted when it is written: a merge chooses columns without reading the rests."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from .attributes import Attribute
from .naming import ATTRIBUTE_SCOPES, ATTRIBUTE_TYPES, AttributeScope
from .pairs import NO_COLUMN, pairs_of

REST_KEY = b"spandrel.rest"
COUNTED_MAX = 512  # keys of a scope that a footer counts, the most frequent


class RestCounts:
    """How often each key and type stands in the rests of the tables added."""

    def __init__(self) -> None:
        self._counts: dict[AttributeScope, Counter[Attribute]] = {scope: Counter() for scope in ATTRIBUTE_SCOPES}

    def add(self, table: pa.Table) -> None:
        for scope, counts in self._counts.items():
            if f"{scope}_rest" in table.column_names:
                counts.update(_most_common(table[f"{scope}_rest"].combine_chunks()))
                self._counts[scope] = Counter(dict(counts.most_common(COUNTED_MAX)))

    def as_json(self) -> bytes:
        """{scope: [[key, type, count] …]}, without scopes that have no rest."""
        said = {s: [[*attribute, count] for attribute, count in c.most_common()] for s, c in self._counts.items() if c}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def counts_of(footer: dict[bytes, bytes]) -> dict[AttributeScope, Counter[Attribute]]:
    """A block's key-value metadata -> the counts that its writer left there."""
    said = json.loads(footer.get(REST_KEY, b"{}"))
    return {scope: Counter({(key, kind): n for key, kind, n in said.get(scope, ())}) for scope in ATTRIBUTE_SCOPES}


def _most_common(lists: pa.ListArray) -> Counter[Attribute]:
    structs = pc.list_flatten(lists)
    pairs = pairs_of(structs, pa.array(range(len(structs)), pa.int64()))
    counted = (
        pa.table({"key": pairs.key, "type": pairs.type_code}).group_by(["key", "type"]).aggregate([([], "count_all")])
    )
    counted = counted.filter(pc.not_equal(counted["type"], NO_COLUMN))
    order = pc.sort_indices(counted, sort_keys=[("count_all", "descending"), ("key", "ascending")])
    top = counted.take(order.slice(0, COUNTED_MAX)).to_pylist()
    return Counter({(row["key"], ATTRIBUTE_TYPES[row["type"]]): row["count_all"] for row in top})
