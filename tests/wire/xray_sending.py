"""Sends segment documents to X-Ray's wire format without AWS, and reads what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.http.request import Request, request_of
from spandrel.wire.formats import Accepted
from spandrel.wire.xray import endpoint as xray
from tests.events import http_event

TRACE_ID = "1-581cf771-a006649127e371903a2de979"
SEGMENT_ID = "70de5b6f19ff9a0a"
START_S, END_S = 1478293361.271, 1478293361.449


def segment(**members: Any) -> dict[str, Any]:
    """A sound segment document with these members besides, or without those that are `...`."""
    sound = {"name": "shop", "id": SEGMENT_ID, "trace_id": TRACE_ID, "start_time": START_S, "end_time": END_S}
    return {key: value for key, value in (sound | members).items() if value is not ...}


def subsegment(**members: Any) -> dict[str, Any]:
    """A sound subsegment, to be embedded."""
    return segment(**{"name": "step", "id": "53995c3f42cd8ad8", "trace_id": ..., **members})


def alone(**members: Any) -> dict[str, Any]:
    """A sound subsegment document, to be sent by itself."""
    return segment(
        **{"name": "step", "id": "53995c3f42cd8ad8", "type": "subsegment", "parent_id": SEGMENT_ID, **members}
    )


def put(*documents: Any, headers: Mapping[str, str] | None = None) -> Request:
    """PutTraceSegments of documents, each an object or a text."""
    texts = [found if isinstance(found, str) else json.dumps(found) for found in documents]
    return put_body(json.dumps({"TraceSegmentDocuments": texts}).encode(), headers)


def put_body(body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST") -> Request:
    named = {"content-type": "application/json", **(headers or {})}
    return request_of(http_event(method, "/TraceSegments", headers=named, body=body))


def spans_of(accepted: Accepted) -> list[Span]:
    return [span for resource in accepted.otlp.resource_spans for scope in resource.scope_spans for span in scope.spans]


def span_of(document: Mapping[str, Any]) -> Span:
    """The first span of a document that is taken."""
    accepted = xray.decode(put(document))
    assert not accepted.refused
    return spans_of(accepted)[0]


def unprocessed(*documents: Any) -> list[dict[str, str]]:
    """UnprocessedTraceSegments of the answer."""
    request = put(*documents)
    response = xray.answer(request, xray.decode(request))
    assert response.status == 200
    found: list[dict[str, str]] = json.loads(response.body)["UnprocessedTraceSegments"]
    return found
