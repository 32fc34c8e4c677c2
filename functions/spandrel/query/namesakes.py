"""Traces whose ids have the lower 64 bits in common: parts of one trace, if some of its services cut ids to that.

Ids are sorted and indexed whole, so which traces end in some half only spans can tell, within a time range. The other
way is free: an id of 128 bits has one namesake of 64.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spandrel.model.errors import NotFound, QueryTooBroad
from spandrel.model.ids import TRACE_ID_BYTES

from .condition import starts_in
from .extents import MARGIN_NS, Extent, Extents, holding
from .found import Found
from .parts import parts_of
from .reading import Reading
from .trace import Spans, trace, whole

NEAR_NS = 600 * 10**9
"""How far from the spans of a trace its namesakes are looked for: they are of the same request."""

_HALF_BYTES = 8
_NO_UPPER_HALF = bytes(TRACE_ID_BYTES - _HALF_BYTES)
_BY_HALF = """
    SELECT trace_id, min(start_time_unix_nano), max(start_time_unix_nano) FROM spans
    WHERE right(hex(trace_id), 16) IN (SELECT unnest(?::VARCHAR[])) AND {starts} GROUP BY trace_id
"""


def lower_half(trace_id: bytes) -> bytes:
    """What namesakes have in common."""
    return trace_id[-_HALF_BYTES:]


def traces_of(reading: Reading, trace_id: bytes, start_ns: int, end_ns: int) -> list[Spans]:
    """The trace and its namesakes, of each its spans. NotFound where there is none of them.

    Of an id of 128 bits these are its own and the one of 64 bits, both found by the trace index. Of an id of 64 bits
    others are looked for near its spans, or, where it has none, among those that start in [start_ns, end_ns).
    QueryTooBroad where that would be more than one request may read.
    """
    short = _NO_UPPER_HALF + lower_half(trace_id)
    found = list(_those_there(reading, dict.fromkeys((trace_id, short))))
    if trace_id == short:
        if found:
            start_ns, end_ns = _near(found[0])
        others = [other for other in sorted(_with_halves(reading, [trace_id], start_ns, end_ns)) if other != short]
        found += _those_there(reading, others)
    if not found:
        raise NotFound("trace not found")
    return found


def spans(reading: Reading, found: Found) -> Spans:
    """All spans of the traces found and of their namesakes, which follow them."""
    first_ns = min(one.start_ns for one in found.summaries) - NEAR_NS
    end_ns = max(one.end_ns for one in found.summaries) + NEAR_NS
    trace_ids = [one.trace_id for one in found.summaries]
    extents = _with_halves(reading, trace_ids, first_ns, end_ns)
    by_half: dict[bytes, dict[bytes, None]] = {lower_half(one): {} for one in trace_ids}
    for trace_id in [*trace_ids, *sorted(extents)]:
        by_half[lower_half(trace_id)][trace_id] = None
    live = reading.live(first_ns - MARGIN_NS, end_ns + MARGIN_NS)
    blocks = [*found.blocks, *holding(reading, live, extents), *parts_of(reading, found.summaries)]
    in_order = [trace_id for namesakes in by_half.values() for trace_id in namesakes]
    return whole(reading, list({block.block_id: block for block in blocks}.values()), in_order)


def _those_there(reading: Reading, trace_ids: Iterable[bytes]) -> Iterator[Spans]:
    for trace_id in trace_ids:
        try:
            yield trace(reading, trace_id)
        except NotFound:
            continue


def _near(spans: Spans) -> tuple[int, int]:
    """The time around the spans of a trace; parts of spans that came without a start say nothing of it."""
    column = spans.columns.index("start_time_unix_nano")
    starts = [row[column] for row in spans.rows if row[column]] or [0]
    return min(starts) - NEAR_NS, max(starts) + NEAR_NS


def _with_halves(reading: Reading, trace_ids: Iterable[bytes], start_ns: int, end_ns: int) -> Extents:
    """The traces with these lower halves that have spans which start in the range, and from when to when they do."""
    halves = [lower_half(trace_id).hex().upper() for trace_id in trace_ids]
    starts = starts_in(start_ns, end_ns)
    try:
        opened = reading.open(reading.live(start_ns, end_ns))
        columns = ("trace_id", "start_time_unix_nano")
        rows = opened.select(_BY_HALF.format(starts=starts.sql), [halves, *starts.parameters], columns=columns)
    except QueryTooBroad as error:
        raise QueryTooBroad(f"traces by the lower 64 bits of their ids: {error}") from error
    return {trace_id: Extent(first_ns, last_ns) for trace_id, first_ns, last_ns in rows}
