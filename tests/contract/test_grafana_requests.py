"""What Grafana's data sources for Jaeger and Zipkin ask, and the fields that they read, in the types that they take.

Seen in grafana/grafana-jaeger-datasource (2026-07-21, `pkg/jaeger`) and grafana/grafana-zipkin-datasource (2026-07-28,
`pkg/zipkin`, which reads with openzipkin/zipkin-go 0.4.3). Both run in Go: a field of another type, and they show
nothing of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from query.answering import Answering
from tests.archive import Archive, archive_in
from tests.asking import Asking, Reply
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract.jaeger_shop import put_shop
from tests.recorded_traces import SOURCES, moved, spans_of

ONE = f"{1:032x}"
NOW_NS = RECEIVED_NS + 10 * 10**9
NOW_MS, FROM_MS = NOW_NS // 10**6, NOW_NS // 10**6 - 3_600_000

NUMBER, ANY = (int, float), object
TAG = {"key": str, "type": str, "value": ANY}
REFERENCE = {"refType": str, "spanID": str, "traceID": str}
JAEGER_SPAN = {
    **dict.fromkeys(("traceID", "spanID", "processID", "operationName"), str),
    **dict.fromkeys(("startTime", "duration", "flags"), int),
    "logs": [{"timestamp": NUMBER, "fields": [TAG], "name": str}],
    "references": [REFERENCE],
    "tags": [TAG],
    "warnings": [str],
    "stackTraces": [str],
}
JAEGER_TRACE = {"traceID": str, "warnings": [str], "spans": [JAEGER_SPAN]}
PROCESS = {"serviceName": str, "tags": [TAG]}
ENVELOPE = dict.fromkeys(("total", "limit", "offset"), int)
NAMES = ENVELOPE | {"data": [str]}
TRACES = ENVELOPE | {"data": [JAEGER_TRACE]}
LINKS = {"data": [{"parent": str, "child": str, "callCount": int}], "errors": [{"code": int, "msg": str}]}
V3_NAMES = {"services": [str], "operations": [{"name": str, "spanKind": str}]}
ENDPOINT = {"serviceName": str, "ipv4": str, "ipv6": str, "port": int}
ZIPKIN_SPAN = {
    **dict.fromkeys(("traceId", "id", "parentId", "kind", "name"), str),
    **dict.fromkeys(("timestamp", "duration"), int),
    **dict.fromkeys(("localEndpoint", "remoteEndpoint"), ENDPOINT),
    **dict.fromkeys(("debug", "shared"), bool),
    "annotations": [{"timestamp": int, "value": str}],
}

SEARCH = {
    "service": "web",
    "operation": "POST /checkout",
    "tags": '{"user.id":"7"}',
    "minDuration": "1ms",
    "maxDuration": "2s",
    "limit": "20",
    "start": f"{FROM_MS}000",
    "end": f"{NOW_MS}000",
}
REQUESTS: list[tuple[str, str, Mapping[str, str], Any]] = [
    ("Jaeger: test, services", "/api/services", {}, NAMES),
    ("Jaeger: operations", "/api/services/web/operations", {}, NAMES),
    ("Jaeger: search", "/api/traces", SEARCH, TRACES),
    ("Jaeger: trace", f"/api/traces/{ONE}", {}, TRACES),
    ("Jaeger: trace, times", f"/api/traces/{ONE}", {"start": str(FROM_MS), "end": str(NOW_MS)}, TRACES),
    ("Jaeger: graph", "/api/dependencies", {"endTs": str(NOW_MS), "lookback": "3600000"}, LINKS),
    ("Jaeger: services, v3", "/api/v3/services", {}, V3_NAMES),
    ("Jaeger: operations, v3", "/api/v3/operations", {"service": "web"}, V3_NAMES),
    ("Zipkin: test, services", "/api/v2/services", {}, [str]),
    ("Zipkin: spans", "/api/v2/spans", {"serviceName": "web"}, [str]),
    ("Zipkin: traces", "/api/v2/traces", {"serviceName": "web", "spanName": "post /checkout"}, [[ZIPKIN_SPAN]]),
    ("Zipkin: trace", f"/api/v2/trace/{ONE}", {}, [ZIPKIN_SPAN]),
]


def unreadable(value: Any, shape: Any, at: str = "") -> Iterator[str]:
    """Where `value` is not of that shape. What is not there, or null, stays empty in Go; what else is there is left."""
    if value is None or shape is ANY:
        return
    if isinstance(shape, (list, dict)) and not isinstance(value, type(shape)):
        yield f"{at}: {value!r}"
    elif isinstance(shape, list):
        for number, item in enumerate(value):
            yield from unreadable(item, shape[0], f"{at}[{number}]")
    elif isinstance(shape, dict):
        for key in value.keys() & shape.keys():
            yield from unreadable(value[key], shape[key], f"{at}.{key}")
    elif not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        yield f"{at}: {value!r}"


def unfit_for_zipkin_go(one: Any) -> Iterator[str]:
    """What its decoder refuses of a span, and of the whole trace with it, beyond types."""
    if not int(one["id"], 16) or len(one["traceId"]) not in (16, 32):
        yield f"an id of {one}"
    yield from (f"{note}" for note in one.get("annotations", []) if note["timestamp"] < 1)
    yield from (f"{tag}: {value!r}" for tag, value in one.get("tags", {}).items() if not isinstance(value, str))
    for side in ("localEndpoint", "remoteEndpoint"):
        endpoint = one.get(side, {})
        yield from (endpoint[kind] for kind in ("ipv4", "ipv6") if kind in endpoint and not is_address(endpoint[kind]))


def is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def asking_of(archive: Archive) -> Asking:
    return Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


def read(reply: Reply, shape: Any) -> Any:
    """The answer, which has to be one that is read whole."""
    assert reply.status == 200, reply.body
    assert list(unreadable(reply.json, shape)) == []
    assert reply.json
    return reply.json


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with archive_in(tmp_path_factory.mktemp("shop")) as archive:
        put_shop(archive)
        yield asking_of(archive)


@pytest.mark.parametrize(("path", "query", "shape"), [rest for _, *rest in REQUESTS], ids=[one[0] for one in REQUESTS])
def test_grafana_reads_what_it_asks_for(shop: Asking, path: str, query: Mapping[str, str], shape: Any) -> None:
    found = read(shop.get(path, query), shape)
    assert found["data"] if "data" in shape else found


def test_a_search_finds_the_trace_that_its_table_shows(shop: Asking) -> None:
    (trace,) = read(shop.get("/api/traces", SEARCH), TRACES)["data"]
    first = min(trace["spans"], key=lambda one: one["startTime"])
    assert (int(trace["traceID"], 16), first["operationName"]) == (1, "POST /checkout")
    assert trace["processes"][first["processID"]]["serviceName"] == "web"


def test_a_time_range_in_milliseconds_tells_where_a_trace_is_looked_for(shop: Asking) -> None:
    hours_ms = 3_600_000
    elsewhere = {"start": str(NOW_MS - 30 * hours_ms), "end": str(NOW_MS - 20 * hours_ms)}
    assert shop.get(f"/api/traces/{ONE}", elsewhere).status == 404


def test_a_time_range_of_version_3_keeps_its_offset_without_escapes(shop: Asking) -> None:
    around = {"start_time": "2026-09-21T15:00:00.5 02:00", "end_time": "2026-09-21T17:00:00 02:00"}
    assert shop.get(f"/api/v3/traces/{ONE}", around).status == 200


def test_nobodys_trace_is_a_404_that_the_panel_names(shop: Asking) -> None:
    assert [shop.get(path).status for path in ("/api/traces/dead", "/api/v2/trace/dead")] == [404, 404]


@pytest.mark.parametrize("service", ["a b", "shop/web", "Zoë"])
def test_a_service_is_asked_for_by_its_name_as_it_is(tmp_path: Path, service: str) -> None:
    """`url.JoinPath` leaves slashes; API Gateway hands on a path without escapes."""
    with archive_in(tmp_path) as archive:
        archive.add(request_of(span("GET /"), service=service))
        assert read(asking_of(archive).get(f"/api/services/{service}/operations"), NAMES)["data"] == ["GET /"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_trace_of_any_source_is_read_whole(tmp_path: Path, source: str) -> None:
    otlp = moved(source, NOW_NS - 10**9)
    with archive_in(tmp_path) as archive:
        archive.add(otlp, received_ns=NOW_NS)
        asking = asking_of(archive)
        spans = 0
        for trace_id in {one.trace_id.hex() for one in spans_of(otlp)}:
            times = {"start": str(FROM_MS), "end": str(NOW_MS)}
            (trace,) = read(asking.get(f"/api/traces/{trace_id}", times), TRACES)["data"]
            assert list(unreadable(list(trace["processes"].values()), [PROCESS])) == []
            zipkin = read(asking.get(f"/api/v2/trace/{trace_id}"), [ZIPKIN_SPAN])
            assert [unfit for one in zipkin for unfit in unfit_for_zipkin_go(one)] == []
            spans += len(zipkin)
    assert spans == len(spans_of(otlp))


def test_an_event_without_a_time_does_not_cost_the_trace(tmp_path: Path) -> None:
    sent = span("GET /")
    sent.events.add(name="retry")
    with archive_in(tmp_path) as archive:
        archive.add(request_of(sent, service="web"))
        (found,) = asking_of(archive).get(f"/api/v2/trace/{sent.trace_id.hex()}").json
    assert found["annotations"] == [{"timestamp": found["timestamp"], "value": "retry"}]
