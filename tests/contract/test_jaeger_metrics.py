"""The series of Jaeger UI's page Monitor, through the function's own way in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from query.answering import Answering
from tests.archive import archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract.test_jaeger_classic import refusal

MINUTE_NS = 60 * 10**9
FIRST_NS = RECEIVED_NS // MINUTE_NS * MINUTE_NS  # 14:13:00
# What the page sends, but for its times.
ASKED = {
    "service": "web",
    "endTs": str(FIRST_NS // 10**6 + 2 * 60_000 + 30_000),
    "lookback": "180000",
    "ratePer": "120000",
    "step": "60000",
    "spanKind": "server",
}


def served(number: int, minute: int, duration_ms: int, *, failed: bool = False, name: str = "GET /cart") -> Span:
    return span(
        name,
        span_id=number.to_bytes(8, "big"),
        kind=Span.SPAN_KIND_SERVER,
        start_ns=FIRST_NS + minute * MINUTE_NS + number,
        duration_ns=duration_ms * 10**6,
        status=Status(code=Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET),
    )


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Two calls in the first minute, of which one failed, and six in the second."""
    with archive_in(tmp_path_factory.mktemp("metrics")) as archive:
        first = [served(1, 0, 10), served(2, 0, 10, failed=True)]
        second = [served(number, 1, 100, name="POST /cart") for number in range(3, 9)]
        called = span("call", kind=Span.SPAN_KIND_CLIENT, start_ns=FIRST_NS, duration_ns=10**9)
        archive.add(request_of(*first, *second, called, service="web"))
        archive.add(request_of(served(9, 0, 10), service="pay"))
        yield Asking(Answering(archive.store, archive.objects, lambda: FIRST_NS + 2 * MINUTE_NS).answer)


def points(metric: Mapping[str, Any]) -> dict[str, float]:
    return {point["timestamp"]: point["gaugeValue"]["doubleValue"] for point in metric["metricPoints"]}


def family(jaeger: Asking, path: str, **query: str) -> Any:
    reply = jaeger.get(f"/api/metrics/{path}", {**ASKED, **query})
    assert reply.status == 200, reply.body
    return reply.json


def test_calls_are_a_second_of_the_time_before_a_point(jaeger: Asking) -> None:
    found = family(jaeger, "calls")
    assert (found["name"], found["type"]) == ("service_call_rate", "GAUGE")
    (metric,) = found["metrics"]
    assert metric["labels"] == [{"name": "service_name", "value": "web"}]
    assert points(metric) == {
        "2026-09-21T14:12:00Z": 0.0,
        "2026-09-21T14:13:00Z": 0.0,
        "2026-09-21T14:14:00Z": pytest.approx(2 / 120),
        "2026-09-21T14:15:00Z": pytest.approx(8 / 120),
    }


def test_what_is_older_than_the_window_counts_no_more(jaeger: Asking) -> None:
    (metric,) = family(jaeger, "calls", ratePer="60000")["metrics"]
    assert points(metric)["2026-09-21T14:15:00Z"] == pytest.approx(6 / 60)
    (latency,) = family(jaeger, "latencies", ratePer="60000", quantile="0.01")["metrics"]
    assert points(latency)["2026-09-21T14:15:00Z"] == pytest.approx(100, rel=0.05)


def test_errors_are_a_share_and_are_not_told_of_nothing(jaeger: Asking) -> None:
    found = family(jaeger, "errors")
    assert found["name"] == "service_error_rate"
    assert points(found["metrics"][0]) == {"2026-09-21T14:14:00Z": 0.5, "2026-09-21T14:15:00Z": pytest.approx(1 / 8)}


def test_latencies_are_milliseconds(jaeger: Asking) -> None:
    found = family(jaeger, "latencies", quantile="0.95")
    assert found["name"] == "service_latencies"
    assert points(found["metrics"][0]) == {
        "2026-09-21T14:14:00Z": pytest.approx(10, rel=0.05),
        "2026-09-21T14:15:00Z": pytest.approx(100, rel=0.05),
    }


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("calls", "service_operation_call_rate"),
        ("errors", "service_operation_error_rate"),
        ("latencies", "service_operation_latencies"),
    ],
)
def test_operations_are_told_apart_when_asked(jaeger: Asking, path: str, name: str) -> None:
    found = family(jaeger, path, groupByOperation="true", quantile="0.5")
    assert found["name"] == name
    labels = [{label["name"]: label["value"] for label in metric["labels"]} for metric in found["metrics"]]
    assert labels == [{"operation": each, "service_name": "web"} for each in ("GET /cart", "POST /cart")]


def test_other_kinds_and_services_are_asked_for_by_name(jaeger: Asking) -> None:
    (metric,) = family(jaeger, "calls", spanKind="SPAN_KIND_CLIENT")["metrics"]
    assert points(metric)["2026-09-21T14:14:00Z"] == pytest.approx(1 / 120)
    both = jaeger.get("/api/metrics/calls", [*ASKED.items(), ("service", "pay")]).json
    assert [metric["labels"][0]["value"] for metric in both["metrics"]] == ["pay", "web"]
    assert family(jaeger, "calls", service="nobody")["metrics"] == []


def test_a_longer_step_has_fewer_points(jaeger: Asking) -> None:
    (metric,) = family(jaeger, "calls", step="120000", endTs=str(FIRST_NS // 10**6 + 180_000))["metrics"]
    assert list(points(metric)) == ["2026-09-21T14:14:00Z", "2026-09-21T14:16:00Z"]


def test_without_times_it_is_the_hour_until_now(jaeger: Asking) -> None:
    (metric,) = jaeger.get("/api/metrics/calls", {"service": "web"}).json["metrics"]
    assert len(points(metric)) == 61
    assert max(points(metric)) == "2026-09-21T14:15:00Z"


def test_the_least_step_is_a_minute(jaeger: Asking) -> None:
    assert jaeger.get("/api/metrics/minstep").json["data"] == 60_000


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"service": ""}, "please provide at least one service name"),
        ({"quantile": ""}, "parameter quantile is required"),
        ({"quantile": "95"}, "from 0 to 1"),
        ({"quantile": "nan"}, "from 0 to 1"),
        ({"quantile": "half"}, "from 0 to 1"),
        ({"spanKind": "sideways"}, "unsupported span kind: 'sideways'"),
        ({"step": "5000"}, "parameter step takes whole minutes"),
        ({"ratePer": "90000"}, "parameter ratePer takes whole minutes"),
        ({"lookback": "0"}, "parameter lookback"),
        ({"endTs": "now"}, "parameter endTs"),
        ({"lookback": str(31 * 86_400_000)}, "make the step longer"),
        ({"groupByOperation": "perhaps"}, "parameter groupByOperation"),
    ],
    ids=str,
)
def test_what_cannot_be_answered_is_refused(jaeger: Asking, query: Mapping[str, str], told: str) -> None:
    assert told in refusal(jaeger.get("/api/metrics/latencies", {**ASKED, "quantile": "0.5", **query}))
