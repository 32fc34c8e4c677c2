"""The same for the formats in Thrift, Zipkin's and Jaeger's, without the classes that Thrift would generate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TType
from thrift.transport.TTransport import TMemoryBuffer

from .thrift_bytes import Fields, written
from .wire_bodies import KINDS, OLD_NAMES, SERVICE, duration_us, renamed, spans_of, v1_values


def zipkin(request: ExportTraceServiceRequest) -> bytes:
    return written(TBinaryProtocol, TType.LIST, (TType.STRUCT, [_zipkin_struct(span) for span in spans_of(request)]))


def jaeger_binary(request: ExportTraceServiceRequest) -> bytes:
    return _jaeger(request, TBinaryProtocol)


def jaeger_compact(request: ExportTraceServiceRequest) -> bytes:
    return _jaeger(request, TCompactProtocol)


def _zipkin_struct(span: Span) -> Fields:
    host: Fields = {1: (TType.I32, 10 << 24 | 1), 2: (TType.I16, 80), 3: (TType.STRING, SERVICE)}
    start_us = span.start_time_unix_nano // 1000
    times = zip(v1_values(span), (start_us, start_us + duration_us(span)), strict=True)
    annotations: list[Fields] = [
        {1: (TType.I64, time_us), 2: (TType.STRING, value), 3: (TType.STRUCT, host)} for value, time_us in times
    ]
    binary: list[Fields] = [
        {1: (TType.STRING, key), 2: (TType.STRING, str(value)), 3: (TType.I32, 6), 4: (TType.STRUCT, host)}
        for key, value in renamed(span, OLD_NAMES)
    ]
    return {
        1: (TType.I64, _signed(span.trace_id[8:])),
        3: (TType.STRING, span.name.lower()),
        4: (TType.I64, _signed(span.span_id)),
        5: (TType.I64, _signed(span.parent_span_id)),
        6: (TType.LIST, (TType.STRUCT, annotations)),
        8: (TType.LIST, (TType.STRUCT, binary)),
        10: (TType.I64, start_us),
        11: (TType.I64, duration_us(span)),
        12: (TType.I64, _signed(span.trace_id[:8])),
    }


def _jaeger(request: ExportTraceServiceRequest, protocol: Callable[[TMemoryBuffer], Any]) -> bytes:
    process: Fields = {1: (TType.STRING, SERVICE), 2: (TType.LIST, (TType.STRUCT, [_tag("hostname", "ip-10-0-0-1")]))}
    spans = [_jaeger_span(span) for span in spans_of(request)]
    batch: Fields = {1: (TType.STRUCT, process), 2: (TType.LIST, (TType.STRUCT, spans))}
    return written(protocol, TType.STRUCT, batch)


def _jaeger_span(span: Span) -> Fields:
    tags = [_tag(key, value) for key, value in renamed(span, OLD_NAMES)]
    tags.append(_tag("span.kind", KINDS[span.kind].lower()))
    return {
        1: (TType.I64, _signed(span.trace_id[8:])),
        2: (TType.I64, _signed(span.trace_id[:8])),
        3: (TType.I64, _signed(span.span_id)),
        4: (TType.I64, _signed(span.parent_span_id)),
        5: (TType.STRING, span.name),
        7: (TType.I32, 1),
        8: (TType.I64, span.start_time_unix_nano // 1000),
        9: (TType.I64, duration_us(span)),
        10: (TType.LIST, (TType.STRUCT, tags)),
    }


def _tag(key: str, value: str | int) -> Fields:
    if isinstance(value, str):
        return {1: (TType.STRING, key), 2: (TType.I32, 0), 3: (TType.STRING, value)}
    return {1: (TType.STRING, key), 2: (TType.I32, 3), 6: (TType.I64, value)}


def _signed(id_bytes: bytes) -> int:
    return int.from_bytes(id_bytes, "big", signed=True)
