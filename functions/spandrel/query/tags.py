"""The names of attributes, for who writes a query: from the blocks' metadata, without reading spans where no query
chooses some.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Literal

from spandrel.blocks.naming import COUNTED_MAX, REST_KEY, SERVICE_NAME, AttributeType, attribute_of_column
from spandrel.blocks.parts import footer_bytes
from spandrel.blocks.reader import OpenBlocks, quoted
from spandrel.model.catalogue import Block
from spandrel.model.limits import MIB
from spandrel.traceql.intrinsics import Intrinsic, ValueType, type_of
from spandrel.traceql.metrics import Query

from .alone import chosen_spans
from .condition import Condition, every, starts_in
from .reading import Reading, check_range
from .sql.places import Place

TagScope = Literal["span", "resource", "event", "link", "instrumentation", "intrinsic"]
TagType = Literal["string", "int", "float", "bool", "bytes", "duration", "keyword"]

TAG_NAMES_MAX = 1000  # of a scope
TAG_BLOCKS_MAX = 500  # the newest of the range, of which names and values are told
TAG_BYTES_MAX = 128 * MIB  # and as much as is read of them at most

# By the blocks' words for them.
_SCOPES: dict[str, TagScope] = {
    "span": "span",
    "resource": "resource",
    "scope": "instrumentation",
    "event": "event",
    "link": "link",
}
_TYPES: dict[AttributeType, TagType] = {
    "string": "string",
    "int": "int",
    "double": "float",
    "bool": "bool",
    "bytes": "bytes",
    "string[]": "string",
    "int[]": "int",
    "double[]": "float",
    "bool[]": "bool",
}
# The key-value pairs of a span that have no column, and the type of one where it is one that compares.
_PAIRS = {
    "span": "span_rest",
    "resource": "resource_rest",
    "scope": "scope_rest",
    "event": "flatten(list_transform(events, lambda one: one.attributes))",
    "link": "flatten(list_transform(links, lambda one: one.attributes))",
}
_PAIR_TYPE = (
    "CASE "
    + " ".join(
        f"WHEN pair.\"{name}\" IS NOT NULL THEN '{name}'" for name in ("string", "int", "double", "bool", "bytes")
    )
    + " END"
)
VALUE_TYPES: dict[ValueType, TagType] = {
    ValueType.TEXT: "string",
    ValueType.INTEGER: "int",
    ValueType.FLOAT: "float",
    ValueType.BOOLEAN: "bool",
    ValueType.DURATION: "duration",
    ValueType.STATUS: "keyword",
    ValueType.KIND: "keyword",
}


@dataclass(frozen=True, slots=True)
class TagName:
    """A field that a query can name. `types` are those of its values, a list's those of its elements."""

    scope: TagScope
    name: str
    types: tuple[TagType, ...]


@dataclass(frozen=True, slots=True)
class TagNames:
    """Names in order of scope and name. `incomplete`: there may be others, because not all was looked at or listed."""

    names: list[TagName]
    incomplete: bool


_Found = tuple[TagScope, str, TagType]


def tag_names(
    reading: Reading, start_ns: int, end_ns: int, scope: TagScope | None = None, query: Query | None = None
) -> TagNames:
    """The names of the fields that spans have in blocks with a span that starts in [start_ns, end_ns); with a query
    those of the spans in the range that come out of it.

    Looks at the newest blocks, TAG_BLOCKS_MAX and TAG_BYTES_MAX of them, and lists TAG_NAMES_MAX names of each scope.
    Rejected for a query of whole traces.
    """
    check_range(start_ns, end_ns)
    live = reading.live(start_ns, end_ns)
    blocks = newest(live, footer_bytes if query is None else lambda block: block.size_bytes)
    if query is None:
        found, uncounted = _in_footers(reading.open_footers(blocks), blocks)
    else:
        found, uncounted = set(_in_spans(reading.open(blocks), query, starts_in(start_ns, end_ns))), False
    wanted = {one for one in found | set(_intrinsics()) if scope in (None, one[0])}
    return _listed(wanted, incomplete=uncounted or len(blocks) < len(live))


