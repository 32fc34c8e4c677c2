"""Requests of Cloud Trace's clients, as API Gateway hands them over, and the smallest sound ones."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.http.request import request_of
from spandrel.wire.cloudtrace import v1 as cloudtrace_v1
from spandrel.wire.cloudtrace import v2 as cloudtrace_v2
from spandrel.wire.formats import Accepted
from tests.events import http_event

from .sending import JSON, RECORDINGS, spans

V1, V2 = "/v1/projects/{project}/traces", "/v2/projects/{project}/{proxy+}"
TRACE, SPAN = "382d4f4c6b7bb2f4a972559d9085001d", "1e9abfdb5c1f4a94"
NAME = f"projects/shop-1/traces/{TRACE}/spans/{SPAN}"
START, END = "2024-05-01T12:00:00Z", "2024-05-01T12:00:01.5Z"
START_NS = 1_714_564_800 * 10**9

Event = dict[str, Any]


def v1_span(**fields: Any) -> dict[str, Any]:
    return {"spanId": "7", "name": "a", "startTime": START, "endTime": END} | fields


def v2_span(**fields: Any) -> dict[str, Any]:
    return {"name": NAME, "spanId": SPAN, "displayName": {"value": "a"}, "startTime": START, "endTime": END} | fields


def patch(*traced: Any, **other: Any) -> Event:
    """PatchTraces of one trace of these spans."""
    return patch_of({"traces": [{"projectId": "shop-1", "traceId": TRACE, "spans": list(traced)}]}, **other)


def patch_of(body: Any, path: str = "/v1/projects/shop-1/traces", **other: Any) -> Event:
    return _event("PATCH", path, V1, body, **other)


def batch(*written: Any, **other: Any) -> Event:
    """BatchWriteSpans of these spans."""
    return batch_of({"spans": list(written)}, **other)


def batch_of(body: Any, **other: Any) -> Event:
    return _event("POST", "/v2/projects/shop-1/traces:batchWrite", V2, body, **other)


def create(span: Any, path: str = f"/v2/{NAME}", **other: Any) -> Event:
    """CreateSpan."""
    return _event("POST", path, V2, span, **other)


def _event(verb: str, path: str, route: str, body: Any, **other: Any) -> Event:
    method = other.pop("method", verb)
    headers = {"content-type": JSON, **other.pop("headers", {})}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http_event(method, path, route_key=f"{method} {route}", headers=headers, body=sent, **other)


def recorded_event(name: str) -> Event:
    told = json.loads((RECORDINGS / f"{name}.json").read_text())
    path, _, query = told["path"].partition("?")
    headers = {key.lower(): value for key, value in told["headers"]}
    body = (RECORDINGS / f"{name}.body").read_bytes()
    route_key = f"{told['method']} {V1 if path.startswith('/v1/') else V2}"
    return http_event(told["method"], path, route_key=route_key, headers=headers, query=query, body=body)


def accepted(event: Event) -> Accepted:
    wire = cloudtrace_v1 if event["routeKey"].endswith(V1) else cloudtrace_v2
    return wire.decode(request_of(event))


def v1(**fields: Any) -> Span:
    """The one span of v1 that has these fields besides those that it needs."""
    (span,) = spans(accepted(patch(v1_span(**fields))))
    return span


def v2(**fields: Any) -> Span:
    """The one span of v2 that has these fields besides those that it needs."""
    (span,) = spans(accepted(batch(v2_span(**fields))))
    return span
