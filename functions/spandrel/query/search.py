"""Traces with a span that matches, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from spandrel.blocks.database import Row
from spandrel.blocks.naming import ALWAYS
from spandrel.model.catalogue import Block
from spandrel.model.search import Search, ServiceCount, TraceSummary

from .compile import condition_of
from .copies import END, ONE_COPY
from .extents import MARGIN_NS, Extent, Extents, holding
from .reading import Reading, check_range, rounds
from .trace import Spans, whole


@dataclass(frozen=True, slots=True)
class Found:
    """Traces in the order in which they are listed, and the blocks that hold them."""

    summaries: list[TraceSummary]
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class _Matched:
    summary: TraceSummary
    newest_ns: int  # start of its latest span that matches


def find(reading: Reading, search: Search) -> Found:
    """The `search.limit` newest traces that match: those whose latest matching span starts last.

    A trace is looked at whole, also where it reaches out of the time range, by MARGIN_NS at most. Reads the newest
    blocks first, and no more of them than it takes to be sure. QueryTooBroad when that is more than a request may read.
    """
    check_range(search.start_ns, search.end_ns)
    condition_of(search, frozenset())  # refuses what can never match, also where there is nothing to search
    live = reading.live(search.start_ns - MARGIN_NS, search.end_ns + MARGIN_NS)
    count = search.limit
    while True:
        candidates = _candidates(reading, live, search, count)
        blocks = holding(reading, live, candidates)
        matched = _matched(reading, blocks, search, candidates)
        complete = len(candidates) < count
        sure_ns = 0 if complete else min(extent.last_ns for extent in candidates.values())
        settled = [one for one in matched if one.newest_ns >= sure_ns]
        if complete or len(settled) >= search.limit:
            return Found([one.summary for one in settled[: search.limit]], blocks)
        count *= 2  # some candidates matched only by a copy of a span that does not count


def spans(reading: Reading, found: Found) -> Spans:
    """All spans of the traces found."""
    return whole(reading, found.blocks, [summary.trace_id for summary in found.summaries])


def _candidates(reading: Reading, live: Sequence[Block], search: Search, count: int) -> Extents:
    """The `count` newest traces of which any copy of a span matches, each from its first to its last such span."""
    found: Extents = {}
    blocks = [block for block in live if block.min_start_ns < search.end_ns and block.max_start_ns >= search.start_ns]
    for some in rounds(blocks):
        if len(found) == count and min(extent.last_ns for extent in found.values()) > some[0].max_start_ns:
            break  # blocks come newest first, so whatever the others hold is older
        for trace_id, extent in _matching(reading, some, search, count):
            found[trace_id] = found.get(trace_id, extent) | extent
        newest = sorted(found, key=lambda trace_id: (-found[trace_id].last_ns, trace_id))[:count]
        found = {trace_id: found[trace_id] for trace_id in newest}
    return found


def _matching(reading: Reading, blocks: Sequence[Block], search: Search, count: int) -> Iterator[tuple[bytes, Extent]]:
    opened = reading.open(blocks)
    condition = condition_of(search, opened.columns if search.attributes else frozenset())
    rows = opened.select(
        f"""SELECT trace_id, min(start_time_unix_nano), max(start_time_unix_nano) AS newest
        FROM spans WHERE {condition.sql} GROUP BY trace_id ORDER BY newest DESC, trace_id LIMIT ?""",
        [*condition.parameters, count],
        columns=None if search.attributes else ALWAYS,
    )
    return ((trace_id, Extent(first_ns, last_ns)) for trace_id, first_ns, last_ns in rows)


def _matched(reading: Reading, blocks: Sequence[Block], search: Search, trace_ids: Iterable[bytes]) -> list[_Matched]:
    """Those of the traces of which a span matches, one copy of each span looked at; newest first."""
    opened = reading.open(blocks)
    condition = condition_of(search, opened.columns)
    rows = opened.select(
        f""", copies AS (
            SELECT trace_id, span_id, parent_span_id, coalesce(service, '') AS owner, name, start_time_unix_nano,
                coalesce(status_code, 0) = 2 AS failed, {END} AS end_ns, coalesce({condition.sql}, false) AS matches
            FROM spans WHERE trace_id IN (SELECT unnest(?::BLOB[])) {ONE_COPY}
        ), ids AS (SELECT DISTINCT trace_id, span_id FROM copies)
        SELECT copies.trace_id, owner, count(*), count(*) FILTER (failed), min(start_time_unix_nano), max(end_ns),
            max(start_time_unix_nano) FILTER (matches),
            min((start_time_unix_nano, copies.span_id, name)) FILTER (parent_span_id IS NULL),
            count(*) FILTER (parent_span_id IS NOT NULL AND ids.span_id IS NULL)
        FROM copies LEFT JOIN ids ON ids.trace_id = copies.trace_id AND ids.span_id = copies.parent_span_id
        GROUP BY copies.trace_id, owner ORDER BY copies.trace_id, owner""",
        [*condition.parameters, list(trace_ids)],
    )
    found = [_one_matched(trace_id, list(services)) for trace_id, services in groupby(rows, key=itemgetter(0))]
    matched = [one for one in found if one is not None]
    return sorted(matched, key=lambda one: (-one.newest_ns, one.summary.trace_id))


def _one_matched(trace_id: bytes, rows: Sequence[Row]) -> _Matched | None:
    """A trace's rows, one a service, as its summary; None where no span matches."""
    newest = [newest_ns for *_, newest_ns, _, _ in rows if newest_ns is not None]
    if not newest:
        return None
    roots = [(*root, service) for _, service, *_, root, _ in rows if root is not None]
    _, _, root_operation, root_service = min(roots, default=(0, b"", "", ""))
    summary = TraceSummary(
        trace_id=trace_id,
        root_service=root_service,
        root_operation=root_operation,
        start_ns=min(row[4] for row in rows),
        end_ns=max(row[5] for row in rows),
        spans=sum(row[2] for row in rows),
        errors=sum(row[3] for row in rows),
        orphans=sum(row[8] for row in rows),
        services=tuple(ServiceCount(service, spans, errors) for _, service, spans, errors, *_ in rows),
    )
    return _Matched(summary, max(newest))