def _in_footers(opened: OpenBlocks, blocks: Sequence[Block]) -> tuple[set[_Found], bool]:
    """What the blocks have, and whether there may be more than their footers count."""
    footers = [json.loads(footer) for footer in opened.footers(REST_KEY)]
    uncounted = any(len(counted) >= COUNTED_MAX for footer in footers for counted in footer.values())
    return {*_services(blocks), *_columns(opened).values(), *_outside_of_columns(footers)}, uncounted


def _in_spans(opened: OpenBlocks, query: Query, starts: Condition) -> Iterator[_Found]:
    """What the spans have that come out of the query."""
    condition = every([starts, chosen_spans(query, Place(opened.columns))])
    service: _Found = ("resource", SERVICE_NAME, "string")
    columns = {"service": service} | _columns(opened)
    there = ", ".join(f"bool_or({quoted(column)} IS NOT NULL)" for column in columns)
    for row in opened.select(f"SELECT {there} FROM spans WHERE {condition.sql}", condition.parameters):
        yield from (found for found, is_there in zip(columns.values(), row, strict=True) if is_there)
    for word, pairs in _PAIRS.items():
        rows = opened.select(
            f"""SELECT DISTINCT pair."key", {_PAIR_TYPE} AS type FROM (
                SELECT unnest({pairs}) AS pair FROM spans WHERE {condition.sql}
            ) WHERE type IS NOT NULL""",
            condition.parameters,
        )
        yield from ((_SCOPES[word], key, _TYPES[attribute_type]) for key, attribute_type in rows)


def newest(blocks: Sequence[Block], read_bytes: Callable[[Block], int]) -> list[Block]:
    """The first of the blocks, as many as names and values are told of, but at least one. `read_bytes`: how much is
    read of each.
    """
    sizes_bytes = accumulate(read_bytes(block) for block in blocks)
    few = sum(size_bytes <= TAG_BYTES_MAX for size_bytes in sizes_bytes)
    return list(blocks[: max(1, min(few, TAG_BLOCKS_MAX))])


def _intrinsics() -> Iterator[_Found]:
    for intrinsic in Intrinsic:
        if intrinsic is not Intrinsic.PARENT:
            yield "intrinsic", intrinsic.value, VALUE_TYPES[type_of(intrinsic)]


def _services(blocks: Iterable[Block]) -> Iterator[_Found]:
    """The service's name has a column of its own, which every block has; the catalogue says whether it is empty."""
    if any(block.operations is None or any(service for service, *_ in block.operations) for block in blocks):
        yield "resource", SERVICE_NAME, "string"


def _columns(opened: OpenBlocks) -> dict[str, _Found]:
    """What each attribute column holds."""
    attributes = {column: attribute_of_column(column) for column in sorted(opened.columns)}
    return {column: (_SCOPES[one[0]], one[1], _TYPES[one[2]]) for column, one in attributes.items() if one}


def _outside_of_columns(footers: Iterable[dict[str, list[tuple[str, AttributeType, int]]]]) -> Iterator[_Found]:
    """What the writers counted in rests, events and links."""
    for footer in footers:
        for scope, counted in footer.items():
            yield from ((_SCOPES[scope], key, _TYPES[attribute_type]) for key, attribute_type, _ in counted)


def _listed(found: Iterable[_Found], *, incomplete: bool) -> TagNames:
    types: dict[tuple[TagScope, str], list[TagType]] = defaultdict(list)
    for scope, name, tag_type in sorted(found):
        types[scope, name].append(tag_type)
    listed: list[TagName] = []
    for _, of_scope in groupby(types, key=itemgetter(0)):
        names = [TagName(scope, name, tuple(types[scope, name])) for scope, name in of_scope]
        listed += names[:TAG_NAMES_MAX]
    return TagNames(listed, incomplete or len(listed) < len(types))
