"""The same spans in the words of every wire format, as its clients write them: eight attributes each, under the names
that the format's own instrumentation uses. None of it is written by the code that it is there to measure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgpack
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from py_zipkin.encoding.protobuf import zipkin_pb2

Pair = tuple[str, str | int]

SERVICE = "checkout"
OLD_NAMES = {  # of OpenTracing, Zipkin and Datadog
    "http.request.method": "http.method",
    "http.response.status_code": "http.status_code",
    "url.path": "http.url",
    "server.address": "peer.hostname",
}
_LABELS = {  # of Google Cloud Trace
    "http.request.method": "/http/method",
    "http.response.status_code": "/http/status_code",
    "http.response.body.size": "/http/response/size",
    "url.path": "/http/path",
    "server.address": "/http/host",
}
_XRAY = {"http.request.method", "http.response.status_code", "http.response.body.size", "url.path"}
KINDS = ("", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


def otlp_json(request: ExportTraceServiceRequest) -> bytes:
    """As SDKs write it: ids in hex, where protobuf's own JSON has base64."""
    told = MessageToDict(request, use_integers_for_enums=True)
    found = [span for resource in told["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]
    for span, original in zip(found, spans_of(request), strict=True):
        span |= {"traceId": original.trace_id.hex(), "spanId": original.span_id.hex()}
        span |= {"parentSpanId": original.parent_span_id.hex()}
    return _json(told)


def zipkin_v2(request: ExportTraceServiceRequest) -> bytes:
    return _json([_zipkin_span(span) for span in spans_of(request)])


def zipkin_protobuf(request: ExportTraceServiceRequest) -> bytes:
    found = zipkin_pb2.ListOfSpans()
    for span in spans_of(request):
        found.spans.add(
            trace_id=span.trace_id,
            id=span.span_id,
            parent_id=span.parent_span_id,
            kind={3: 1, 2: 2, 4: 3, 5: 4}.get(span.kind, 0),
            name=span.name.lower(),
            timestamp=span.start_time_unix_nano // 1000,
            duration=duration_us(span),
            local_endpoint=zipkin_pb2.Endpoint(service_name=SERVICE, ipv4=bytes([10, 0, 0, 1])),
            tags={key: str(value) for key, value in renamed(span, OLD_NAMES)},
        )
    return bytes(found.SerializeToString())


def zipkin_v1(request: ExportTraceServiceRequest) -> bytes:
    return _json([_zipkin_v1_span(span) for span in spans_of(request)])


def xray(request: ExportTraceServiceRequest) -> bytes:
    return _json({"TraceSegmentDocuments": [json.dumps(_segment(span)) for span in spans_of(request)]})


def cloudtrace_v1(request: ExportTraceServiceRequest) -> bytes:
    traces: dict[str, list[Any]] = {}
    for span in spans_of(request):
        told = {
            "spanId": str(int.from_bytes(span.span_id)),
            "parentSpanId": str(int.from_bytes(span.parent_span_id)),
            "kind": "RPC_SERVER" if span.kind == Span.SPAN_KIND_SERVER else "RPC_CLIENT",
            "name": span.name,
            **_google_times(span),
            "labels": {key: str(value) for key, value in renamed(span, _LABELS)},
        }
        traces.setdefault(span.trace_id.hex(), []).append(told)
    found = [{"projectId": "shop", "traceId": trace_id, "spans": spans} for trace_id, spans in traces.items()]
    return _json({"traces": found})


def cloudtrace_v2(request: ExportTraceServiceRequest) -> bytes:
    return _json({"spans": [_cloudtrace_span(span) for span in spans_of(request)]})


def datadog_v04(request: ExportTraceServiceRequest) -> bytes:
    return bytes(msgpack.packb(_datadog_traces(request)))


def datadog_v05(request: ExportTraceServiceRequest) -> bytes:
    numbers: dict[str, int] = {"": 0}

    def told(value: Any) -> Any:
        if isinstance(value, str):
            return numbers.setdefault(value, len(numbers))
        return {told(key): told(inner) for key, inner in value.items()} if isinstance(value, dict) else value

    traces = [[[told(value) for value in span.values()] for span in trace] for trace in _datadog_traces(request)]
    return bytes(msgpack.packb([list(numbers), traces]))


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def _zipkin_span(span: Span) -> dict[str, Any]:
    told = {
        "traceId": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "kind": None if span.kind == Span.SPAN_KIND_INTERNAL else KINDS[span.kind],
        "name": span.name.lower(),
        "timestamp": span.start_time_unix_nano // 1000,
        "duration": duration_us(span),
        "localEndpoint": {"serviceName": SERVICE, "ipv4": "10.0.0.1"},
        "tags": {key: str(value) for key, value in renamed(span, OLD_NAMES)},
    }
    return told | ({"parentId": span.parent_span_id.hex()} if span.parent_span_id else {})


def _zipkin_v1_span(span: Span) -> dict[str, Any]:
    host = {"serviceName": SERVICE, "ipv4": "10.0.0.1"}
    start_us = span.start_time_unix_nano // 1000
    times = zip(v1_values(span), (start_us, start_us + duration_us(span)), strict=True)
    told = {
        "traceId": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "name": span.name.lower(),
        "timestamp": start_us,
        "duration": duration_us(span),
        "annotations": [{"timestamp": time_us, "value": value, "endpoint": host} for value, time_us in times],
        "binaryAnnotations": [
            {"key": key, "value": str(value), "endpoint": host} for key, value in renamed(span, OLD_NAMES)
        ],
    }
    return told | ({"parentId": span.parent_span_id.hex()} if span.parent_span_id else {})


def v1_values(span: Span) -> tuple[str, str]:
    return ("sr", "ss") if span.kind == Span.SPAN_KIND_SERVER else ("cs", "cr")


def _segment(span: Span) -> dict[str, Any]:
    """A segment of a server, a subsegment that is sent alone of the others, as the SDKs stream them."""
    said = dict(_pairs(span))
    digits = span.trace_id.hex()
    told = {
        "name": SERVICE if span.kind == Span.SPAN_KIND_SERVER else span.name,
        "id": span.span_id.hex(),
        "trace_id": f"1-{digits[:8]}-{digits[8:]}",
        "start_time": span.start_time_unix_nano / 1e9,
        "end_time": span.end_time_unix_nano / 1e9,
        "http": {
            "request": {"method": said["http.request.method"], "url": f"https://shop.example{said['url.path']}"},
            "response": {
                "status": said["http.response.status_code"],
                "content_length": said["http.response.body.size"],
            },
        },
        "annotations": {key.replace(".", "_"): value for key, value in said.items() if key not in _XRAY},
    }
    if span.parent_span_id:
        told |= {"parent_id": span.parent_span_id.hex(), "type": "subsegment", "namespace": "remote"}
    return told


def _cloudtrace_span(span: Span) -> dict[str, Any]:
    values = {
        key: {"intValue": str(value)} if isinstance(value, int) else {"stringValue": {"value": value}}
        for key, value in renamed(span, _LABELS)
    }
    return {
        "name": f"projects/shop/traces/{span.trace_id.hex()}/spans/{span.span_id.hex()}",
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "displayName": {"value": span.name},
        **_google_times(span),
        "attributes": {"attributeMap": values},
        "spanKind": KINDS[span.kind],
        "sameProcessAsParentSpan": True,
    }


def _google_times(span: Span) -> dict[str, str]:
    return {"startTime": _rfc3339(span.start_time_unix_nano), "endTime": _rfc3339(span.end_time_unix_nano)}


def _rfc3339(time_ns: int) -> str:
    seconds, nanos = divmod(time_ns, 10**9)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{nanos:09}Z"


def _datadog_traces(request: ExportTraceServiceRequest) -> list[list[dict[str, Any]]]:
    traces: dict[bytes, list[dict[str, Any]]] = {}
    for span in spans_of(request):
        traces.setdefault(span.trace_id, []).append(_datadog_span(span))
    for trace_id, spans in traces.items():
        spans[0]["meta"]["_dd.p.tid"] = trace_id[:8].hex()
    return list(traces.values())


def _datadog_span(span: Span) -> dict[str, Any]:
    """Its fields in the order of v0.5."""
    said = renamed(span, OLD_NAMES)
    return {
        "service": SERVICE,
        "name": "web.request",
        "resource": span.name,
        "trace_id": int.from_bytes(span.trace_id[8:]),
        "span_id": int.from_bytes(span.span_id),
        "parent_id": int.from_bytes(span.parent_span_id),
        "start": span.start_time_unix_nano,
        "duration": span.end_time_unix_nano - span.start_time_unix_nano,
        "error": int(span.status.code == 2),
        "meta": {key: value for key, value in said if isinstance(value, str)} | {"span.kind": KINDS[span.kind].lower()},
        "metrics": {key: value for key, value in said if not isinstance(value, str)},
        "type": "web",
    }


def renamed(span: Span, names: Mapping[str, str]) -> list[Pair]:
    return [(names.get(key, key), value) for key, value in _pairs(span)]


def _pairs(span: Span) -> list[Pair]:
    return [(pair.key, getattr(pair.value, pair.value.WhichOneof("value"))) for pair in span.attributes]


def duration_us(span: Span) -> int:
    return max((span.end_time_unix_nano - span.start_time_unix_nano) // 1000, 1)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
