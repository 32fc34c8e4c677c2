"""Zipkin's API as Zipkin Lens and Grafana ask it, through the function's own way in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from query.answering import Answering
from spandrel.wire.zipkin import endpoint as wire
from tests.archive import Archive, archive_in
from tests.asking import Asking, Reply
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.contract.jaeger_shop import put_shop
from tests.contract.zipkin_answers import asking_zipkin
from tests.recorded_traces import moved
from tests.wire.zipkin_sending import sent_spans

SECOND_NS = 10**9
NOW_MS = RECEIVED_NS // 10**6 + 10_000
START_US = RECEIVED_NS // 1000
ONE, TWO = "0000000000000001", "0000000000000002"
TEXT = "text/plain; charset=utf-8"


@pytest.fixture
def zipkin(archive: Archive) -> Asking:
    return asking_zipkin(Answering(archive.store, archive.objects, lambda: NOW_MS * 10**6).answer)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A client where the traces of `put_calls` are, for tests that only ask."""
    with archive_in(tmp_path_factory.mktemp("calls")) as archive:
        put_calls(archive)
        yield asking_zipkin(Answering(archive.store, archive.objects, lambda: NOW_MS * 10**6).answer)


def put(archive: Archive, *spans: Mapping[str, Any]) -> None:
    """Spans as a client of Zipkin sends them."""
    archive.add(wire.decode(sent_spans(*spans)).otlp)


def refusal(reply: Reply, status: int = 400) -> str:
    assert (reply.status, reply.headers["content-type"]) == (status, TEXT)
    return reply.body.decode()


def only_span(archive: Archive, zipkin: Asking, *, service: str = "Web", **said: Any) -> dict[str, Any]:
    """The only span of the only trace, sent as OTLP."""
    archive.add(request_of(span("GET /Cart", **said), service=service, resource=said.pop("resource", None)))
    (found,) = zipkin.get(f"/api/v2/trace/{ONE}").json
    return dict(found)


# Names


def test_names_are_listed_in_small_letters(archive: Archive, zipkin: Asking) -> None:
    assert zipkin.get("/api/v2/services").json == []
    archive.add(request_of(span("GET /Cart"), span("b"), span(""), service="Web"), request_of(span("c"), service="web"))
    put_shop(archive)
    assert zipkin.get("/api/v2/services").json == ["cron", "pay", "web"]
    names = ["b", "c", "charge", "get /cart", "post /checkout"]
    assert zipkin.get("/api/v2/spans", {"serviceName": "WEB"}).json == names
    assert zipkin.get("/api/v2/spans", {"serviceName": "nobody"}).json == []
    assert refusal(zipkin.get("/api/v2/spans")) == "serviceName is required"


def test_remote_services_are_those_that_a_search_finds(calls: Asking) -> None:
    assert calls.get("/api/v2/remoteServices", {"serviceName": "Web"}).json == ["pay"]
    assert calls.get("/api/v2/remoteServices", {"serviceName": "pay"}).json == []
    assert refusal(calls.get("/api/v2/remoteServices")) == "serviceName is required"


def test_remote_services_of_opentelemetry_are_known_too(archive: Archive, zipkin: Asking) -> None:
    call = span("call", kind=Span.SPAN_KIND_CLIENT, attributes={"server.address": "Db"})
    served = span("serve", kind=Span.SPAN_KIND_SERVER, attributes={"server.address": "me"})
    archive.add(request_of(call, served, service="web"))
    assert zipkin.get("/api/v2/remoteServices", {"serviceName": "web"}).json == ["db"]


def test_tags_complete_themselves(calls: Asking) -> None:
    keys = calls.get("/api/v2/autocompleteKeys").json
    assert set(keys) >= {"error", "host.name", "k", "n"}
    assert not any(key.startswith("zipkin.") or key == "service.name" for key in keys)
    assert calls.get("/api/v2/autocompleteValues", {"key": "n"}).json == ["7"]
    assert calls.get("/api/v2/autocompleteValues", {"key": "http.status_code"}).json == ["500"]
    assert calls.get("/api/v2/autocompleteValues", {"key": "host.name"}).json == ["h"]
    assert calls.get("/api/v2/autocompleteValues", {"key": "nobody"}).json == []
    assert refusal(calls.get("/api/v2/autocompleteValues")) == "key is required"


