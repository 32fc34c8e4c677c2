"""Datadog's payloads for tests, and what became of their spans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.http.request import Request, request_of
from spandrel.wire.datadog import endpoint as datadog
from tests.events import http_event

from .sending import spans

V04, V05 = "/v0.4/traces", "/v0.5/traces"
MSGPACK = "application/msgpack"
RECORDED = ("datadog-python-v04", "datadog-python-v04-events", "datadog-python-v05")
SPAN = {
    "service": "shop",
    "name": "web.request",
    "resource": "GET /cart",
    "trace_id": 3,
    "span_id": 2**64 - 1,
    "parent_id": 0,
    "start": 1_790_000_000 * 10**9,
    "duration": 1500,
    "error": 0,
    "meta": {},
    "metrics": {},
    "type": "",
}

Encode = Callable[[list[list[dict[str, Any]]]], Request]


def as_v04(traces: list[list[dict[str, Any]]]) -> Request:
    return sent(V04, msgpack.packb(traces))


def as_v05(traces: list[list[dict[str, Any]]]) -> Request:
    texts: dict[str, int] = {}

    def number(text: str) -> int:
        return texts.setdefault(text, len(texts))

    def told(value: Any) -> Any:
        match value:
            case str():
                return number(value)
            case dict():
                return {number(key): told(inner) for key, inner in value.items()}
            case _:
                return value

    listed = [[[told((SPAN | span)[field]) for field in SPAN] for span in trace] for trace in traces]
    return sent(V05, msgpack.packb([list(texts), listed]))


BOTH = pytest.mark.parametrize("encode", [as_v04, as_v05])


def sent(path: str, body: bytes, content_type: str = MSGPACK, method: str = "PUT", **headers: str) -> Request:
    return request_of(http_event(method, path, headers={"content-type": content_type, **headers}, body=body))


def one(encode: Encode, **fields: Any) -> Span:
    accepted = datadog.decode(encode([[SPAN | fields]]))
    assert (accepted.spans, accepted.rejected, accepted.reason) == (1, 0, "")
    (span,) = spans(accepted)
    return span
