"""Sends a request to a wire format without AWS, and reads what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from spandrel.http.request import Request, request_of
from spandrel.http.response import Response
from spandrel.wire.formats import Accepted
from spandrel.wire.otlp import endpoint as otlp
from tests.events import http_event

RECORDINGS = Path(__file__).parent / "recordings"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
ENCODINGS = (PROTOBUF, JSON)


def sent(body: bytes, content_type: str, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request_of(http_event(headers={"content-type": content_type, **named}, body=body))


def sent_json(value: Any) -> Request:
    return sent(json.dumps(value).encode(), JSON)


def recorded(name: str) -> Request:
    """A recorded request, as API Gateway would hand it over."""
    told = json.loads((RECORDINGS / f"{name}.json").read_text())
    body = (RECORDINGS / f"{name}.body").read_bytes()
    headers = {key.lower(): value for key, value in told["headers"]}
    return request_of(http_event(told["method"], told["path"], headers=headers, body=body))


def decoded(request: Request) -> Accepted:
    return otlp.decode(request)


def one_span(**fields: Any) -> dict[str, Any]:
    """An OTLP/JSON request of one sound span with these fields besides."""
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span_json(**fields)]}]}]}


def span_json(**fields: Any) -> dict[str, Any]:
    return {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "a"} | fields


def spans(accepted: Accepted) -> list[Any]:
    return [span for resource in accepted.otlp.resource_spans for scope in resource.scope_spans for span in scope.spans]


def as_json(request: ExportTraceServiceRequest) -> dict[str, Any]:
    """OTLP/JSON, made the slow way: protobuf's own JSON with the ids as OTLP wants them."""
    found = MessageToDict(request, use_integers_for_enums=True)
    for message, told in _spans_and_links(request, found):
        for name, json_name in (("trace_id", "traceId"), ("span_id", "spanId"), ("parent_span_id", "parentSpanId")):
            if json_name in told:
                told[json_name] = getattr(message, name).hex()
    return found


def _spans_and_links(request: Any, found: dict[str, Any]) -> Any:
    for resource, told_resource in zip(request.resource_spans, found.get("resourceSpans", ()), strict=True):
        for scope, told_scope in zip(resource.scope_spans, told_resource.get("scopeSpans", ()), strict=True):
            for span, told_span in zip(scope.spans, told_scope.get("spans", ()), strict=True):
                yield span, told_span
                yield from zip(span.links, told_span.get("links", ()), strict=True)


def status_of(response: Response) -> tuple[int, str]:
    """google.rpc.Status in the body of a refusal: code and message."""
    if response.content_type == PROTOBUF:
        status = Status.FromString(response.body)
        return status.code, status.message
    told = json.loads(response.body)
    assert set(told) == {"code", "message"}
    return told["code"], told["message"]


def partial_success(response: Response) -> tuple[int, str]:
    """Rejected spans and the message of a 200; (0, "") where partial_success is left out."""
    if response.content_type == PROTOBUF:
        partial = ExportTraceServiceResponse.FromString(response.body).partial_success
        return partial.rejected_spans, partial.error_message
    told: Mapping[str, Any] = json.loads(response.body).get("partialSuccess", {})
    return int(told.get("rejectedSpans", 0)), told.get("errorMessage", "")
