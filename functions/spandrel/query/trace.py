"""Whole traces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TypeVar

from spandrel.blocks.database import Row
from spandrel.blocks.reader import OpenBlocks, quoted
from spandrel.model.catalogue import Block
from spandrel.model.errors import Corrupt, NotFound, QueryTooBroad
from spandrel.model.limits import ANSWER_SPANS_MAX

from .copies import ONE_COPY
from .extents import MARGIN_NS, Extent
from .reading import FOREVER_NS, Reading, Rounds
from .whereabouts import Whereabouts

T = TypeVar("T")

_NOBODYS = "trace not found"
_LOCATE = """
    SELECT filename, min(start_time_unix_nano), max(start_time_unix_nano)
    FROM spans WHERE trace_id = ? GROUP BY filename
"""


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans as their rows in blocks: names of columns, and for each span their values. Null is OTLP's default."""

    columns: tuple[str, ...]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Part:
    """What of a trace is wanted: some of its columns, or the spans of one id; None is all."""

    columns: Collection[str] | None = None
    span_id: bytes | None = None


ALL = Part()


def trace(reading: Reading, trace_id: bytes, start_ns: int = 0, end_ns: int = FOREVER_NS, part: Part = ALL) -> Spans:
    """All spans of a trace in order of their starts, archived ones too; `blocks_of` says what may go wrong."""
    found = _whole(reading, blocks_of(reading, trace_id, start_ns, end_ns), trace_id, part)
    if not found.rows and part.span_id is None:  # all of them are deleted
        raise NotFound(_NOBODYS)
    return found


def blocks_of(reading: Reading, trace_id: bytes, start_ns: int = 0, end_ns: int = FOREVER_NS) -> list[Block]:
    """The blocks that hold spans of a trace. NotFound when there are none.

    [start_ns, end_ns) is a hint when the trace was. The newest blocks are looked into first, until the trace is found,
    and then those around it (`_followed`) and those that are `far`. QueryTooBroad when one request may not read enough
    to tell.
    """
    where = reading.whereabouts(trace_id)
    range_ns = max(start_ns - MARGIN_NS, 0), min(end_ns + MARGIN_NS, FOREVER_NS)
    blocks = [block for block, _ in _located(reading, where.far(*range_ns), trace_id)]
    newest = where.near(*range_ns, where.newest_indexed_ns)
    known = _first_found(reading, newest, trace_id)
    if known is None:
        known = _first_found(reading, [one for one in where.near(*range_ns) if one not in newest], trace_id)
    if known:
        blocks += _followed(reading, where, range_ns, trace_id, known)
    archived = reading.archived(trace_id)
    if archived and archived.min_start_ns < end_ns + MARGIN_NS and archived.max_start_ns >= start_ns - MARGIN_NS:
        reading.open([archived])  # whole: all of it is about this trace, and DuckDB's footers have no ranges of ids
        blocks.append(archived)
    if not blocks:
        raise NotFound(_NOBODYS)
    return blocks


def _first_found(reading: Reading, blocks: Sequence[Block], trace_id: bytes) -> Extent | None:
    """What is known of the trace when any of the blocks, in their order, has some of it."""
    for some in Rounds(blocks):
        extents = [extent for _, extent in _located(reading, some, trace_id)]
        if extents:
            return reduce(or_, extents)
    return None


def _followed(
    reading: Reading, where: Whereabouts, range_ns: tuple[int, int], trace_id: bytes, known: Extent
) -> list[Block]:
    """The blocks with starts in the range that hold spans of the trace which are MARGIN_NS or less from another one,
    beginning with `known`.
    """
    looked: set[str] = set()
    found: list[Block] = []
    while new := [block for block in where.near(*_around(known, range_ns)) if block.block_id not in looked]:
        looked |= {block.block_id for block in new}
        for block, extent in _located(reading, new, trace_id):
            found.append(block)
            known |= extent
    return found


def _around(known: Extent, range_ns: tuple[int, int]) -> tuple[int, int]:
    start_ns, end_ns = range_ns
    return max(start_ns, known.first_ns - MARGIN_NS), min(end_ns, known.last_ns + MARGIN_NS + 1)


def _located(reading: Reading, blocks: Sequence[Block], trace_id: bytes) -> list[tuple[Block, Extent]]:
    """Those of the blocks that hold spans of the trace, and from when to when."""

    def ask(opened: OpenBlocks) -> list[tuple[Block, Extent]]:
        rows = opened.select(_LOCATE, [trace_id], columns=("trace_id", "start_time_unix_nano"))
        return [(opened.block(filename), Extent(first_ns, last_ns)) for filename, first_ns, last_ns in rows]

    return _asked(reading, blocks, trace_id, ask)


def _whole(reading: Reading, blocks: Sequence[Block], trace_id: bytes, part: Part) -> Spans:
    def ask(opened: OpenBlocks) -> Spans:
        columns = tuple(sorted(opened.columns.intersection(part.columns or opened.columns)))
        named = ", ".join(map(quoted, columns))
        rows = opened.select(
            f"SELECT {named} FROM spans WHERE trace_id = ? AND coalesce(span_id = ?, true) {ONE_COPY} "
            f"ORDER BY start_time_unix_nano, span_id, kind, service LIMIT {ANSWER_SPANS_MAX + 1}",
            [trace_id, part.span_id],
        )
        return Spans(columns, _bounded(rows))

    return _asked(reading, blocks, trace_id, ask)


def _asked(reading: Reading, blocks: Sequence[Block], trace_id: bytes, ask: Callable[[OpenBlocks], T]) -> T:
    """The answer of what of the blocks can hold the trace. Where a part is corrupt, of whole blocks, whose checksums
    tell which one it is.
    """
    try:
        return ask(reading.open_for(trace_id, blocks))
    except Corrupt:
        return ask(reading.open(blocks))


def whole(reading: Reading, blocks: Sequence[Block], trace_ids: Sequence[bytes]) -> Spans:
    """The spans of these traces in these blocks, trace after trace in the order of the ids, each by start.

    QueryTooBroad when they are more than one answer holds.
    """
    opened = reading.open(blocks)
    columns = tuple(sorted(opened.columns))
    rows = opened.select(
        f""", wanted AS (SELECT unnest(?::BLOB[]) AS trace_id, generate_subscripts(?::BLOB[], 1) AS place)
        SELECT {", ".join(map(quoted, columns))}
        FROM spans JOIN wanted USING (trace_id) {ONE_COPY}
        ORDER BY place, start_time_unix_nano, span_id, kind, service LIMIT {ANSWER_SPANS_MAX + 1}""",
        [list(trace_ids), list(trace_ids)],
    )
    return Spans(columns, _bounded(rows))


def _bounded(rows: list[Row]) -> list[Row]:
    if len(rows) > ANSWER_SPANS_MAX:
        raise QueryTooBroad(f"these are more than {ANSWER_SPANS_MAX} spans, the most that one answer holds")
    return rows
