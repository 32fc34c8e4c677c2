"""Searches against the plain evaluator, over drawn spans and drawn queries."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spandrel.query.found import Found, Order
from spandrel.query.search import search
from spandrel.traceql.metrics import Query
from spandrel.traceql.printing import text
from spandrel.traceql.spansets import Pipeline

from . import drawn
from .blocks import FORMS, archive_of
from .cases import START_NS
from .oracle.spans import Span, Trace, traces_of
from .oracle.spansets import matching

RECEIVED_NS = START_NS + 10 * 10**9
QUERIES = 8  # over the same spans

Answer = list[tuple[bytes, Any, list[list[bytes]]]]
"""Trace ids, what they rank by, and their spansets as span ids."""

RANKS: dict[Order, Callable[[Span], Any]] = {
    Order.NEWEST: lambda span: span.start_ns,
    Order.OLDEST: lambda span: span.start_ns,
    Order.SLOWEST: lambda span: span.duration_ns,
    Order.QUICKEST: lambda span: span.duration_ns,
    Order.NAMES: lambda span: span.name,
    Order.NAMES_BACKWARDS: lambda span: span.name,
    Order.IDS: lambda span: span.trace.trace_id.hex(),
    Order.IDS_BACKWARDS: lambda span: span.trace.trace_id.hex(),
}
DESCENDING = {Order.NEWEST, Order.SLOWEST, Order.NAMES_BACKWARDS, Order.IDS_BACKWARDS}


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=4, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_a_search_finds_what_the_evaluator_finds(
    form: str, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    draw = Random(seed)
    request = drawn.request(draw, START_NS)
    with archive_of(form, request, RECEIVED_NS, tmp_path_factory.mktemp("blocks")) as archive:
        for _ in range(QUERIES):
            query = drawn.query(draw)
            times = (START_NS + draw.choice((-1, 500, 1000)) * 10**6, START_NS + draw.choice((1500, 9000)) * 10**6)
            order, limit = draw.choice(list(Order)), draw.choice((1, 2, 10))
            found = search(archive.reading(), query, *times, limit=limit, spans_per_spanset=100, order=order)
            whole = expected(query, traces_of(request), times, order)
            assert answer_of(found) == whole[:limit], text(query)
            if len(whole) > limit:
                after = whole[limit - 1][1], whole[limit - 1][0]
                more = search(
                    archive.reading(), query, *times, limit=2, spans_per_spanset=100, order=order, after=after
                )
                assert answer_of(more) == whole[limit : limit + 2], text(query)


def answer_of(found: Found) -> Answer:
    return [
        (one.summary.trace_id, one.rank, sorted(sorted(span.span_id for span in spans.spans) for spans in one.spansets))
        for one in found.traces
    ]


def expected(query: Query, traces: list[Trace], times: tuple[int, int], order: Order) -> Answer:
    assert isinstance(query.expression, Pipeline)
    answer: Answer = []
    for trace in traces:
        sets = [
            [span for span in spanset.spans if times[0] <= span.start_ns < times[1]]
            for spanset in matching(query.expression, trace)
        ]
        ranks = [RANKS[order](span) for spans in sets for span in spans]
        if ranks:
            found = sorted(sorted(span.span_id for span in spans) for spans in sets if spans)
            answer.append((trace.trace_id, max(ranks) if order in DESCENDING else min(ranks), found))
    answer.sort(key=lambda one: one[0])
    return sorted(answer, key=lambda one: one[1], reverse=order in DESCENDING)
