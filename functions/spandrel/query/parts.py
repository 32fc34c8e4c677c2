"""Parts of spans that came without a start (Zipkin), which no time range finds."""

from __future__ import annotations

from collections.abc import Sequence

from spandrel.model.catalogue import Block
from spandrel.model.search import TraceSummary

from .extents import MARGIN_NS
from .reading import Reading


def parts_of(reading: Reading, traces: Sequence[TraceSummary]) -> list[Block]:
    """The blocks that may hold parts of these traces, because some of theirs start at 0.

    A part arrives when its trace does: blocks that arrived at quite another time than any of the traces are left out.
    """
    return [block for block in reading.live(0, 1) if any(_may_hold(block, trace) for trace in traces)]


def _may_hold(block: Block, trace: TraceSummary) -> bool:
    if not block.min_trace_id <= trace.trace_id <= block.max_trace_id:
        return False
    return block.first_received_ns <= trace.end_ns + MARGIN_NS and block.received_ns >= trace.start_ns - MARGIN_NS