def test_what_was_noted_about_a_span_of_jaeger_is_no_tag(archive: Archive, zipkin: Asking) -> None:
    archive.add(moved("jaeger-client-node", RECEIVED_NS))
    assert "peer.service" in zipkin.get("/api/v2/autocompleteKeys").json
    assert not any(key.startswith("jaeger.") for key in zipkin.get("/api/v2/autocompleteKeys").json)


# One trace and several


def test_what_came_by_zipkin_goes_back_as_it_came(archive: Archive, zipkin: Asking) -> None:
    told = {
        "traceId": "5af7183fb1d4cf5f",
        "parentId": "6b221d5bc9e6496c",
        "id": "352bff9a74ca9ad2",
        "kind": "CLIENT",
        "name": "get /api",
        "timestamp": START_US,
        "duration": 207_000,
        "localEndpoint": {"serviceName": "frontend", "ipv4": "192.168.99.1", "port": 3306},
        "remoteEndpoint": {"serviceName": "backend", "ipv6": "2001:db8::c001", "port": 58648},
        "annotations": [{"timestamp": START_US + 5, "value": "ws"}, {"timestamp": START_US + 7, "value": "wr"}],
        "tags": {"http.path": "/api", "http.status_code": "500", "error": ""},
        "debug": True,
    }
    put(archive, told)
    assert zipkin.get("/api/v2/trace/5af7183fb1d4cf5f").json == [told]


def test_a_shared_span_goes_back_as_two(archive: Archive, zipkin: Asking) -> None:
    client = {
        "traceId": "1" * 16,
        "id": "2" * 16,
        "kind": "CLIENT",
        "timestamp": START_US,
        "duration": 9,
        "localEndpoint": {"serviceName": "web"},
    }
    server = {**client, "kind": "SERVER", "localEndpoint": {"serviceName": "pay"}, "shared": True}
    put(archive, client, server)
    found = zipkin.get(f"/api/v2/trace/{'1' * 16}").json
    assert sorted(found, key=lambda span: span["kind"]) == [client, server]


def test_64_bits_and_128_bits_are_two_traces(archive: Archive, zipkin: Asking) -> None:
    for trace_id in ("1" * 16, "2" * 16 + "1" * 16):
        put(archive, {"traceId": trace_id, "id": "3", "timestamp": START_US})
    for trace_id in ("1" * 16, "2" * 16 + "1" * 16):
        (found,) = zipkin.get(f"/api/v2/trace/{trace_id}").json
        assert found["traceId"] == trace_id
    (found,) = zipkin.get(f"/api/v2/trace/{'0' * 16}{'1' * 16}").json
    assert found["traceId"] == "1" * 16


def test_an_id_may_be_spelt_in_any_way(archive: Archive, zipkin: Asking) -> None:
    put(archive, {"traceId": "ab" * 16, "id": "3", "timestamp": START_US})
    for text in ("AB" * 16, f"00-{'ab' * 16}-0000000000000003-01", f"{'ab' * 16}/3;o=1", f" {'ab' * 16} "):
        assert len(zipkin.get(f"/api/v2/trace/{text}").json) == 1


@pytest.mark.parametrize("text", ["0x1", "xyz", "1" * 33, "0"])
def test_what_is_no_id_is_refused_as_by_zipkin(zipkin: Asking, text: str) -> None:
    assert refusal(zipkin.get(f"/api/v2/trace/{text}")) == f"{text} should be lower-hex encoded with no prefix"


def test_a_trace_of_nobody_is_not_found(zipkin: Asking) -> None:
    assert refusal(zipkin.get("/api/v2/trace/abc"), 404) == "abc not found"


