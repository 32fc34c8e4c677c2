"""The traces of which a TraceQL pipeline finds spans: what every read API's search is translated into.

How: candidates are traces that have, among the newest blocks, a span that may come out (`candidates`); their spans are
brought together from all blocks around (`extents`) and go through the pipeline (`sql.pipelines`); more candidates are
asked for until the answer is sure.
"""

from __future__ import annotations

from collections.abc import Sequence

from spandrel.model.catalogue import Block
from spandrel.model.limits import MIB
from spandrel.model.search import Search
from spandrel.traceql.checking import check
from spandrel.traceql.errors import MistypedQuery
from spandrel.traceql.metrics import Query
from spandrel.traceql.spansets import Pipeline

from .alone import with_plain_roots
from .candidates import Candidate, Candidates, Wanted
from .condition import Condition, starts_in
from .extents import MARGIN_NS, Extent, Extents, beyond, holding
from .found import Found, FoundTrace, Inspected, Order, Page, Place, Rank
from .necessary import comes_out_alone, may_come_out, needed
from .parts import parts_of
from .plain import query_of
from .reading import Reading, check_range
from .sql import places
from .sql.answers import answer, found_traces
from .sql.first_table import Source
from .sql.lists import known_lists, sources
from .sql.pipelines import asked_by, evaluated
from .sql.tables import Tables
from .trace import Spans, whole

DEFAULT_SPANS_PER_SPANSET = 3

# How many candidates are looked at first and how many times more each further time. Of a plain filter nearly every one
# is found; of what depends on whole traces perhaps one in many, and hundreds take hardly longer to look at than ten.
# Where enough were found, but others might come before them, a few more will do.
_GROWTH = 2
_FIRST_OF_TRACES, _GROWTH_OF_TRACES, _GROWTH_TO_BE_SURE = 200, 50, 4
_NARROWED_BYTES_MAX = 256 * MIB  # of blocks that are read to know which traces have all that is needed


def search(
    reading: Reading,
    query: Query,
    start_ns: int,
    end_ns: int,
    *,
    limit: int = 20,
    spans_per_spanset: int = DEFAULT_SPANS_PER_SPANSET,
    order: Order = Order.NEWEST,
    after: tuple[Rank, bytes] | None = None,
) -> Found:
    """The first `limit` traces in that order (`after`: behind that one, see `Page`), of which the query finds a span
    that starts in [start_ns, end_ns).

    A trace goes through the query whole, also where it reaches out of the time range, by MARGIN_NS at most; the answer
    tells of the spans that start in the range, the earliest `spans_per_spanset` of each set. Reads the newest blocks
    first, and no more of them than it takes to be sure.

    Rejected for a query that makes no sense or is one of metrics; QueryTooBroad when it would read more than a request
    may, or take longer.
    """
    pipeline = check(query).expression
    if not isinstance(pipeline, Pipeline):
        raise MistypedQuery("a search finds traces; this query makes metrics of them")
    check_range(start_ns, end_ns)
    page = Page(order, limit, spans_per_spanset, after)
    return _Search(reading, with_plain_roots(pipeline), (start_ns, end_ns), page).found()


def find(reading: Reading, plain: Search) -> Found:
    """The same for a search for single spans."""
    return search(reading, query_of(plain), plain.start_ns, plain.end_ns, limit=plain.limit)


def spans(reading: Reading, found: Found) -> Spans:
    """All spans of the traces found, and the parts of spans that came without a start."""
    known = {block.block_id for block in found.blocks}
    parts = [block for block in parts_of(reading, found.summaries) if block.block_id not in known]
    return whole(reading, [*found.blocks, *parts], [one.trace_id for one in found.summaries])


class _Search:
    """One search: what it looks for, and what it has read so far."""

    def __init__(self, reading: Reading, pipeline: Pipeline, times: tuple[int, int], page: Page) -> None:
        self._reading = reading
        self._pipeline = pipeline
        self._starts = starts_in(*times)
        self._page = page
        self._live = reading.live(times[0] - MARGIN_NS, times[1] + MARGIN_NS)
        self._candidates = Candidates(reading, self._live, Wanted(may_come_out(pipeline), *times, page.order))
        self._blocks: dict[str, Block] = {}

    def found(self) -> Found:
        alone = comes_out_alone(self._pipeline)
        limit = self._page.limit
        count, among = limit if alone else max(limit, _FIRST_OF_TRACES), None
        judged: set[bytes] = set()
        best: list[FoundTrace] = []
        while True:
            chosen = self._candidates.best(count, among)
            new = [one for one in chosen if one.trace_id not in judged]
            judged |= {one.trace_id for one in new}
            best = sorted([*best, *self._judged(new, alone=alone)], key=self._place)[:limit]
            complete = len(chosen) < count
            settled = best if complete else [one for one in best if self._place(one) <= chosen[-1].place]
            if complete or len(settled) == limit:
                return Found(settled, list(self._blocks.values()), self._inspected())
            if alone:
                count *= _GROWTH
            elif len(best) == limit:
                count *= _GROWTH_TO_BE_SURE
            else:
                among = self._narrowed() if among is None else among
                count *= _GROWTH_OF_TRACES

    def _judged(self, candidates: Sequence[Candidate], *, alone: bool) -> list[FoundTrace]:
        """Those of the candidates that are in the answer, each looked at whole.

        Where a span comes out by itself, the blocks that hold candidates are known, and are not looked into twice: what
        comes out tells how far the traces reach.
        """
        if not candidates:
            return []
        traces = {one.trace_id: one.extent for one in candidates}
        if alone:
            held_in = frozenset().union(*(one.block_ids for one in candidates))
            found = self._looked_at(traces, holding(self._reading, self._live, traces, held_in))
            whole = {one.summary.trace_id: Extent(one.summary.start_ns, one.summary.end_ns) for one in found}
            if not beyond(self._reading, self._live, traces, traces | whole):
                return found
        return self._looked_at(traces, holding(self._reading, self._live, traces))

    def _looked_at(self, traces: Extents, blocks: Sequence[Block]) -> list[FoundTrace]:
        """Those of the traces that are in the answer, by what these blocks hold of them."""
        self._blocks |= {block.block_id: block for block in blocks}
        opened = self._reading.open(blocks)
        tables = Tables()
        these = Condition("trace_id IN (SELECT unnest(?::BLOB[]))", (list(traces),))
        asked = asked_by(self._pipeline)
        lists = known_lists(sources([*asked.conditions, *asked.values], opened.columns), opened, these)
        result = evaluated(self._pipeline, Source(places.Place(opened.columns), these, lists), tables)
        statement = answer(result, tables, self._starts, self._page)
        return found_traces(opened.select(statement.sql, statement.parameters), result)

    def _narrowed(self) -> list[bytes] | None:
        """The traces that have all that the query needs, where that says more than that a span may come out, and can be
        told from what may be read.
        """
        conditions = needed(self._pipeline)
        if (
            set(conditions) <= {may_come_out(self._pipeline)}
            or sum(block.size_bytes for block in self._live) > _NARROWED_BYTES_MAX
        ):
            return None
        return self._candidates.having_all(conditions)

    def _inspected(self) -> Inspected:
        read = (self._blocks | self._candidates.read).values()
        return Inspected(len(read), sum(block.size_bytes for block in read), sum(block.spans for block in read))

    def _place(self, trace: FoundTrace) -> Place:
        return self._page.order.place(trace.rank, trace.summary.trace_id)
