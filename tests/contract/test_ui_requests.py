"""What Jaeger UI and Zipkin Lens ask on each of their pages, with the fields that they cannot do without.

Seen by running Jaeger UI 2.20 and Lens of 2026-08; older Jaeger UIs ask the classic routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from query.answering import Answering
from tests.archive import archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS
from tests.contract.jaeger_shop import put_shop

ONE = f"{1:032x}"
NOW_NS = RECEIVED_NS + 10 * 10**9
NOW_MS, NOW_US = str(NOW_NS // 10**6), str(NOW_NS // 1000)
V3_SEARCH = {
    "query.serviceName": "web",
    "query.operationName": "POST /checkout",
    "query.startTimeMin": "2026-09-21T13:13:30.000Z",
    "query.startTimeMax": "2026-09-21T14:13:30.000Z",
    "query.searchDepth": "20",
    "query.durationMin": "1ms",
    "query.durationMax": "2s",
    "query.attributes": '{"user.id":"7"}',
}
CLASSIC_SEARCH = {
    "service": "web",
    "operation": "POST /checkout",
    "start": str(NOW_NS // 1000 - 3_600_000_000),
    "end": NOW_US,
    "lookback": "1h",
    "limit": "20",
    "minDuration": "1ms",
    "maxDuration": "2s",
    "tags": '{"user.id":"7"}',
}
METRICS = {
    "service": "web",
    "endTs": NOW_MS,
    "lookback": "3600000",
    "ratePer": "600000",
    "spanKind": "server",
    "step": "60000",
}
LENS_SEARCH = {
    "serviceName": "web",
    "spanName": "post /checkout",
    "minDuration": "1000",
    "maxDuration": "2000000",
    "annotationQuery": "user.id=7",
    "endTs": NOW_MS,
    "lookback": "900000",
    "limit": "10",
}


def is_hex(text: str, *digits: int) -> bool:
    return len(text) in digits and re.fullmatch("[0-9a-f]+", text) is not None


def names(found: Any) -> bool:
    return bool(found["services"])


def v3_operations(found: Any) -> bool:
    return all(one["name"] and one["spanKind"].islower() for one in found["operations"])


def summaries(found: Any) -> bool:
    (one,) = found["summaries"]
    return (
        is_hex(one["traceId"], 32)
        and one["minStartTimeUnixNano"].isdigit()
        and [service["name"] for service in one["services"]] == ["pay", "web"]
    )


def jaeger_trace(found: Any) -> bool:
    (trace,) = found["data"]
    return is_hex(trace["traceID"], 16, 32) and all(
        is_hex(span["spanID"], 16)
        and span["processID"] in trace["processes"]
        and isinstance(span["startTime"], int)
        and isinstance(span["duration"], int)
        and all(tag["key"] for tag in span["tags"])
        and isinstance(span["references"], list)
        for span in trace["spans"]
    )


def classic_names(found: Any) -> bool:
    return bool(found["data"]) and found["errors"] is None


def dependencies(found: Any) -> bool:
    return [(one["parent"], one["child"]) for one in found["data"]] == [("web", "pay")]


def family(name: str) -> Callable[[Any], bool]:
    def has(found: Any) -> bool:
        points = [point for metric in found["metrics"] for point in metric["metricPoints"]]
        return found["name"] == name and all(
            point["timestamp"].endswith("Z") and isinstance(point["gaugeValue"]["doubleValue"], float)
            for point in points
        )

    return has


def texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def lens_traces(found: Any) -> bool:
    return len(found) == 1 and all(lens_trace(trace) for trace in found)


def lens_trace(trace: Any) -> bool:
    return bool(trace) and all(
        is_hex(span["traceId"], 16, 32) and is_hex(span["id"], 16) and isinstance(span["timestamp"], int)
        for span in trace
    )


def lens_links(found: Any) -> bool:
    return found == [{"parent": "web", "child": "pay", "callCount": 1, "errorCount": 1}]


def lens_config(found: Any) -> bool:
    return found["searchEnabled"] is True


JAEGER_UI: list[tuple[str, str, dict[str, str], Callable[[Any], bool]]] = [
    ("start", "/api/v3/services", {}, names),
    ("start", "/api/v3/operations", {"service": "web"}, v3_operations),
    ("search", "/api/v3/trace-summaries", V3_SEARCH, summaries),
    ("trace", f"/api/traces/{ONE}", {}, jaeger_trace),
    ("compare", f"/api/traces/{ONE}", {}, jaeger_trace),
    ("trace, JSON", f"/api/traces/{ONE}", {"prettyPrint": "true"}, jaeger_trace),
    ("trace, raw JSON", f"/api/traces/{ONE}", {"raw": "true", "prettyPrint": "true"}, jaeger_trace),
    ("dependencies", "/api/dependencies", {"endTs": NOW_MS, "lookback": "604800000"}, dependencies),
    *(
        ("monitor", "/api/metrics/latencies", {**METRICS, "quantile": quantile}, family("service_latencies"))
        for quantile in ("0.5", "0.75", "0.95")
    ),
    ("monitor", "/api/metrics/calls", METRICS, family("service_call_rate")),
    ("monitor", "/api/metrics/errors", METRICS, family("service_error_rate")),
    *(
        (
            "monitor, operations",
            f"/api/metrics/{path}",
            {**METRICS, "quantile": "0.95", "groupByOperation": "true"},
            family(f"service_operation_{name}"),
        )
        for path, name in (("latencies", "latencies"), ("calls", "call_rate"), ("errors", "error_rate"))
    ),
]
OLD_JAEGER_UI: list[tuple[str, str, dict[str, str], Callable[[Any], bool]]] = [
    ("start", "/api/services", {}, classic_names),
    ("start", "/api/services/web/operations", {}, classic_names),
    ("start", "/api/operations", {"service": "web", "spanKind": "server"}, classic_names),
    ("search", "/api/traces", CLASSIC_SEARCH, jaeger_trace),
    ("search", "/api/traces", {"traceID": ONE}, jaeger_trace),
]
LENS: list[tuple[str, str, dict[str, str], Callable[[Any], bool]]] = [
    ("start", "/config.json", {}, lens_config),
    ("start", "/api/v2/services", {}, texts),
    ("start", "/api/v2/autocompleteKeys", {}, texts),
    ("search", "/api/v2/spans", {"serviceName": "web"}, texts),
    ("search", "/api/v2/remoteServices", {"serviceName": "web"}, texts),
    ("search", "/api/v2/autocompleteValues", {"key": "user.id"}, texts),
    ("search", "/api/v2/traces", LENS_SEARCH, lens_traces),
    ("trace", f"/api/v2/trace/{ONE}", {}, lens_trace),
    ("dependencies", "/api/v2/dependencies", {"endTs": NOW_MS, "lookback": "604800000"}, lens_links),
]
REQUESTS = [
    *((f"Jaeger UI, {page}", *rest) for page, *rest in JAEGER_UI),
    *((f"old Jaeger UI, {page}", *rest) for page, *rest in OLD_JAEGER_UI),
    *((f"Lens, {page}", f"/zipkin{path}", *rest) for page, path, *rest in LENS),
]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with archive_in(tmp_path_factory.mktemp("shop")) as archive:
        put_shop(archive)
        yield Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


@pytest.mark.parametrize(
    ("page", "path", "query", "has_all"), REQUESTS, ids=[f"{page} {path}" for page, path, *_ in REQUESTS]
)
def test_a_page_gets_what_it_cannot_do_without(
    asking: Asking, page: str, path: str, query: dict[str, str], has_all: Callable[[Any], bool]
) -> None:
    reply = asking.get(path, query)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json"), (page, reply.body)
    assert has_all(reply.json), (page, reply.json)


@pytest.mark.parametrize("path", ["/api/traces/dead", "/zipkin/api/v2/trace/dead"])
def test_an_unknown_trace_is_told_as_the_ui_expects_it(asking: Asking, path: str) -> None:
    reply = asking.get(path)
    assert reply.status == 404
    assert path.startswith("/zipkin") or reply.json["errors"] == [{"code": 404, "msg": "trace not found"}]
