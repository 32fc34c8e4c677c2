"""Recordings of X-Ray's clients, whole and damaged, through `receive`: from API Gateway's event to the queued OTLP."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from receive.receiver import Receiver
from spandrel.http.identity import context_of_refusal
from tests.builders import RECEIVED_NS
from tests.events import KNOWN, http_event

from .sending import RECORDINGS

SEGMENTS = (RECORDINGS / "xray-boto3-segments.body").read_bytes()
TELEMETRY = (RECORDINGS / "xray-boto3-telemetry.body").read_bytes()
DOCUMENTS: list[str] = json.loads(SEGMENTS)["TraceSegmentDocuments"]


class Queued(list[tuple[str, ExportTraceServiceRequest]]):
    """`spandrel.model.catalogue.Queue` in memory."""

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        assert received_ns == RECEIVED_NS
        self.extend((tenant, ExportTraceServiceRequest.FromString(body)) for body in bodies)


def received(
    body: bytes, path: str = "/TraceSegments", method: str = "POST", context: dict[str, str] | None = None
) -> tuple[dict[str, Any], Queued]:
    """What the client is told, and what is queued."""
    queued = Queued()
    headers = {"content-type": "application/json"}
    event = http_event(method, path, headers=headers, body=body, context=KNOWN if context is None else context)
    return Receiver(queued, lambda: RECEIVED_NS).answer(event), queued


def test_what_boto3_sends_is_queued_and_acknowledged() -> None:
    answer, ((tenant, request),) = received(SEGMENTS)
    assert (answer["statusCode"], answer["body"]) == (200, '{"UnprocessedTraceSegments": []}')
    assert tenant == "shop"
    found = {
        (pair.value.string_value, len(resource_spans.scope_spans[0].spans))
        for resource_spans in request.resource_spans
        for pair in resource_spans.resource.attributes
        if pair.key == "service.name"
    }
    # The 31 that the SDK streamed before their segment have its service, and a resource of less.
    assert found == {("checkout-xray", 4), ("streaming-xray", 31), ("streaming-xray", 15), ("backend-xray", 1)}


def test_what_boto3_sends_of_telemetry_is_acknowledged_and_not_queued() -> None:
    answer, queued = received(TELEMETRY, "/TelemetryRecords")
    assert (answer["statusCode"], answer["body"], queued) == (200, "{}", [])


@pytest.mark.parametrize("path", ["/TraceSegments", "/TelemetryRecords"])
def test_who_is_not_known_gets_x_rays_error(path: str) -> None:
    answer, queued = received(SEGMENTS, path, context=context_of_refusal("no-key"))
    assert (answer["statusCode"], answer["headers"]["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")
    assert queued == []


@pytest.mark.parametrize("path", ["/TraceSegments", "/TelemetryRecords"])
def test_another_method_gets_x_rays_error(path: str) -> None:
    answer, _ = received(b"", path, "GET")
    assert (answer["statusCode"], answer["headers"]["x-amzn-errortype"]) == (405, "UnknownOperationException")


BYTES = st.sampled_from(
    [b"", b"{", b"}", b"[", b'"', b"\\", b"\\u", b"\\ud800", b"\0", b"\xff", b"1e999", b"-", b"null"]
)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A body with some bytes gone, others in their place, or the rest missing."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(whole)))
        gone = draw(st.sampled_from([0, 1, 2, 5, len(whole)]))
        whole = whole[:start] + draw(BYTES) + whole[start + gone :]
    return whole


@given(damaged(SEGMENTS))
def test_a_damaged_call_is_answered(body: bytes) -> None:
    expect_sound_answer(body)


@given(st.sampled_from(DOCUMENTS[:1] + DOCUMENTS[-2:]).flatmap(lambda text: damaged(text.encode())))
def test_a_damaged_document_is_taken_or_named(document: bytes) -> None:
    text = document.decode("utf-8", "replace")
    answer, queued = expect_sound_answer(json.dumps({"TraceSegmentDocuments": [text, DOCUMENTS[1]]}).encode())
    assert answer["statusCode"] == 200
    assert queued, "the sound document beside it is taken"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def misshapen(draw: st.DrawFn) -> dict[str, Any]:
    """A recorded document in which some member, however deep, is something else."""
    document: dict[str, Any] = json.loads(draw(st.sampled_from([DOCUMENTS[0], DOCUMENTS[1], DOCUMENTS[-2]])))
    for _ in range(draw(st.integers(1, 3))):
        into: Any = document
        while True:
            keys = list(into) if isinstance(into, dict) else range(len(into))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(into[key], dict | list) or draw(st.integers(0, 3)) == 0:
                into[key] = draw(JSON)
                break
            into = into[key]
    return document


@given(misshapen())
def test_a_misshapen_document_is_taken_or_named(document: dict[str, Any]) -> None:
    answer, queued = expect_sound_answer(json.dumps({"TraceSegmentDocuments": [json.dumps(document)]}).encode())
    assert answer["statusCode"] == 200
    assert len(json.loads(answer["body"])["UnprocessedTraceSegments"]) + len(queued) == 1


def expect_sound_answer(body: bytes) -> tuple[dict[str, Any], Queued]:
    """Taken, or refused in the form that X-Ray's clients read; never broken off."""
    answer, queued = received(body)
    told = json.loads(answer["body"])
    if answer["statusCode"] == 200:
        assert all({"ErrorCode", "Message"} <= found.keys() for found in told["UnprocessedTraceSegments"])
    else:
        assert answer["statusCode"] == 400
        assert answer["headers"]["x-amzn-errortype"] == "InvalidRequestException"
        assert told["Message"]
    return answer, queued
