"""Zipkin's requests without AWS, and what becomes of their spans."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.http.request import Request, request_of
from spandrel.wire.zipkin import endpoint as zipkin
from tests.events import http_event

from .sending import spans
from .values import values_of
from .zipkin_back import zipkin_of

V2, V1 = "/api/v2/spans", "/api/v1/spans"
JSON, PROTOBUF, THRIFT = "application/json", "application/x-protobuf", "application/x-thrift"
IDS = {"traceId": "7180c278b62e8f6a216a2aea45d08fc9", "id": "216a2aea45d08fc9"}


def sent(body: bytes, path: str = V2, content_type: str = JSON, **headers: str) -> Request:
    named = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return request_of(http_event("POST", path, headers=named, body=body))


def sent_spans(*found: Any, path: str = V2) -> Request:
    return sent(json.dumps(found).encode(), path)


def one(path: str = V2, **fields: Any) -> Span:
    """The OTLP span of one that has sound ids and these fields besides."""
    (span,) = spans(zipkin.decode(sent_spans(IDS | fields, path=path)))
    return span


def attributes(path: str = V2, **fields: Any) -> dict[str, Any]:
    """Those of `one(path, **fields)`."""
    return values_of(one(path, **fields).attributes)


def back(request: Request) -> list[dict[str, Any]]:
    """What Zipkin's API would give back of the request."""
    return zipkin_of(zipkin.decode(request).otlp)