def test_many_traces_are_those_that_are_there(archive: Archive, zipkin: Asking) -> None:
    put_shop(archive)
    found = zipkin.get("/api/v2/traceMany", {"traceIds": f"{TWO},ff,{ONE}"}).json
    assert [trace[0]["traceId"] for trace in found] == [TWO, ONE]
    assert zipkin.get("/api/v2/traceMany", {"traceIds": "fe,ff"}).json == []


@pytest.mark.parametrize(
    ("trace_ids", "told"),
    [
        ("", "traceIds parameter is empty"),
        ("1", "Use /api/v2/trace/{traceId} endpoint to retrieve a single trace"),
        ("1,2,1", "redundant traceId: 1"),
        ("1,0001", "redundant traceId: 0001"),
        ("1,Z", "Z should be lower-hex encoded with no prefix"),
        ("1,", " should be lower-hex encoded with no prefix"),
        (",".join(map(str, range(100_000, 100_101))), "traceIds takes 100 ids, not 101"),
    ],
    ids=["empty", "single", "twice", "twice, spelt differently", "no id", "nothing", "too many"],
)
def test_many_traces_are_refused_as_by_zipkin(zipkin: Asking, trace_ids: str, told: str) -> None:
    assert refusal(zipkin.get("/api/v2/traceMany", {"traceIds": trace_ids})) == told


# Search


def put_calls(archive: Archive) -> None:
    """A trace of two services, another of one of them, and one of OpenTelemetry's."""
    web, pay = {"serviceName": "web"}, {"serviceName": "pay"}
    call = {"traceId": "a", "id": "1", "kind": "CLIENT", "name": "Post", "timestamp": START_US, "duration": 5000}
    put(
        archive,
        {**call, "localEndpoint": web, "remoteEndpoint": pay, "tags": {"http.status_code": "500", "error": "no"}},
        {
            **call,
            "id": "2",
            "parentId": "1",
            "kind": "SERVER",
            "name": "charge",
            "timestamp": START_US + 1000,
            "duration": 3000,
            "localEndpoint": pay,
            "annotations": [{"timestamp": START_US + 1500, "value": "retry"}],
        },
        {
            **call,
            "traceId": "b",
            "id": "3",
            "timestamp": START_US + 2_000_000,
            "localEndpoint": web,
            "tags": {"k": "a=b"},
        },
    )
    otlp = span(
        "Sweep (daily)",
        trace_id=bytes(15) + b"\x0c",
        start_ns=RECEIVED_NS + SECOND_NS,
        duration_ns=7_000_400,
        status=Status(code=Status.STATUS_CODE_ERROR, message="disk full"),
        attributes={"n": 7},
        kind=Span.SPAN_KIND_CLIENT,
    )
    archive.add(request_of(otlp, service="Cron.1", resource={"host.name": "h"}))


A, B, C = (f"{digit:0>16}" for digit in "abc")


