"""Cloud Trace v2: what clients send, names and ids, and the two calls that write."""

from __future__ import annotations

from typing import Any

import pytest

from spandrel.model.errors import NotAllowed, NotFound, Undecodable

from .cloudtrace_sending import NAME, SPAN, START, START_NS, TRACE, accepted, batch, create, recorded_event, v2, v2_span
from .sending import spans
from .values import attributes


def refused(event: dict[str, Any]) -> str:
    with pytest.raises(Undecodable) as refusal:
        accepted(event)
    return str(refusal.value)


@pytest.mark.parametrize("name", ["cloudtrace-python-v2", "cloudtrace-python-v2-span"])
def test_what_googles_python_client_sends_arrives_whole(name: str) -> None:
    found = accepted(recorded_event(name))
    (resource,) = found.otlp.resource_spans
    assert attributes(resource.resource) == {"gcp.project_id": "my-proj"}
    (span,) = spans(found)
    assert (span.trace_id.hex(), span.span_id.hex()) == (TRACE, SPAN)
    assert (span.parent_span_id.hex(), span.name, span.kind) == ("00f067aa0ba902b7", "GET /checkout", 2)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (START_NS + 1, START_NS + 10**9)
    assert (span.status.code, span.status.message) == (2, "internal")
    assert span.flags == 0x300
    assert span.dropped_attributes_count == 1
    assert attributes(span) == {
        "b": True,
        "http.request.method": "GET",
        "n": 300,
        "cloudtrace.status.code": 13,
        "cloudtrace.child_span_count": 3,
    }
    miss, message = span.events
    assert (miss.name, miss.time_unix_nano, attributes(miss)) == ("miss", START_NS + 500, {"k": "v"})
    assert (message.name, message.time_unix_nano) == ("message", START_NS + 600)
    assert attributes(message) == {
        "cloudtrace.message_event.type": "SENT",
        "cloudtrace.message_event.id": 7,
        "cloudtrace.message_event.uncompressed_size_bytes": 10,
    }
    (link,) = span.links
    assert (link.trace_id.hex(), link.span_id.hex()) == ("a" * 32, "b" * 16)
    assert attributes(link) == {"cloudtrace.link.type": "PARENT_LINKED_SPAN"}


def test_what_opentelemetrys_exporter_sends_arrives_whole() -> None:
    found = accepted(recorded_event("cloudtrace-otel-python"))
    (resource,) = found.otlp.resource_spans
    assert attributes(resource.resource) == {"service.name": "checkout", "gcp.project_id": "my-proj"}
    select, cut, checkout = spans(found)
    exporter = {"g.co/agent": "opentelemetry-python 1.45.2; google-cloud-trace-exporter 1.15.0"}
    service = {"service.name": "checkout", "service.namespace": "shop", "service.instance.id": "i-1"}
    assert attributes(checkout) == exporter | service | {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.full": "http://shop.example/checkout?id=1",
        "/http/host": "shop.example:8080",
        "url.scheme": "https",
        "http.route": "/checkout",
        "user_agent.original": "curl/8",
        "http.request.body.size": 12,
        "http.response.body.size": 3456,
        "ratio": "0.2500",
        "list": "a,b",
        "ok": True,
        "user.name": "Zoë 💩",
    }
    assert (checkout.kind, checkout.status.code, checkout.parent_span_id) == (2, 1, b"")
    assert [(event.name, attributes(event)) for event in checkout.events] == [("cache.miss", {"key": "k"})]
    (link,) = checkout.links
    assert (link.trace_id.hex(), link.span_id.hex()) == (f"{2**100 + 5:032x}", f"{2**60 + 3:016x}")
    assert attributes(link) == {"why": "retry"}
    assert (select.kind, select.parent_span_id, select.status.code) == (3, checkout.span_id, 2)
    assert select.status.message == "ValueError: no such card"
    assert attributes(select) == exporter | service | {
        "http.request.method": "POST",
        "http.response.status_code": 500,
        "db.query.text": "SELECT 1",
    }
    (event,) = select.events
    assert (event.name, attributes(event)["exception.type"]) == ("exception", "ValueError")
    assert (cut.name, cut.kind, cut.HasField("status")) == ("n" * 1024, 1, False)
    assert attributes(cut) == exporter | service | {"cloudtrace.display_name.truncated_byte_count": 76}


