"""GetTraceSummaries: the traces of a time range that a filter expression is true of, the newest first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from spandrel.api.spans import spans_of_rows
from spandrel.model.errors import Rejected
from spandrel.query import search
from spandrel.query.found import Found, FoundTrace

from .call import Call, Result
from .filter_query import TimeRange, query_of
from .group_calls import filter_of
from .members import invalid
from .summary_json import summary_of

SUMMARIES_MAX = 100  # of one page
PAGE_SPANS_MAX = 20_000  # whose traces are told of in one page, if they are more than one trace
STRATEGIES = ("PartialScan", "FixedRate")
_S_NS = 10**9


def trace_summaries(call: Call) -> Result:
    """The newest traces, a page at a time; `NextToken` is where the next one begins."""
    members = call.members
    start_ns, end_ns = members.required_time_ns("StartTime"), members.required_time_ns("EndTime")
    if start_ns >= end_ns:
        raise Rejected("The start time must be before the end time")
    by = TimeRange(members.choice("TimeRangeType", [one.value for one in TimeRange]) or TimeRange.TRACE_ID.value)
    share = _share(call)
    term = filter_of(call, members.text("FilterExpression"))
    after = _after(call)
    found = search.search(
        call.reading, query_of(term, by), start_ns, end_ns, limit=SUMMARIES_MAX, spans_per_spanset=1, after=after
    )
    page = _page(found)
    more = len(page) < len(found.traces) or len(found.traces) == SUMMARIES_MAX
    told = _summaries(call, found, [one for one in page if _is_sampled(one, share)], by)
    answer = {
        "TraceSummaries": told,
        "ApproximateTime": (_rank_ns(page[-1]) if more else start_ns) / _S_NS,
        "TracesProcessedCount": len(page),
    }
    return {**answer, "NextToken": call.token(_position(page[-1]))} if more else answer


def _summaries(call: Call, found: Found, page: list[FoundTrace], by: TimeRange) -> list[Mapping[str, Any]]:
    rows = search.spans(call.reading, Found(page, found.blocks, found.inspected))
    timed = (span for span in spans_of_rows(rows) if span.start_ns)  # parts without a start have no place
    by_id = {trace_id: list(spans) for trace_id, spans in groupby(timed, lambda span: span.trace_id)}
    return [
        summary_of(by_id[one.summary.trace_id], _rank_ns(one) if by is TimeRange.EVENT else None)
        for one in page
        if one.summary.trace_id in by_id
    ]


def _page(found: Found) -> list[FoundTrace]:
    """The first of the traces that have no more spans together than a page may; of a larger one, that alone."""
    page: list[FoundTrace] = []
    spans = 0
    for one in found.traces:
        spans += one.summary.spans
        if page and spans > PAGE_SPANS_MAX:
            break
        page.append(one)
    return page


def _rank_ns(one: FoundTrace) -> int:
    return int(one.rank)


def _position(one: FoundTrace) -> list[object]:
    return [one.rank, one.summary.trace_id.hex()]


def _after(call: Call) -> tuple[int, bytes] | None:
    position = call.position()
    if position is None:
        return None
    rank, trace_id = position
    return int(rank), bytes.fromhex(trace_id)


def _share(call: Call) -> float:
    """Of the traces that are found: what FixedRate asks for. All else that asks for a part gets the whole."""
    strategy = call.members.object("SamplingStrategy")
    call.members.boolean("Sampling")
    if strategy is None or strategy.choice("Name", STRATEGIES) != "FixedRate":
        return 1.0
    share = strategy.all.get("Value")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise invalid("SamplingStrategy.Value", share, "Member must be a number from 0 to 1")
    return float(share)


def _is_sampled(one: FoundTrace, share: float) -> bool:
    """Whether a trace is among so many of all, the same for each call."""
    drawn = int.from_bytes(hashlib.sha256(one.summary.trace_id).digest()[:8], "big")
    return drawn < share * 2**64