def found_ids(zipkin: Asking, query: Mapping[str, str]) -> list[str]:
    reply = zipkin.get("/api/v2/traces", {"endTs": str(NOW_MS), **query})
    assert reply.status == 200, reply.body
    return [trace[0]["traceId"] for trace in reply.json]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [B, C, A]),
        ({"limit": "2"}, [B, C]),
        ({"serviceName": "web"}, [B, A]),
        ({"serviceName": "WEB", "spanName": "POST"}, [B, A]),
        ({"serviceName": "all", "spanName": "all"}, [B, C, A]),
        ({"serviceName": "cron.1"}, [C]),
        ({"serviceName": "cronx1"}, []),
        ({"spanName": "sweep (daily)"}, [C]),
        ({"spanName": "charge"}, [A]),
        ({"serviceName": "web", "spanName": "charge"}, []),
        ({"remoteServiceName": "Pay"}, [A]),
        ({"serviceName": "pay", "remoteServiceName": "pay"}, []),
        ({"annotationQuery": "retry"}, [A]),
        ({"annotationQuery": "retry and http.status_code=500"}, [A]),
        ({"annotationQuery": "retry and http.status_code=500", "serviceName": "pay"}, []),
        ({"annotationQuery": "http.status_code"}, [A]),
        ({"annotationQuery": "http.status_code=50"}, []),
        ({"annotationQuery": "error"}, [C, A]),
        ({"annotationQuery": "error=no"}, [A]),
        ({"annotationQuery": "error=disk full"}, [C]),
        ({"annotationQuery": "error="}, [C, A]),
        ({"annotationQuery": "otel.status_code=ERROR"}, [C, A]),
        ({"annotationQuery": "otel.scope.name=tests and otel.library.name"}, [C]),
        ({"annotationQuery": "k=a=b"}, [B]),
        ({"annotationQuery": "n=7 and host.name=h"}, [C]),
        ({"annotationQuery": "n and n=8"}, []),
        ({"annotationQuery": " and "}, [B, C, A]),
        ({"minDuration": "5000"}, [B, C, A]),
        ({"minDuration": "5001"}, [C]),
        ({"minDuration": "3000", "maxDuration": "3000"}, [A]),
        ({"minDuration": "7000", "maxDuration": "7000"}, [C]),
        ({"minDuration": "3000", "maxDuration": "3000", "serviceName": "web"}, []),
        ({"lookback": "1"}, []),
        ({"endTs": str(START_US // 1000), "lookback": "1"}, [A]),
        ({"endTs": str(START_US // 1000 + 1000), "lookback": "1000"}, [C, A]),
    ],
    ids=str,
)
def test_a_search_finds_what_zipkin_would(calls: Asking, query: Mapping[str, str], found: list[str]) -> None:
    assert found_ids(calls, query) == found


def test_a_trace_is_found_whole(calls: Asking) -> None:
    (trace,) = calls.get("/api/v2/traces", {"endTs": str(NOW_MS), "annotationQuery": "retry"}).json
    assert [span["name"] for span in trace] == ["post", "charge"]


def test_a_duration_beyond_what_a_span_can_last_finds_nothing_and_bounds_nothing(calls: Asking) -> None:
    longest = str(10**19 - 1)
    assert calls.get("/api/v2/traces", {"minDuration": longest}).json == []
    assert calls.get("/api/v2/traces", {"minDuration": "1", "maxDuration": longest}).json != []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"endTs": "0"}, "endTs <= 0"),
        ({"lookback": "0"}, "lookback <= 0"),
        ({"limit": "0"}, "limit <= 0"),
        ({"limit": "1501"}, "limit > 1500"),
        ({"limit": "ten"}, "limit is no number: ten"),
        ({"minDuration": "-1"}, "minDuration <= 0"),
        ({"maxDuration": "1"}, "maxDuration is only valid with minDuration"),
        ({"minDuration": "2", "maxDuration": "1"}, "maxDuration < minDuration"),
        ({"lookback": str(32 * 86_400_000)}, "the time range is 768 hours long"),
        ({"annotationQuery": " and ".join(map(str, range(33)))}, "annotationQuery takes 32 terms, not 33"),
        ({"annotationQuery": "w3c.tracestate=a"}, "annotationQuery cannot ask for w3c.tracestate"),
        ({"annotationQuery": "otel.dropped_links_count"}, "annotationQuery cannot ask for otel.dropped_links_count"),
    ],
    ids=str,
)
def test_a_search_that_makes_no_sense_is_refused(zipkin: Asking, query: Mapping[str, str], told: str) -> None:
    assert refusal(zipkin.get("/api/v2/traces", query)).startswith(told)


def test_no_tenant_finds_anything_of_another(archive: Archive, zipkin: Asking) -> None:
    put_shop(archive, "rival")
    assert found_ids(zipkin, {}) == []
    assert zipkin.get("/api/v2/services").json == []


# What came otherwise, as OpenTelemetry has it


