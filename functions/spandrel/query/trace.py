"""Whole traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spandrel.blocks.database import Row
from spandrel.blocks.reader import quoted
from spandrel.model.catalogue import Block
from spandrel.model.errors import NotFound, QueryTooBroad
from spandrel.model.limits import ANSWER_SPANS_MAX

from .copies import ONE_COPY
from .extents import MARGIN_NS, Extents, holding, located
from .reading import FOREVER_NS, Reading, rounds


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans as their rows in blocks: names of columns, and for each span their values. Null is OTLP's default."""

    columns: tuple[str, ...]
    rows: list[Row]


def trace(reading: Reading, trace_id: bytes, start_ns: int = 0, end_ns: int = FOREVER_NS) -> Spans:
    """All spans of a trace in order of their starts. NotFound when there are none.

    [start_ns, end_ns) is a hint when the trace was: without, the newest blocks are looked into first, until the trace
    is found, and then those around (`extents.holding`) and those that are `far`. QueryTooBroad when one request may
    not read enough to tell.
    """
    live = [
        block
        for block in reading.live(start_ns - MARGIN_NS, end_ns + MARGIN_NS)
        if block.min_trace_id <= trace_id <= block.max_trace_id
    ]
    far = [block for block, _ in located(reading, [block for block in live if block.far], [trace_id])]
    near = [block for block in live if not block.far]
    known = _first_found(reading, near, trace_id)
    blocks = far + (holding(reading, near, known) if known else [])
    if not blocks:
        raise NotFound("trace not found")
    return whole(reading, blocks, [trace_id])


def _first_found(reading: Reading, blocks: Sequence[Block], trace_id: bytes) -> Extents:
    """What is known of the trace when any of the blocks, in their order, has some of it."""
    for some in rounds(blocks):
        known: Extents = {}
        for _, here in located(reading, some, [trace_id]):
            known[trace_id] = known.get(trace_id, here[trace_id]) | here[trace_id]
        if known:
            return known
    return {}


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
    if len(rows) > ANSWER_SPANS_MAX:
        raise QueryTooBroad(f"these are more than {ANSWER_SPANS_MAX} spans, the most that one answer holds")
    return Spans(columns, rows)
