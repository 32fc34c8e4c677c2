"""Jaeger's API from before version 3, as Jaeger UI and Grafana ask it, through the function's own way in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from query.answering import Answering
from tests.archive import Archive
from tests.asking import Asking, Reply
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract.jaeger_answers import asking_jaeger
from tests.contract.jaeger_shop import put_shop

SECOND_NS = 10**9
START_US = RECEIVED_NS // 1000
ONE, TWO = "0000000000000001", "0000000000000002"
RANGE = {"start": str(START_US - 60_000_000), "end": str(START_US + 60_000_000)}
WEB = {"service": "web", **RANGE}


@pytest.fixture
def jaeger(archive: Archive) -> Asking:
    return asking_jaeger(Answering(archive.store, archive.objects, lambda: RECEIVED_NS + 10 * SECOND_NS).answer)


def data(reply: Reply) -> Any:
    """What the envelope holds; it is that of a success."""
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json) == {"data", "total", "limit", "offset", "errors"}
    return reply.json["data"]


def refusal(reply: Reply, status: int = 400) -> str:
    """The one message in the envelope of a refusal."""
    assert reply.status == status
    assert reply.json["data"] is None
    (error,) = reply.json["errors"]
    assert error["code"] == status
    return str(error["msg"])


def trace_ids(reply: Reply) -> list[str]:
    return [trace["traceID"] for trace in data(reply)]


def only_span(archive: Archive, jaeger: Asking, *, raw: bool = False, service: str = "web", **said: Any) -> Any:
    """The only span of the only trace, as the API gives it, with its process."""
    archive.add(request_of(span("GET /cart", **said), service=service))
    (trace,) = data(jaeger.get(f"/api/traces/{ONE}", {"raw": "true"} if raw else None))
    (found,) = trace["spans"]
    return found | {"process": trace["processes"][found["processID"]]}


def values(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in pairs}


def test_services_and_operations_are_listed(archive: Archive, jaeger: Asking) -> None:
    assert data(jaeger.get("/api/services")) == []
    put_shop(archive)
    services = jaeger.get("/api/services")
    assert data(services) == ["cron", "pay", "web"]
    assert services.json["total"] == 3
    assert data(jaeger.get("/api/services/web/operations")) == ["POST /checkout", "charge"]
    assert data(jaeger.get("/api/services/nobody/operations")) == []
    assert data(jaeger.get("/api/operations", {"service": "web", "spanKind": "client"})) == [
        {"name": "charge", "spanKind": "client"}
    ]
    assert refusal(jaeger.get("/api/operations")) == "parameter 'service' is required"


def test_a_service_may_have_a_slash_in_its_name(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(span("a"), service="team/web"))
    assert data(jaeger.get("/api/services/team/web/operations")) == ["a"]


def test_a_trace_has_the_form_that_the_ui_draws(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    (trace,) = data(jaeger.get(f"/api/traces/{ONE}"))
    assert trace["traceID"] == ONE
    assert trace["warnings"] is None
    assert {one["serviceName"] for one in trace["processes"].values()} == {"web", "pay"}
    root, charge, paid = trace["spans"]
    assert root == {
        "traceID": ONE,
        "spanID": root["spanID"],
        "operationName": "POST /checkout",
        "references": [],
        "startTime": START_US,
        "duration": 2000,
        "tags": [
            {"key": "otel.scope.name", "type": "string", "value": "tests"},
            {"key": "user.id", "type": "string", "value": "7"},
            {"key": "span.kind", "type": "string", "value": "server"},
        ],
        "logs": [],
        "processID": "p1",
        "warnings": None,
    }
    assert charge["references"] == [{"refType": "CHILD_OF", "traceID": ONE, "spanID": root["spanID"]}]
    assert charge["processID"] == "p1"
    assert paid["processID"] == "p2"
    assert values(paid["tags"])["error"] is True
    assert values(paid["tags"])["otel.status_code"] == "ERROR"
    assert values(paid["tags"])["otel.status_description"] == "card refused"


def test_tags_have_types(archive: Archive, jaeger: Asking) -> None:
    said = {"t": "é", "b": False, "n": 7, "far": 2**60, "f": 0.5, "x": b"\1", "list": ["a", 1], "map": {"k": [True]}}
    found = only_span(archive, jaeger, attributes=said)
    assert {pair["key"]: (pair["type"], pair["value"]) for pair in found["tags"]}.items() >= {
        "t": ("string", "é"),
        "b": ("bool", False),
        "n": ("int64", 7),
        "far": ("int64", str(2**60)),
        "f": ("float64", 0.5),
        "x": ("binary", "AQ=="),
        "list": ("string", '["a",1]'),
        "map": ("string", '{"k":[true]}'),
    }.items()


@pytest.mark.parametrize("error", ["", False])
def test_a_span_that_failed_is_shown_so_whatever_its_attribute_says(
    archive: Archive, jaeger: Asking, error: str | bool
) -> None:
    failed = Status(code=Status.STATUS_CODE_ERROR)
    archive.add(request_of(span("GET /", attributes={"error": error}, status=failed)))
    (found,) = jaeger.get(f"/api/traces/{ONE}").json["data"][0]["spans"]
    assert {"key": "error", "type": "bool", "value": True} in found["tags"]


def test_an_infinite_number_does_not_break_the_json(archive: Archive, jaeger: Asking) -> None:
    found = only_span(archive, jaeger, attributes={"f": float("inf")})
    assert values(found["tags"])["f"] == "Infinity"


def test_an_event_is_a_log_whose_field_event_is_its_name(archive: Archive, jaeger: Asking) -> None:
    event = Span.Event(time_unix_nano=RECEIVED_NS + 1500, name="exception")
    found = only_span(archive, jaeger, events=[event])
    assert found["logs"] == [
        {"timestamp": START_US + 1, "fields": [{"key": "event", "type": "string", "value": "exception"}]}
    ]


def test_a_link_follows_from(archive: Archive, jaeger: Asking) -> None:
    link = Span.Link(trace_id=bytes(15) + b"\2", span_id=bytes(7) + b"\3")
    found = only_span(archive, jaeger, parent=bytes(7) + b"\4", links=[link])
    assert found["references"] == [
        {"refType": "CHILD_OF", "traceID": ONE, "spanID": "0000000000000004"},
        {"refType": "FOLLOWS_FROM", "traceID": TWO, "spanID": "0000000000000003"},
    ]


def test_a_wide_id_has_32_digits(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(span("a", trace_id=b"\xab" * 16)))
    assert trace_ids(jaeger.get(f"/api/traces/{'AB' * 16}")) == ["ab" * 16]


def test_a_trace_of_nobody_is_not_found_and_a_bad_id_is_refused(jaeger: Asking) -> None:
    assert refusal(jaeger.get("/api/traces/abc"), 404) == "trace not found"
    assert "hex digits" in refusal(jaeger.get("/api/traces/xyz"))
    assert "'start'" in refusal(jaeger.get("/api/traces/1", {"start": "2", "end": "1"}))
    assert "parameter start" in refusal(jaeger.get("/api/traces/1", {"start": "yesterday"}))


def test_a_time_hint_is_in_microseconds(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    assert trace_ids(jaeger.get(f"/api/traces/{ONE}", {"start": str(START_US), "end": str(START_US)})) == [ONE]
    later = {"start": str(START_US + 4 * 3600 * 10**6), "end": str(START_US + 5 * 3600 * 10**6)}
    assert refusal(jaeger.get(f"/api/traces/{ONE}", later), 404)


def test_pretty_print_indents(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    plain, pretty, no = (
        jaeger.get(f"/api/traces/{ONE}", {"prettyPrint": value} if value else None) for value in ("", "true", "false")
    )
    assert pretty.body.startswith(b'{\n    "data"')
    assert pretty.json == plain.json
    assert no.body == plain.body


# What is not raw is drawable.


def put_shared(archive: Archive) -> None:
    """A client and a server that share an id, as Zipkin has it, and a child of the server."""
    shared = bytes(7) + b"\7"
    client = span("call", span_id=shared, parent=bytes(7) + b"\1", kind=Span.SPAN_KIND_CLIENT)
    server = span(
        "serve", span_id=shared, parent=bytes(7) + b"\1", kind=Span.SPAN_KIND_SERVER, start_ns=RECEIVED_NS + 1000
    )
    child = span("query", parent=shared, start_ns=RECEIVED_NS + 2000)
    archive.add(request_of(client, service="web"), request_of(server, child, service="pay"))


def test_a_server_that_shares_its_id_is_drawn_below_the_client(archive: Archive, jaeger: Asking) -> None:
    put_shared(archive)
    (trace,) = data(jaeger.get(f"/api/traces/{ONE}"))
    client, server, child = trace["spans"]
    assert client["spanID"] == "0000000000000007"
    assert client["warnings"] is None
    assert server["spanID"] != client["spanID"]
    assert server["references"][0]["spanID"] == client["spanID"]
    assert child["references"][0]["spanID"] == server["spanID"]
    assert "share" in server["warnings"][0]


def test_raw_is_as_it_was_sent(archive: Archive, jaeger: Asking) -> None:
    put_shared(archive)
    (trace,) = data(jaeger.get(f"/api/traces/{ONE}", {"raw": "true"}))
    assert [one["spanID"] for one in trace["spans"][:2]] == ["0000000000000007"] * 2
    assert [one["references"][0]["spanID"] for one in trace["spans"]][1:] == ["0000000000000001", "0000000000000007"]
    assert {one["warnings"] for one in trace["spans"]} == {None}


def test_a_clock_that_is_off_is_shown_as_it_is(archive: Archive, jaeger: Asking) -> None:
    parent = span("call", kind=Span.SPAN_KIND_CLIENT)
    child = span("serve", parent=parent.span_id, kind=Span.SPAN_KIND_SERVER, start_ns=RECEIVED_NS - 5 * SECOND_NS)
    archive.add(request_of(parent, service="web"), request_of(child, service="pay"))
    (trace,) = data(jaeger.get(f"/api/traces/{ONE}"))
    assert [one["startTime"] for one in trace["spans"]] == [START_US - 5_000_000, START_US]
    assert {one["warnings"] for one in trace["spans"]} == {None}


def test_a_span_without_an_end_lasts_nothing_and_says_so(archive: Archive, jaeger: Asking) -> None:
    found = only_span(archive, jaeger, duration_ns=-RECEIVED_NS)
    assert found["duration"] == 0
    assert found["warnings"] == ["this span came without an end"]


def test_a_span_without_a_start_is_drawn_where_the_trace_begins(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(span("whole"), span("part", start_ns=0, duration_ns=3000)))
    (trace,) = data(jaeger.get(f"/api/traces/{ONE}"))
    part = next(one for one in trace["spans"] if one["operationName"] == "part")
    assert (part["startTime"], part["duration"]) == (START_US, 3)
    assert "without a start" in part["warnings"][0]
    (raw,) = data(jaeger.get(f"/api/traces/{ONE}", {"raw": "true"}))
    assert min(one["startTime"] for one in raw["spans"]) == 0


def test_a_resource_without_a_name_is_called_as_by_jaeger(archive: Archive, jaeger: Asking) -> None:
    request = request_of(span("a"))
    del request.resource_spans[0].resource.attributes[:]
    archive.add(request)
    (trace,) = data(jaeger.get(f"/api/traces/{ONE}"))
    assert trace["processes"] == {"p1": {"serviceName": "OTLPResourceNoServiceName", "tags": []}}


def test_processes_are_told_apart_by_all_their_tags(archive: Archive, jaeger: Asking) -> None:
    for name, host in (("a", "h1"), ("b", "h2"), ("c", "h1")):
        archive.add(request_of(span(name, start_ns=RECEIVED_NS + ord(name)), resource={"host.name": host}))
    (trace,) = data(jaeger.get(f"/api/traces/{ONE}"))
    assert [one["processID"] for one in trace["spans"]] == ["p1", "p2", "p1"]
    assert values(trace["processes"]["p2"]["tags"]) == {"host.name": "h2"}


# Search


def test_a_search_finds_whole_traces_newest_first(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    second = span("POST /checkout", trace_id=bytes(15) + b"\3", start_ns=RECEIVED_NS + SECOND_NS)
    archive.add(request_of(second, service="web"))
    reply = jaeger.get("/api/traces", WEB)
    assert trace_ids(reply) == ["0000000000000003", ONE]
    assert len(data(reply)[1]["spans"]) == 3
    assert trace_ids(jaeger.get("/api/traces", {**WEB, "limit": "1"})) == ["0000000000000003"]


@pytest.mark.parametrize(
    "query",
    [
        {"operation": "charge"},
        {"minDuration": "2ms"},
        {"minDuration": "1.5ms", "maxDuration": "2000µs"},
        {"tags": '{"user.id":"7"}'},
        {"tag": "user.id:7"},
        {"tag": "span.kind:client"},
        {"lookback": "custom", "limit": "20"},
        {"end": str(START_US), "start": str(START_US)},
    ],
    ids=str,
)
def test_what_a_search_asks_for_holds_for_a_span(archive: Archive, jaeger: Asking, query: Mapping[str, str]) -> None:
    put_shop(archive)
    assert trace_ids(jaeger.get("/api/traces", {**WEB, **query})) == [ONE]


@pytest.mark.parametrize(
    "query",
    [
        {"operation": "chargé"},
        {"minDuration": "2001us"},
        {"tags": '{"user.id":"8"}'},
        {"tag": "user.id:7:8"},
        {"tag": "error:true"},
        {"start": str(START_US + 2), "end": str(START_US + 60_000_000)},
    ],
    ids=str,
)
def test_what_does_not_hold_is_not_found(archive: Archive, jaeger: Asking, query: Mapping[str, str]) -> None:
    put_shop(archive)
    assert trace_ids(jaeger.get("/api/traces", {**WEB, **query})) == []


def test_tags_may_be_repeated_and_then_all_hold(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(span("a", attributes={"k": "a:b", "n": 1}), service="web"))
    both = [*WEB.items(), ("tag", "k:a:b"), ("tag", "n:1")]
    assert trace_ids(jaeger.get("/api/traces", both)) == [ONE]
    assert trace_ids(jaeger.get("/api/traces", [*both, ("tags", '{"n":"2"}')])) == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"service": ""}, "parameter 'service' is required"),
        ({"tag": "alone"}, "malformed 'tag' parameter, expecting key:value, received: alone"),
        ({"tags": "{"}, "parameter tags"),
        ({"tags": '{"a":1}'}, "parameter tags"),
        ({"minDuration": "5"}, "parameter minDuration"),
        ({"minDuration": "2s", "maxDuration": "1s"}, "'maxDuration' should be greater than 'minDuration'"),
        ({"limit": "0"}, "parameter limit"),
        ({"limit": "1501"}, "parameter limit"),
        ({"start": "soon"}, "parameter start"),
        ({"end": "-1"}, "parameter end"),
        ({"start": str(START_US), "end": "1"}, "ends before it begins"),
        ({"start": "1"}, "narrow it"),
        ({"tags": json.dumps({str(n): "" for n in range(33)})}, "32 attributes"),
        ({"tag": "error:perhaps"}, "error"),
    ],
    ids=str,
)
def test_what_cannot_be_answered_is_refused(jaeger: Asking, query: Mapping[str, str], told: str) -> None:
    assert told in refusal(jaeger.get("/api/traces", {**WEB, **query}))


def test_without_times_a_search_looks_back_an_hour_or_as_far_as_it_says(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(span("old", start_ns=RECEIVED_NS - 2 * 3600 * SECOND_NS), service="web"))
    assert trace_ids(jaeger.get("/api/traces", {"service": "web"})) == []
    for lookback in ("3h", "2d", "1w"):
        assert trace_ids(jaeger.get("/api/traces", {"service": "web", "lookback": lookback})) == [ONE]
    assert "lookback" in refusal(jaeger.get("/api/traces", {"service": "web", "lookback": "custom"}))


def test_traces_are_found_by_their_ids_alone(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    reply = jaeger.get("/api/traces", [("traceID", TWO), ("traceID", "ff"), ("traceID", "1"), ("traceID", ONE)])
    assert trace_ids(reply) == [TWO, ONE]
    assert reply.json["errors"] == [{"msg": "trace not found", "traceID": "ff"}]
    assert "trace ids" in refusal(jaeger.get("/api/traces", [("traceID", str(n)) for n in range(1, 102)]))


# The other endpoints


def test_dependencies_stand_in_the_envelope(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    query = {"endTs": str(RECEIVED_NS // 10**6 + 60_000), "lookback": "604800000"}
    assert data(jaeger.get("/api/dependencies", query)) == [
        {"parent": "web", "child": "pay", "callCount": 1, "errorCount": 1}
    ]


@pytest.mark.parametrize("ids", [{"spanId": "05"}, {"traceId": "", "spanId": "0000000000000005"}])
def test_spans_with_bad_ids_are_not_transformed(jaeger: Asking, ids: dict[str, str]) -> None:
    sent = {"traceId": f"{1:032x}", "name": "a", **ids}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [sent]}]}]}).encode()
    assert "id" in refusal(jaeger.post("/api/transform", body, content_type="application/json"))


def test_otlp_is_transformed_without_being_stored(archive: Archive, jaeger: Asking) -> None:
    failed = Status(code=Status.STATUS_CODE_ERROR, message="no")
    request = request_of(span("a", status=failed, attributes={"n": 1}), resource={"host.name": "h"})
    sent = MessageToDict(request)
    for found in sent["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        found |= {"traceId": bytes(15).hex() + "01", "spanId": "0000000000000005"}
    (trace,) = data(jaeger.post("/api/transform", json.dumps(sent).encode(), content_type="application/json"))
    (found,) = trace["spans"]
    assert (found["traceID"], found["spanID"], found["duration"]) == (ONE, "0000000000000005", 1000)
    assert values(found["tags"]).items() >= {"n": 1, "error": True, "otel.status_description": "no"}.items()
    assert values(trace["processes"]["p1"]["tags"]) == {"host.name": "h"}
    assert archive.catalogue.kept == {}
    assert data(jaeger.post("/api/transform", b"{}")) == []


@pytest.mark.parametrize(("body", "status"), [(b"[", 400), (b"", 400), (b'{"resourceSpans":3}', 400)])
def test_what_is_no_otlp_is_refused(jaeger: Asking, body: bytes, status: int) -> None:
    assert refusal(jaeger.post("/api/transform", body), status)


def test_each_endpoint_takes_its_method(jaeger: Asking) -> None:
    assert jaeger.get("/api/transform").headers["allow"] == "POST"
    assert jaeger.post("/api/services").headers["allow"] == "GET, HEAD"
    assert "takes POST" in refusal(jaeger.get("/api/transform"), 405)


def test_a_compressed_body_is_refused(jaeger: Asking) -> None:
    assert refusal(jaeger.post("/api/transform", b"{}", content_encoding="gzip"), 415)
