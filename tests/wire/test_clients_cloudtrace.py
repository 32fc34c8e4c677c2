"""Google's own library, as users run it: told the address and a key, over REST."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import InvalidOperation
from google.cloud import trace_v1, trace_v2
from google.oauth2.credentials import Credentials
from google.rpc.status_pb2 import Status

from .cloudtrace_sending import NAME, SPAN, TRACE
from .gateway import Gateway, gateway
from .values import attributes

START = datetime(2024, 5, 1, 12, 0, 0, 123_456, tzinfo=UTC)
END = START + timedelta(seconds=1)


@pytest.fixture
def spandrel() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


def options(spandrel: Gateway, **other: str) -> dict[str, Any]:
    return {"api_endpoint": spandrel.url, "api_key": spandrel.key, **other}


def writer(spandrel: Gateway) -> trace_v2.TraceServiceClient:
    return trace_v2.TraceServiceClient(transport="rest", client_options=options(spandrel))


def v2_span(**other: Any) -> trace_v2.Span:
    return trace_v2.Span(
        name=NAME,
        span_id=SPAN,
        display_name=trace_v2.TruncatableString(value="GET /checkout", truncated_byte_count=3),
        start_time=START,
        end_time=END,
        **other,
    )


FULL: dict[str, Any] = {
    "parent_span_id": "00f067aa0ba902b7",
    "attributes": {
        "attribute_map": {
            "/http/status_code": {"int_value": 503},
            "/http/method": {"string_value": {"value": "GET"}},
            "retried": {"bool_value": True},
        },
        "dropped_attributes_count": 2,
    },
    "stack_trace": {
        "stack_frames": {"frame": [{"function_name": {"value": "pay"}, "line_number": 2**53 + 1}]},
        "stack_trace_hash_id": 2**62,
    },
    "time_events": {
        "time_event": [
            {"time": START, "annotation": {"description": {"value": "cache miss"}}},
            {"time": END, "message_event": {"type": "RECEIVED", "id": 9, "compressed_size_bytes": 5}},
        ]
    },
    "links": {"link": [{"trace_id": "a" * 32, "span_id": "b" * 16, "type": "CHILD_LINKED_SPAN"}]},
    "status": Status(code=14, message="overloaded"),
    "same_process_as_parent_span": True,
    "child_span_count": 4,
    "span_kind": "SERVER",
}


def test_version_2_writes_a_batch_with_all_that_a_span_can_say(spandrel: Gateway) -> None:
    writer(spandrel).batch_write_spans(name="projects/shop-1", spans=[v2_span(**FULL)])
    (request,) = spandrel.requests()
    (resource,) = request.resource_spans
    assert attributes(resource.resource) == {"gcp.project_id": "shop-1"}
    (span,) = resource.scope_spans[0].spans
    assert (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN, "00f067aa0ba902b7")
    assert (span.name, span.kind, span.flags) == ("GET /checkout", 2, 0x100)
    assert span.start_time_unix_nano == 1_714_564_800_123_456_000
    assert (span.status.code, span.status.message, span.dropped_attributes_count) == (2, "overloaded", 2)
    assert attributes(span) == {
        "http.response.status_code": 503,
        "http.request.method": "GET",
        "retried": True,
        "cloudtrace.display_name.truncated_byte_count": 3,
        "cloudtrace.child_span_count": 4,
        "cloudtrace.status.code": 14,
        "cloudtrace.stack_trace": (
            '{"stackFrames":{"frame":[{"functionName":{"value":"pay"},"lineNumber":"9007199254740993"}]},'
            '"stackTraceHashId":"4611686018427387904"}'
        ),
    }
    assert [event.name for event in span.events] == ["cache miss", "message"]
    assert attributes(span.events[1]) == {
        "cloudtrace.message_event.type": "RECEIVED",
        "cloudtrace.message_event.id": 9,
        "cloudtrace.message_event.compressed_size_bytes": 5,
    }
    assert attributes(span.links[0]) == {"cloudtrace.link.type": "CHILD_LINKED_SPAN"}


def test_version_2_creates_a_span_and_reads_it_from_the_answer(spandrel: Gateway) -> None:
    sent = v2_span(**FULL)
    assert writer(spandrel).create_span(request=sent) == sent
    assert len(spandrel.requests()) == 1


def test_version_1_patches_traces(spandrel: Gateway) -> None:
    client = trace_v1.TraceServiceClient(transport="rest", client_options=options(spandrel))
    root = trace_v1.TraceSpan(
        span_id=2**64 - 1, name="/checkout", kind="RPC_SERVER", start_time=START, end_time=END, labels={"a": "b"}
    )
    child = trace_v1.TraceSpan(span_id=5, parent_span_id=2**64 - 1, name="db", start_time=START, end_time=END)
    trace = trace_v1.Trace(project_id="shop-1", trace_id=TRACE, spans=[root, child])
    client.patch_traces(project_id="shop-1", traces=trace_v1.Traces(traces=[trace]))
    (request,) = spandrel.requests()
    spans = request.resource_spans[0].scope_spans[0].spans
    assert [(span.name, span.kind) for span in spans] == [("/checkout", 2), ("db", 0)]
    assert spans[1].parent_span_id == spans[0].span_id == b"\xff" * 8


def test_a_refusal_is_the_exception_that_the_library_has_for_it(spandrel: Gateway) -> None:
    with pytest.raises(exceptions.BadRequest, match=r"spans\[1\].spanId cannot be"):
        writer(spandrel).batch_write_spans(name="projects/p", spans=[v2_span(), trace_v2.Span(v2_span(), span_id="x")])
    assert spandrel.requests() == []


def test_a_key_that_does_not_count_is_unauthorized(spandrel: Gateway) -> None:
    client = trace_v2.TraceServiceClient(transport="rest", client_options=options(spandrel, api_key="sp_" + "0" * 64))
    with pytest.raises(exceptions.Unauthorized, match="this API key is not known"):
        client.batch_write_spans(name="projects/p", spans=[v2_span()])


def test_without_a_key_the_library_asks_for_credentials(spandrel: Gateway) -> None:
    """It takes a 401 for a token that has expired."""
    client = trace_v2.TraceServiceClient(
        transport="rest", credentials=AnonymousCredentials(), client_options={"api_endpoint": spandrel.url}
    )
    with pytest.raises(InvalidOperation):
        client.batch_write_spans(name="projects/p", spans=[v2_span()])
    assert {status for _, _, status in spandrel.answered} == {401}


def test_a_key_may_come_as_a_bearer_token(spandrel: Gateway) -> None:
    client = trace_v2.TraceServiceClient(
        transport="rest", credentials=Credentials(spandrel.key), client_options={"api_endpoint": spandrel.url}
    )
    client.batch_write_spans(name="projects/p", spans=[v2_span()])
    assert len(spandrel.requests()) == 1