def test_a_span_of_opentelemetry_is_one_of_zipkins(archive: Archive, zipkin: Asking) -> None:
    events = [
        Span.Event(time_unix_nano=RECEIVED_NS + 2000, name="retry", attributes=[key_value("n", 1)]),
        Span.Event(time_unix_nano=RECEIVED_NS + 1000, name="start"),
    ]
    found = only_span(
        archive,
        zipkin,
        kind=Span.SPAN_KIND_SERVER,
        parent=bytes(7) + b"\2",
        attributes={"http.route": "/cart", "n": 7, "ok": True, "list": ["a", 1]},
        events=events,
        trace_state="a=b",
    )
    assert found == {
        "traceId": ONE,
        "parentId": "0000000000000002",
        "id": found["id"],
        "kind": "SERVER",
        "name": "get /cart",
        "timestamp": START_US,
        "duration": 1000,
        "localEndpoint": {"serviceName": "web"},
        "annotations": [
            {"timestamp": START_US + 1, "value": "start"},
            {"timestamp": START_US + 2, "value": '"retry":{"n":1}'},
        ],
        "tags": {
            "http.route": "/cart",
            "n": "7",
            "ok": "true",
            "list": '["a",1]',
            "otel.scope.name": "tests",
            "otel.library.name": "tests",
            "w3c.tracestate": "a=b",
        },
    }


def test_a_failure_is_the_tag_error(archive: Archive, zipkin: Asking) -> None:
    tags = only_span(archive, zipkin, status=Status(code=Status.STATUS_CODE_ERROR, message="boom"))["tags"]
    assert (tags["error"], tags["otel.status_code"]) == ("boom", "ERROR")


def test_a_failure_without_a_message_is_the_tag_error_too(archive: Archive, zipkin: Asking) -> None:
    assert only_span(archive, zipkin, status=Status(code=Status.STATUS_CODE_ERROR))["tags"]["error"] == ""


def test_an_error_that_is_none_does_not_look_like_one(archive: Archive, zipkin: Asking) -> None:
    assert "error" not in only_span(archive, zipkin, attributes={"error": False})["tags"]


def test_a_resource_says_its_attributes_as_tags(archive: Archive, zipkin: Asking) -> None:
    archive.add(request_of(span("a", attributes={"k": "span"}), resource={"k": "resource", "host.name": "h"}))
    (found,) = zipkin.get(f"/api/v2/trace/{ONE}").json
    assert found["tags"].items() >= {"k": "span", "host.name": "h"}.items()
    assert "service.name" not in found["tags"]


@pytest.mark.parametrize(
    ("attributes", "remote"),
    [
        ({"service.peer.name": "Db", "network.peer.address": "10.0.0.1", "network.peer.port": 5432},
         {"serviceName": "db", "ipv4": "10.0.0.1", "port": 5432}),
        ({"peer.service": "db", "server.address": "db.internal"}, {"serviceName": "db"}),
        ({"server.address": "db", "network.peer.address": "::1"}, {"serviceName": "db", "ipv6": "::1"}),
        ({"db.namespace": "shop"}, {"serviceName": "shop"}),
        ({"network.peer.address": "/tmp/socket", "network.peer.port": 0}, None),
        ({}, None),
    ],
    ids=str,
)  # fmt: skip
def test_the_other_side_of_a_call_is_the_remote_endpoint(
    archive: Archive, zipkin: Asking, attributes: dict[str, Any], remote: dict[str, Any] | None
) -> None:
    call = span("call", kind=Span.SPAN_KIND_CLIENT, attributes=attributes)
    archive.add(request_of(call, resource={"telemetry.sdk.name": "opentelemetry"}))
    (found,) = zipkin.get(f"/api/v2/trace/{ONE}").json
    assert found.get("remoteEndpoint") == remote
    if remote is None:
        assert found["tags"].items() >= {key: str(value) for key, value in attributes.items()}.items()


