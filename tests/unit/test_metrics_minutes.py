"""Metrics from what is counted by the minute, beside the same from spans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model.traffic import QUANTILE_ERROR
from spandrel.query import metrics_minutes, traffic
from spandrel.query.metrics import Answer, metrics
from spandrel.traceql.checking import check
from spandrel.traceql.parser import parse
from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS, request_of, span

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
START_NS = RECEIVED_NS - RECEIVED_NS % MINUTE_NS - 10 * MINUTE_NS
NAMES = ("GET /", "POST /", "pay")
SERVICES = ("web", "cart")
COUNTS = [
    "{ } | rate()",
    "{ } | count_over_time() by (resource.service.name)",
    "{ } | count_over_time() by (name, kind)",
    "{ resource.service.name = `web` } | rate() by (name)",
    "{ resource.service.name = `web` && kind = server } | rate()",
    "{ name = `pay` } | rate() by (resource.service.name)",
    "{ status = error } | count_over_time() by (name)",
    "{ kind = server } | select(name) | rate()",
    "{ kind = server && kind = client } | rate()",
    "({ status = error } | rate()) / ({ } | rate())",
    "{ } | rate() by (name) | topk(1)",
]
QUANTILES = [
    "{ } | quantile_over_time(duration, .1, .5, .9)",
    "{ resource.service.name = `web` } | quantile_over_time(duration, .5) by (name)",
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_in(tmp_path_factory.mktemp("blocks")) as archive:
        fill(archive)
        yield archive


def fill(archive: Archive) -> None:
    """Spans of ten minutes, some of them in merged blocks, some twice."""
    failed = Status(code=Status.STATUS_CODE_ERROR)
    for part in range(4):
        for service in SERVICES:
            spans = [
                span(
                    NAMES[number % 3],
                    trace_id=(1 + number + 1000 * part).to_bytes(16, "big"),
                    kind=Span.SPAN_KIND_SERVER if number % 2 else Span.SPAN_KIND_CLIENT,
                    start_ns=START_NS + (part * 150 + number) * SECOND_NS,
                    duration_ns=(100 + number) * 10**6,
                    status=failed if number % 5 == 0 else Status(),
                )
                for number in range(150)
            ]
            archive.add(request_of(*spans, service=service))
            archive.add(request_of(*spans[::7], service=service))
        if part == 1:
            archive.merge()


def asked(archive: Archive, query: str, step_ns: int | None = 2 * MINUTE_NS, start_ns: int = START_NS) -> Answer:
    return metrics(archive.reading(), check(parse(query)), start_ns, START_NS + 10 * MINUTE_NS, step_ns)


@pytest.mark.parametrize("query", COUNTS)
@pytest.mark.parametrize(
    ("step_ns", "start_ns"), [(2 * MINUTE_NS, START_NS), (7 * MINUTE_NS, START_NS + MINUTE_NS), (None, START_NS)]
)
def test_counts_of_minutes_are_those_of_spans(
    stored: Archive, query: str, step_ns: int | None, start_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_spans = asked(stored, query, step_ns, start_ns)
    monkeypatch.setattr(metrics_minutes, "READ_SPANS_MAX", -1)
    of_minutes = asked(stored, query, step_ns, start_ns)
    assert (of_spans.source, of_minutes.source) == ("spans", "minutes")
    assert of_minutes.series == of_spans.series


@pytest.mark.parametrize("query", QUANTILES)
def test_quantiles_of_minutes_are_near_those_of_spans(
    stored: Archive, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_spans = asked(stored, query)
    monkeypatch.setattr(metrics_minutes, "READ_SPANS_MAX", -1)
    of_minutes = asked(stored, query)
    assert (of_spans.source, of_minutes.source) == ("spans", "minutes")
    assert of_minutes.series.keys() == of_spans.series.keys()
    for labels, series in of_spans.series.items():
        # a little more than the error, because the exact one lies between two spans
        assert of_minutes.series[labels].points == pytest.approx(series.points, rel=QUANTILE_ERROR + 0.05)


@pytest.mark.parametrize(
    "query",
    [
        "{ } | rate() by (status)",
        "{ span.x = 1 } | rate()",
        "{ name != `pay` } | rate()",
        "{ kind = server || name = `pay` } | rate()",
        "{ status = ok } | rate()",
        "{ status = error } | quantile_over_time(duration, .5)",
        "{ } | max_over_time(duration)",
        "{ } | quantile_over_time(traceDuration, .5)",
        "{ } > { } | rate()",
        "{ } | compare({ kind = server })",
        "{ } | rate() with(exemplars=true)",
        "{ resource.service.name = `` } | rate()",
    ],
)
def test_what_minutes_do_not_say_is_counted_from_spans(
    stored: Archive, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = asked(stored, query)
    monkeypatch.setattr(metrics_minutes, "READ_SPANS_MAX", -1)
    assert asked(stored, query) == expected


def test_steps_that_are_no_whole_minutes_are_counted_from_spans(
    stored: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_minutes, "READ_SPANS_MAX", -1)
    assert asked(stored, "{ } | rate()", 90 * SECOND_NS).source == "spans"
    assert asked(stored, "{ } | rate()", MINUTE_NS, START_NS + SECOND_NS).source == "spans"


def test_spans_without_a_service_are_told_apart_from_those_with_an_empty_one(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(archive)
    request = request_of(span("no service", start_ns=START_NS))
    del request.resource_spans[0].resource.attributes[:]
    archive.add(request, request_of(span("an empty one", start_ns=START_NS), service=""))
    expected = asked(archive, "{ } | count_over_time() by (resource.service.name)").series
    monkeypatch.setattr(metrics_minutes, "READ_SPANS_MAX", -1)
    found = asked(archive, "{ } | count_over_time() by (resource.service.name)")
    assert (found.source, found.series) == ("spans", expected)
    assert asked(archive, "{ } | count_over_time()").source == "minutes"


def test_where_minutes_are_too_many_spans_are_counted(stored: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_minutes, "READ_SPANS_MAX", -1)
    monkeypatch.setattr(traffic, "ROWS_MAX", 1)
    assert asked(stored, "{ } | rate() by (name)").source == "spans"


def test_the_answer_says_when_it_was_counted_from_both(stored: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_minutes, "READ_SPANS_MAX", -1)
    assert asked(stored, "({ } | rate()) - ({ status = ok } | rate())").source == "spans and minutes"
