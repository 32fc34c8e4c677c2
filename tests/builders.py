"""Spans and requests for tests, said in as few words as the test needs."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.model.catalogue import Block

RECEIVED_NS = 1_790_000_000 * 10**9


def span(
    name: str,
    *,
    trace_id: bytes = bytes(15) + b"\1",
    span_id: bytes | None = None,
    parent: bytes = b"",
    kind: Span.SpanKind.ValueType = Span.SPAN_KIND_INTERNAL,
    start_ns: int = RECEIVED_NS,
    duration_ns: int = 1_000_000,
    attributes: dict[str, Any] | None = None,
    **other: Any,
) -> Span:
    """A span whose id follows from its name unless one is given."""
    return Span(
        trace_id=trace_id,
        span_id=span_id or hashlib.sha256(name.encode()).digest()[:8],
        parent_span_id=parent,
        name=name,
        kind=kind,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=(start_ns + duration_ns) % 2**64,
        attributes=[key_value(key, value) for key, value in (attributes or {}).items()],
        **other,
    )


def key_value(key: str, value: Any) -> KeyValue:
    """A KeyValue message of a Python value."""
    return KeyValue(key=key, value=any_value(value))


def any_value(value: Any) -> AnyValue:
    """An AnyValue message of a str, bool, int, float, bytes, list, dict or None."""
    if value is None:
        return AnyValue()
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=[key_value(key, inner) for key, inner in value.items()]))
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(element) for element in value]))
    fields = {bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value", str: "string_value"}
    return AnyValue(**{fields[type(value)]: value})


def request_of(
    *spans: Span, service: str = "checkout", resource: dict[str, Any] | None = None
) -> ExportTraceServiceRequest:
    """One request of spans that share a service and a scope."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    attributes = {"service.name": service} | (resource or {})
    resource_spans.resource.attributes.extend(key_value(key, value) for key, value in attributes.items())
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "tests"
    scope_spans.spans.extend(spans)
    return request


def block(name: str, start_ns: int = RECEIVED_NS, end_ns: int | None = None, **other: Any) -> Block:
    """A catalogue entry of spans that start from `start_ns` to `end_ns`."""
    drawn = Block(
        tenant="shop",
        block_id=name,
        key=f"shop/blocks/2026-09-21/{name}.parquet",
        level=0,
        format_version=1,
        spans=10,
        size_bytes=1000,
        crc32=2**32 - 1,
        min_start_ns=start_ns,
        max_start_ns=start_ns if end_ns is None else end_ns,
        min_trace_id=bytes(15) + b"\1",
        max_trace_id=b"\xff" * 16,
        received_ns=RECEIVED_NS,
        far=False,
        operations=(("cart", "GET /cart", 2), ("", "naïve", 0)),
    )
    return replace(drawn, **other)
