from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model.errors import QueryTooBroad, Rejected
from spandrel.model.traffic import GROWTH, INSTANT, MINUTE_NS, QUANTILE_ERROR, Latency, Traffic, duration_of
from spandrel.query import traffic as traffic_module
from spandrel.query.traffic import Chosen, traffic
from tests.archive import Archive
from tests.builders import RECEIVED_NS, request_of, span

MINUTE = RECEIVED_NS - RECEIVED_NS % MINUTE_NS
FAILED = Status(code=Status.STATUS_CODE_ERROR)
SERVER = Span.SPAN_KIND_SERVER


def bucket_of(duration_ns: int) -> int:
    return math.ceil(math.log(duration_ns) / math.log(GROWTH)) if duration_ns else INSTANT


def latency_of(durations_ns: Sequence[int]) -> Latency:
    buckets = [bucket_of(duration_ns) for duration_ns in durations_ns]
    return Latency({bucket: buckets.count(bucket) for bucket in buckets})


def hour(archive: Archive) -> list[Traffic]:
    return traffic(archive.reading(), MINUTE, MINUTE + 60 * MINUTE_NS)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=30), st.floats(0, 1))
def test_a_quantile_is_within_its_error_of_the_true_one(durations_ns: list[int], share: float) -> None:
    found = latency_of(durations_ns).quantile(share)
    true = sorted(durations_ns)[max(1, math.ceil(share * len(durations_ns))) - 1]
    assert found == pytest.approx(true, rel=QUANTILE_ERROR * 1.000001)
    assert QUANTILE_ERROR < 0.05


@given(st.lists(st.integers(0, 10**12)), st.lists(st.integers(0, 10**12)))
def test_the_sum_of_two_latencies_is_the_latency_of_both(one: list[int], other: list[int]) -> None:
    assert latency_of(one) + latency_of(other) == latency_of(one + other)


def test_a_latency_of_no_spans_has_no_quantiles() -> None:
    assert Latency({}).quantile(0.5) is None
    assert duration_of(INSTANT) == 0


def test_spans_are_counted_by_minute_service_operation_and_kind(archive: Archive) -> None:
    spans = [
        span("get", span_id=b"00000001", start_ns=MINUTE, duration_ns=1000, kind=SERVER),
        span("get", span_id=b"00000002", start_ns=MINUTE + MINUTE_NS - 1, duration_ns=2000, kind=SERVER, status=FAILED),
        span("get", span_id=b"00000003", start_ns=MINUTE + MINUTE_NS, duration_ns=0, kind=SERVER),
        span("get", span_id=b"00000004", start_ns=MINUTE, duration_ns=5),
    ]
    archive.add(request_of(*spans, service="web"), request_of(span("put", start_ns=MINUTE), service="cart"))
    assert hour(archive) == [
        Traffic(MINUTE, "cart", "put", 1, 1, 0, latency_of([1_000_000])),
        Traffic(MINUTE, "web", "get", 1, 1, 0, latency_of([5])),
        Traffic(MINUTE, "web", "get", 2, 2, 1, latency_of([1000, 2000])),
        Traffic(MINUTE + MINUTE_NS, "web", "get", 2, 1, 0, latency_of([0])),
    ]


def test_copies_count_once_and_the_longest_one_counts(archive: Archive) -> None:
    for duration_ns, status in ((1000, None), (3000, FAILED), (2000, None)):
        archive.add(request_of(span("get", start_ns=MINUTE, duration_ns=duration_ns, status=status)))
    assert hour(archive) == [Traffic(MINUTE, "checkout", "get", 1, 1, 1, latency_of([3000]))]


def test_a_client_and_a_server_under_one_id_are_two(archive: Archive) -> None:
    for kind in (Span.SPAN_KIND_CLIENT, SERVER):
        archive.add(request_of(span("get", span_id=b"00000001", start_ns=MINUTE, kind=kind)))
    assert [(one.kind, one.calls) for one in hour(archive)] == [(2, 1), (3, 1)]