def test_what_opencensus_exporter_for_node_sends_arrives_whole() -> None:
    """Its form, from its source: numbers for enums, every number an intValue, empty lists, a status always."""
    span = v2_span(
        attributes={
            "attributeMap": {
                "/http/path": {"stringValue": {"value": "/cart"}},
                "ratio": {"intValue": "0.25"},
                "huge": {"intValue": "1e+21"},
                "g.co/agent": {"stringValue": {"value": "opencensus-node [0.1.0]"}},
                "g.co/r/k8s_container/pod_name": {"stringValue": {"value": "cart-1"}},
            },
            "droppedAttributesCount": 0,
        },
        timeEvents={
            "timeEvent": [
                {
                    "time": START,
                    "messageEvent": {"id": "1", "type": 2, "uncompressedSizeBytes": "0", "compressedSizeBytes": "0"},
                }
            ],
            "droppedAnnotationsCount": 0,
            "droppedMessageEventsCount": 0,
        },
        links={"link": [{"traceId": TRACE, "spanId": SPAN, "type": 1, "attributes": {"attributeMap": {}}}]},
        status={"code": 0},
        sameProcessAsParentSpan=True,
        childSpanCount=0,
    )
    (found,) = spans(accepted(batch(span)))
    assert attributes(found) == {
        "url.path": "/cart",
        "ratio": 0.25,
        "huge": 1e21,
        "g.co/agent": "opencensus-node [0.1.0]",
        "g.co/r/k8s_container/pod_name": "cart-1",
        "cloudtrace.child_span_count": 0,
    }
    assert (found.status.code, found.flags) == (1, 0x100)
    assert attributes(found.events[0]) == {
        "cloudtrace.message_event.type": "RECEIVED",
        "cloudtrace.message_event.id": 1,
    }
    assert attributes(found.links[0]) == {"cloudtrace.link.type": "CHILD_LINKED_SPAN"}


def test_the_project_is_that_of_the_spans_name() -> None:
    found = accepted(batch(v2_span(name=f"projects/example.com:p/traces/{TRACE}/spans/{SPAN}")))
    assert attributes(found.otlp.resource_spans[0].resource) == {"gcp.project_id": "example.com:p"}


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        SPAN,
        f"projects/p/traces/{TRACE}",
        f"projects//traces/{TRACE}/spans/{SPAN}",
        f"{NAME}/x",
        f"/{NAME}",
        7,
    ],
)
def test_a_name_of_another_form_is_refused(name: Any) -> None:
    assert refused(batch(v2_span(), v2_span(name=name))).startswith("spans[1].name cannot be ")


def test_the_name_says_the_span_id_where_its_own_field_does_not() -> None:
    assert v2(spanId=None).span_id.hex() == v2(spanId="").span_id.hex() == v2(spanId=SPAN.upper()).span_id.hex() == SPAN


def test_a_span_id_that_is_not_the_names_is_refused() -> None:
    assert refused(batch(v2_span(spanId="1" * 16))) == 'spans[0].spanId cannot be "1111111111111111"'


@pytest.mark.parametrize(
    ("trace", "span"),
    [("0" * 32, SPAN), ("1", SPAN), ("g" * 32, SPAN), (TRACE, "0" * 16), (TRACE, "1"), (TRACE, "z" * 16)],
)
def test_a_bad_id_refuses_its_request(trace: str, span: str) -> None:
    bad = v2_span(name=f"projects/p/traces/{trace}/spans/{span}", spanId=span)
    assert refused(batch(v2_span(), bad)).startswith("1 of 2 spans refused: ")


def test_a_parent_of_zeros_is_none_and_one_that_is_no_hex_is_refused() -> None:
    assert v2(parentSpanId="0" * 16).parent_span_id == v2(parentSpanId=None).parent_span_id == b""
    assert "parent span id that is not hex" in refused(batch(v2_span(parentSpanId="x")))


def test_a_created_spans_name_is_that_of_the_path() -> None:
    found = accepted(create(v2_span(name=f"projects/other/traces/{'1' * 32}/spans/{SPAN}")))
    assert attributes(found.otlp.resource_spans[0].resource) == {"gcp.project_id": "shop-1"}
    assert spans(found)[0].trace_id.hex() == TRACE


def test_a_created_span_may_say_its_id_in_the_body_alone() -> None:
    """The path of Google's PHP library."""
    event = create(v2_span(name=None), path=f"/v2/projects/shop-1/traces/{TRACE}/spans")
    assert spans(accepted(event))[0].span_id.hex() == SPAN
    assert "name cannot be" in refused(create(v2_span(spanId=""), path=f"/v2/projects/shop-1/traces/{TRACE}/spans"))


@pytest.mark.parametrize(
    "path",
    [
        "/v2/projects/p/traces",
        "/v2/projects/p/traces:batchwrite",
        "/v2/projects/p/traces:batchWrite/x",
        f"/v2/projects/p/traces/{TRACE}",
        f"/v2/projects/p/traces/{TRACE}/spans/",
        f"/v2/projects/p/traces/{TRACE}/spans/{SPAN}/x",
    ],
)
def test_there_is_nothing_else_under_a_project(path: str) -> None:
    with pytest.raises(NotFound):
        accepted(create(v2_span(), path=path))


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
def test_only_post_writes(method: str) -> None:
    for event in (batch(v2_span(), method=method), create(v2_span(), method=method)):
        with pytest.raises(NotAllowed):
            accepted(event)
