"""A span of Cloud Trace v2: what becomes of each of its parts, and of what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spandrel.model.errors import Undecodable

from .cloudtrace_sending import END, SPAN, TRACE, accepted, batch, v2, v2_span
from .sending import spans
from .values import attributes

LONG = {"value": "abc", "truncatedByteCount": 7}


def refused(event: dict[str, Any]) -> str:
    with pytest.raises(Undecodable) as refusal:
        accepted(event)
    return str(refusal.value)


def with_value(value: Any) -> dict[str, Any]:
    return {"attributeMap": {"k": value}}


@pytest.mark.parametrize("field", ["startTime", "endTime"])
def test_a_span_needs_both_its_times(field: str) -> None:
    assert refused(batch(v2_span(**{field: None}))) == f"spans[0].{field} is missing"


def test_a_text_that_was_cut_says_by_how_much() -> None:
    values = {"a": {"stringValue": LONG}, "b": {"stringValue": {"value": "whole"}}, "/http/url": {"stringValue": LONG}}
    found = v2(
        displayName=LONG,
        attributes={"attributeMap": values},
        timeEvents={
            "timeEvent": [{"annotation": {"description": LONG, "attributes": with_value({"stringValue": LONG})}}]
        },
        links={"link": [{"attributes": with_value({"stringValue": LONG})}]},
    )
    assert found.name == "abc"
    assert attributes(found) == {
        "a": "abc",
        "b": "whole",
        "/http/url": "abc",
        "cloudtrace.attributes.truncated_byte_count": {"a": 7, "/http/url": 7},
        "cloudtrace.display_name.truncated_byte_count": 7,
    }
    assert found.events[0].name == "abc"
    assert attributes(found.events[0]) == {
        "k": "abc",
        "cloudtrace.attributes.truncated_byte_count": {"k": 7},
        "cloudtrace.annotation.description.truncated_byte_count": 7,
    }
    assert attributes(found.links[0]) == {"k": "abc", "cloudtrace.attributes.truncated_byte_count": {"k": 7}}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"stringValue": {"value": ""}}, ""),
        ({"stringValue": {}}, ""),
        ({"intValue": "-9223372036854775808"}, -(2**63)),
        ({"intValue": 9223372036854775807}, 2**63 - 1),
        ({"intValue": 0.5}, 0.5),
        ({"intValue": "1e-7"}, 1e-7),
        ({"intValue": "-Infinity"}, float("-inf")),
        ({"boolValue": False}, False),
        ({"intValue": None, "boolValue": True, "fromTheFuture": 1}, True),
        ({"bool_value": True}, True),
        ({"string_value": {"value": "x", "truncated_byte_count": 0}}, "x"),
        ({"intValue": None}, None),
        ({"doubleValue": 1.5}, None),
        ({}, None),
    ],
)
def test_a_value_is_a_text_a_number_or_a_boolean(value: dict[str, Any], read: Any) -> None:
    assert attributes(v2(attributes=with_value(value))) == {"k": read}


@pytest.mark.parametrize(
    "value",
    [
        *[
            None,
            "x",
            1,
            [],
            {"stringValue": "x"},
            {"stringValue": {"value": 1}},
            {"boolValue": "true"},
            {"boolValue": 1},
        ],
        *[{"intValue": "9223372036854775808"}, {"intValue": "x"}, {"intValue": "1."}, {"intValue": True}],
        *[{"intValue": "1_0"}, {"intValue": "1", "boolValue": True}, {"stringValue": {"truncatedByteCount": -1}}],
        *[{"stringValue": {"truncatedByteCount": 2**31}}, {"stringValue": {"truncatedByteCount": "1.5"}}],
    ],
)
def test_any_other_value_is_refused(value: Any) -> None:
    assert refused(batch(v2_span(attributes=with_value(value)))).startswith("spans[0].")


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (None, None, {}),
        ({}, 1, {}),
        ({"code": 0, "message": "fine"}, 1, {}),
        ({"code": 2, "message": "m"}, 2, {}),
        ({"code": 5}, 2, {"cloudtrace.status.code": 5}),
        ({"code": "7"}, 2, {"cloudtrace.status.code": 7}),
        ({"code": -1}, 2, {"cloudtrace.status.code": -1}),
        (
            {"code": 2, "details": [{"@type": "t", "a_b": 1}]},
            2,
            {"cloudtrace.status.details": '[{"@type":"t","a_b":1}]'},
        ),
    ],
)
def test_a_status_says_whether_it_went_well(status: Any, code: int | None, said: dict[str, Any]) -> None:
    found = v2(status=status)
    assert (found.status.code if found.HasField("status") else None) == code
    assert found.status.message == ((status or {}).get("message") or "")
    assert attributes(found) == said


@pytest.mark.parametrize("number", range(6))
def test_a_kind_is_a_name_or_otlps_number(number: int) -> None:
    names = ["SPAN_KIND_UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
    assert v2(spanKind=names[number]).kind == v2(spanKind=number).kind == number


@pytest.mark.parametrize(
    "fields",
    [
        *[{"spanKind": 6}, {"spanKind": "RPC_SERVER"}, {"spanKind": 1.0}, {"status": {"code": "x"}}, {"status": "OK"}],
        *[
            {"status": {"code": 2**31}},
            {"status": {"details": ["x"]}},
            {"childSpanCount": "x"},
            {"childSpanCount": 2**31},
        ],
        *[{"sameProcessAsParentSpan": "true"}, {"sameProcessAsParentSpan": {"value": True}}, {"displayName": "a"}],
        *[{"attributes": [1]}, {"attributes": {"attributeMap": [1]}}, {"attributes": {"droppedAttributesCount": -1}}],
        *[{"timeEvents": [1]}, {"timeEvents": {"timeEvent": {}}}, {"timeEvents": {"timeEvent": [{"time": "now"}]}}],
        *[{"timeEvents": {"timeEvent": [{"annotation": {}, "messageEvent": {}}]}}],
        *[{"timeEvents": {"timeEvent": [{"messageEvent": {"type": "LOST"}}]}}],
        *[{"timeEvents": {"droppedAnnotationsCount": 2**31}}, {"links": {"link": [{"type": 3}]}}, {"links": "x"}],
        *[{"links": {"link": [{"traceId": "x"}]}}, {"links": {"link": [{"spanId": "1"}]}}, {"stackTrace": "x"}],
    ],
    ids=json.dumps,
)
def test_a_part_of_another_shape_is_refused(fields: dict[str, Any]) -> None:
    assert refused(batch(v2_span(**fields)))


def test_dropped_events_of_both_sorts_are_counted_together() -> None:
    found = v2(timeEvents={"droppedAnnotationsCount": 3, "droppedMessageEventsCount": 4})
    assert found.dropped_events_count == 7
    assert attributes(found) == {"cloudtrace.time_events.dropped_message_events_count": 4}


def test_a_stack_trace_is_kept_as_json() -> None:
    frame = {"functionName": {"value": "pay é"}, "lineNumber": "7", "loadModule": {"buildId": {"value": "1"}}}
    sent = {"stackFrames": {"frame": [frame], "droppedFramesCount": 2}, "stackTraceHashId": "-5"}
    (kept,) = attributes(v2(stackTrace=sent)).values()
    assert json.loads(kept) == sent
    snake = {"stack_frames": {"frame": [{"function_name": {"value": "a_b"}}]}, "stack_trace_hash_id": 5}
    camel = {"stackFrames": {"frame": [{"functionName": {"value": "a_b"}}]}, "stackTraceHashId": 5}
    assert json.loads(attributes(v2(stackTrace=snake))["cloudtrace.stack_trace"]) == camel
    assert attributes(v2(stackTrace={})) == attributes(v2(stackTrace=None)) == {}


def test_a_stack_trace_that_was_said_before_is_only_named() -> None:
    found = v2(stackTrace={"stackTraceHashId": "9223372036854775807"})
    assert attributes(found) == {"cloudtrace.stack_trace": '{"stackTraceHashId":"9223372036854775807"}'}


def test_keys_may_be_spelt_as_in_the_proto_file() -> None:
    found = v2(
        parent_span_id="1" * 16,
        span_kind=4,
        same_process_as_parent_span=True,
        attributes={"attribute_map": {"a_b": {"int_value": 1}}, "dropped_attributes_count": 2},
        time_events={"time_event": [{"time": END, "message_event": {"compressed_size_bytes": 3}}]},
        links={"link": [{"trace_id": TRACE, "span_id": SPAN}], "dropped_links_count": 4},
    )
    assert (found.parent_span_id.hex(), found.kind, found.flags) == ("1" * 16, 4, 0x100)
    assert (attributes(found), found.dropped_attributes_count) == ({"a_b": 1}, 2)
    assert attributes(found.events[0])["cloudtrace.message_event.compressed_size_bytes"] == 3
    assert (found.links[0].span_id.hex(), found.dropped_links_count) == (SPAN, 4)


def test_null_is_as_good_as_absent_and_unknown_keys_are_ignored() -> None:
    fields = ("displayName", "attributes", "stackTrace", "timeEvents", "links", "status", "childSpanCount", "spanKind")
    assert v2(**dict.fromkeys(fields), fromTheFuture={"a": 1}) == v2(displayName={})


@pytest.mark.parametrize(
    ("label", "sent", "attribute", "value"),
    [
        ("/http/method", "GET", "http.request.method", "GET"),
        ("/http/status_code", "200", "http.response.status_code", 200),
        ("/http/status_code", 404, "http.response.status_code", 404),
        ("/http/status_code", "0200", "/http/status_code", "0200"),
        ("/http/status_code", "OK", "/http/status_code", "OK"),
        ("/http/status_code", -1, "/http/status_code", -1),
        ("/http/status_code", True, "/http/status_code", True),
        ("/http/url", "https://shop.example/a?b", "url.full", "https://shop.example/a?b"),
        ("/http/url", "/a?b", "/http/url", "/a?b"),
        ("/http/path", "/a", "url.path", "/a"),
        ("/http/path", "/a?b", "/http/path", "/a?b"),
        ("/http/host", "shop.example", "server.address", "shop.example"),
        ("/http/host", "shop.example:8080", "/http/host", "shop.example:8080"),
        ("/http/client_protocol", "https", "url.scheme", "https"),
        ("/http/client_protocol", "HTTP/1.1", "/http/client_protocol", "HTTP/1.1"),
        ("/http/request/size", "0", "http.request.body.size", 0),
        ("/http/response/size", "9223372036854775807", "http.response.body.size", 2**63 - 1),
        ("/http/response/size", "9223372036854775808", "/http/response/size", "9223372036854775808"),
        ("/http/route", "/a/{id}", "http.route", "/a/{id}"),
        ("/http/user_agent", "curl/8", "user_agent.original", "curl/8"),
        ("/http/user_agent", 8, "/http/user_agent", 8),
        ("/error/name", "CardError", "error.type", "CardError"),
        ("/error/message", "no such card", "/error/message", "no such card"),
        ("http.status_code", "200", "http.status_code", "200"),
    ],
)
def test_a_label_gets_the_conventions_name_where_it_means_the_same(
    label: str, sent: Any, attribute: str, value: Any
) -> None:
    field = {str: "stringValue", int: "intValue", bool: "boolValue"}[type(sent)]
    found = attributes(
        v2(attributes={"attributeMap": {label: {field: {"value": sent} if field == "stringValue" else sent}}})
    )
    assert found == {attribute: value}
    assert type(found[attribute]) is type(value)


def test_a_label_keeps_its_name_beside_the_attribute_that_it_would_become() -> None:
    values = {
        "/http/method": {"stringValue": {"value": "GET"}},
        "http.request.method": {"stringValue": {"value": "get"}},
    }
    assert attributes(v2(attributes={"attributeMap": values})) == {"/http/method": "GET", "http.request.method": "get"}


@pytest.mark.parametrize(
    ("label", "service"),
    [
        ("service.name", "cart"),
        ("g.co/r/generic_task/job", "cart"),
        ("g.co/r/gae_instance/module_id", "cart"),
        ("g.co/gae/app/module", "cart"),
        ("g.co/r/k8s_container/container_name", None),
    ],
)
def test_the_service_is_the_best_of_the_attributes_that_name_it(label: str, service: str | None) -> None:
    found = accepted(batch(v2_span(attributes={"attributeMap": {label: {"stringValue": {"value": "cart"}}}})))
    assert attributes(found.otlp.resource_spans[0].resource).get("service.name") == service
    assert attributes(spans(found)[0]) == {label: "cart"}


def test_what_only_looks_like_a_service_name_is_none() -> None:
    sent = {"service.name": {"intValue": "1"}, "g.co/r/generic_task/job": {"stringValue": {"value": ""}}}
    found = accepted(batch(v2_span(attributes={"attributeMap": sent})))
    assert attributes(found.otlp.resource_spans[0].resource) == {"gcp.project_id": "shop-1"}