def test_a_span_that_did_not_end_is_a_call_without_latency(archive: Archive) -> None:
    archive.add(request_of(span("get", start_ns=MINUTE, duration_ns=-MINUTE)))
    assert hour(archive) == [Traffic(MINUTE, "checkout", "get", 1, 1, 0, Latency({}))]


def test_what_is_not_told_apart_is_added_up(archive: Archive) -> None:
    for name, service in (("get", "web"), ("put", "web"), ("get", "cart")):
        archive.add(request_of(span(f"{name} {service}", start_ns=MINUTE, duration_ns=7), service=service))
    window = (MINUTE, MINUTE + MINUTE_NS)
    assert traffic(archive.reading(), *window, apart=["service"]) == [
        Traffic(MINUTE, "cart", "", -1, 1, 0, latency_of([7])),
        Traffic(MINUTE, "web", "", -1, 2, 0, latency_of([7, 7])),
    ]
    assert traffic(archive.reading(), *window, apart=[]) == [Traffic(MINUTE, "", "", -1, 3, 0, latency_of([7] * 3))]


def test_traffic_of_some_services_and_kinds(archive: Archive) -> None:
    for number, service in enumerate(("web", "cart", "stock")):
        archive.add(request_of(span(f"a{number}", start_ns=MINUTE, kind=SERVER), service=service))
        archive.add(request_of(span(f"b{number}", start_ns=MINUTE), service=service))
    chosen = Chosen(services=["web", "cart", "nobody"], kinds=[2])
    found = traffic(archive.reading(), MINUTE, MINUTE + MINUTE_NS, chosen=chosen)
    assert [(one.service, one.operation) for one in found] == [("cart", "a1"), ("web", "a0")]
    assert traffic(archive.reading(), MINUTE, MINUTE + MINUTE_NS, chosen=Chosen(services=[])) == []


def test_longer_steps_begin_at_their_multiples(archive: Archive) -> None:
    step_ns = 5 * MINUTE_NS
    first = MINUTE - MINUTE % step_ns
    for number, minute in enumerate((0, 4, 5, 11)):
        archive.add(request_of(span(f"a{number}", start_ns=first + minute * MINUTE_NS)))
    found = traffic(archive.reading(), first, first + 12 * MINUTE_NS, step_ns=step_ns, apart=[])
    assert [(one.start_ns - first, one.calls) for one in found] == [(0, 2), (step_ns, 1), (2 * step_ns, 1)]


def test_adjacent_windows_add_up_to_the_whole_wherever_they_are_cut(archive: Archive) -> None:
    for number in range(20):
        archive.add(request_of(span(f"a{number}", start_ns=MINUTE + number * 17 * 10**9)))
    bounds = [MINUTE, MINUTE + 17 * 10**9, MINUTE + 90 * 10**9, MINUTE + 6 * MINUTE_NS]
    counted = [sum(one.calls for one in traffic(archive.reading(), *window)) for window in pairwise(bounds)]
    assert counted == [1, 5, 14]
    assert sum(one.calls for one in traffic(archive.reading(), bounds[0], bounds[-1])) == 20


def test_an_answer_that_is_too_large_is_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_module, "ROWS_MAX", 2)
    for number in range(3):
        archive.add(request_of(span(f"a{number}", start_ns=MINUTE)))
    with pytest.raises(QueryTooBroad, match="fewer services"):
        hour(archive)


@pytest.mark.parametrize("step_ns", [0, -MINUTE_NS, 10**9, MINUTE_NS + 1])
def test_a_step_that_is_no_multiple_of_a_minute_is_a_mistake(archive: Archive, step_ns: int) -> None:
    with pytest.raises(ValueError, match="multiple of a minute"):
        traffic(archive.reading(), MINUTE, MINUTE + 1, step_ns=step_ns)


def test_a_range_that_is_empty_or_too_broad_is_refused(archive: Archive) -> None:
    with pytest.raises(Rejected):
        traffic(archive.reading(), MINUTE, MINUTE)
    with pytest.raises(QueryTooBroad):
        traffic(archive.reading(), 0, MINUTE)
