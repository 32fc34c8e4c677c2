"""The names of attributes, for who writes a query: from the blocks' metadata, without reading spans."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Literal

from spandrel.blocks.naming import COUNTED_MAX, REST_KEY, SERVICE_NAME, AttributeType, attribute_of_column
from spandrel.blocks.reader import OpenBlocks
from spandrel.model.catalogue import Block
from spandrel.model.limits import MIB
from spandrel.traceql.intrinsics import Intrinsic, ValueType, type_of

from .reading import Reading, check_range

TagScope = Literal["span", "resource", "event", "link", "instrumentation", "intrinsic"]
TagType = Literal["string", "int", "float", "bool", "bytes", "duration", "keyword"]

TAG_NAMES_MAX = 1000  # of a scope
TAG_BLOCKS_MAX = 500  # the newest of the range, of which names and values are told
TAG_BYTES_MAX = 128 * MIB

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
_INTRINSIC_TYPES: dict[ValueType, TagType] = {
    ValueType.TEXT: "string",
    ValueType.INTEGER: "int",
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


def tag_names(reading: Reading, start_ns: int, end_ns: int, scope: TagScope | None = None) -> TagNames:
    """The names of the fields that spans have in blocks with a span that starts in [start_ns, end_ns).

    Looks at the newest blocks, TAG_BLOCKS_MAX and TAG_BYTES_MAX of them, and lists TAG_NAMES_MAX names of each scope.
    """
    check_range(start_ns, end_ns)
    live = reading.live(start_ns, end_ns)
    blocks = newest(live)
    opened = reading.open(blocks)
    footers = [json.loads(footer) for footer in opened.footers(REST_KEY)]
    found = {*_intrinsics(), *_services(blocks), *_columns(opened), *_outside_of_columns(footers)}
    uncounted = any(len(counted) >= COUNTED_MAX for footer in footers for counted in footer.values())
    wanted = {one for one in found if scope in (None, one[0])}
    return _listed(wanted, incomplete=uncounted or len(blocks) < len(live))


def newest(blocks: Sequence[Block]) -> list[Block]:
    """The first of the blocks, as many as names and values are told of, but at least one."""
    sizes_bytes = accumulate(block.size_bytes for block in blocks)
    few = sum(size_bytes <= TAG_BYTES_MAX for size_bytes in sizes_bytes)
    return list(blocks[: max(1, min(few, TAG_BLOCKS_MAX))])


def _intrinsics() -> Iterator[_Found]:
    for intrinsic in Intrinsic:
        if intrinsic is not Intrinsic.PARENT:
            yield "intrinsic", intrinsic.value, _INTRINSIC_TYPES[type_of(intrinsic)]


def _services(blocks: Iterable[Block]) -> Iterator[_Found]:
    """The service's name has a column of its own, which every block has; the catalogue says whether it is empty."""
    if any(block.operations is None or any(service for service, *_ in block.operations) for block in blocks):
        yield "resource", SERVICE_NAME, "string"


def _columns(opened: OpenBlocks) -> Iterator[_Found]:
    for column in opened.columns:
        if attribute := attribute_of_column(column):
            scope, key, attribute_type = attribute
            yield _SCOPES[scope], key, _TYPES[attribute_type]


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