def test_no_remote_endpoint_is_made_up_for_what_came_by_zipkin(archive: Archive, zipkin: Asking) -> None:
    told = {"traceId": "1" * 16, "id": "2" * 16, "kind": "CLIENT", "timestamp": 1, "tags": {"peer.service": "db"}}
    put(archive, told)
    assert zipkin.get(f"/api/v2/trace/{'1' * 16}").json == [told]


def test_a_span_that_took_any_time_took_a_microsecond(archive: Archive, zipkin: Asking) -> None:
    assert only_span(archive, zipkin, duration_ns=400)["duration"] == 1


def test_a_span_that_took_none_says_nothing_of_it(archive: Archive, zipkin: Asking) -> None:
    assert "duration" not in only_span(archive, zipkin, duration_ns=0)


# Links


def test_links_leave_out_that_nothing_failed(archive: Archive, zipkin: Asking) -> None:
    put_shop(archive)
    calls = [span("ask", kind=Span.SPAN_KIND_CLIENT, trace_id=bytes(15) + b"\5")]
    calls.append(span("serve", kind=Span.SPAN_KIND_SERVER, trace_id=bytes(15) + b"\5", parent=calls[0].span_id))
    archive.add(request_of(calls[0], service="Web"), request_of(calls[1], service="cron"))
    query = {"endTs": str(NOW_MS), "lookback": "604800000"}
    assert zipkin.get("/api/v2/dependencies", query).json == [
        {"parent": "web", "child": "cron", "callCount": 1},
        {"parent": "web", "child": "pay", "callCount": 1, "errorCount": 1},
    ]
    assert zipkin.get("/api/v2/dependencies", {"endTs": "86400000"}).json == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({}, "endTs is required"),
        ({"endTs": "0"}, "endTs <= 0"),
        ({"endTs": "-5"}, "endTs <= 0"),
        ({"endTs": "1", "lookback": "0"}, "lookback <= 0"),
        ({"endTs": "now"}, "endTs is no number: now"),
        ({"endTs": "9" * 30}, "endTs is no number"),
    ],
    ids=str,
)
def test_links_are_refused_as_by_zipkin(zipkin: Asking, query: Mapping[str, str], told: str) -> None:
    assert refusal(zipkin.get("/api/v2/dependencies", query)).startswith(told)


# Lens


def test_lens_finds_everything_below_zipkin(archive: Archive, zipkin: Asking) -> None:
    put_shop(archive)
    config = zipkin.get("/zipkin/config.json").json
    assert (config["searchEnabled"], config["queryLimit"], config["defaultLookback"]) == (True, 10, 86_400_000)
    for path in ("/api/v2/services", "/api/v2/spans", f"/api/v2/trace/{ONE}", "/api/v2/dependencies"):
        query = {"serviceName": "web", "endTs": str(NOW_MS)}
        assert zipkin.get(f"/zipkin{path}", query).body == zipkin.get(path, query).body


def test_what_is_not_there_is_told_as_text(zipkin: Asking) -> None:
    for path in ("/zipkin/", "/zipkin/api/v2/x", "/api/v2/x"):
        assert "nothing at" in refusal(zipkin.get(path), 404)
    assert "takes GET" in refusal(zipkin.post("/api/v2/services"), 405)


@pytest.mark.parametrize(
    ("context", "status"), [({"refusal": "no-key"}, 401), ({"tenant": "shop", "scopes": "ingest", "key": "sdk"}, 403)]
)
def test_nobody_reads_without_a_key_that_may(zipkin: Asking, context: Mapping[str, str], status: int) -> None:
    for path in ("/api/v2/services", "/zipkin/api/v2/services", "/zipkin/config.json"):
        assert refusal(zipkin.get(path, context=context), status)


def test_an_answer_is_json(archive: Archive, zipkin: Asking) -> None:
    put_shop(archive)
    reply = zipkin.get(f"/api/v2/trace/{ONE}")
    assert reply.headers["content-type"] == "application/json"
    assert len(json.loads(reply.body)) == 3
