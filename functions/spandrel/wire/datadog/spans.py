"""Datadog's spans -> OTLP. docs/wire/datadog.md has the mapping as a table, with its sources, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.model.errors import Rejected
from spandrel.model.ids import span_id_from_hex
from spandrel.wire.attributes import put, whole_number
from spandrel.wire.otlp_messages import Message
from spandrel.wire.span_ids import refuse_too_many

from .annotations import put_events, put_links
from .payloads import UINT64, DatadogSpan

# Header of a request -> attribute of the resource of all its spans.
OF_THE_TRACER = {
    "datadog-meta-lang": "telemetry.sdk.language",
    "datadog-meta-tracer-version": "telemetry.sdk.version",
    "datadog-meta-lang-interpreter": "process.runtime.name",
    "datadog-meta-lang-version": "process.runtime.version",
    "datadog-container-id": "container.id",
}
# Tag that says something of the service and not of the span -> attribute of the resource.
OF_THE_RESOURCE = {"env": "deployment.environment.name", "version": "service.version"}
# Tag -> the attribute that says the same in today's conventions.
RENAMED = {
    "http.method": "http.request.method",
    "http.status_code": "http.response.status_code",
    "http.url": "url.full",
    "http.useragent": "user_agent.original",
    "http.client_ip": "client.address",
    "http.version": "network.protocol.version",
    "db.system": "db.system.name",
    "db.name": "db.namespace",
    "db.statement": "db.query.text",
    "db.operation": "db.operation.name",
    "out.host": "server.address",
    "network.destination.port": "server.port",
}
NUMBERS = frozenset({"http.response.status_code", "server.port"})  # text or float in Datadog, integers in OTLP
KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
# Type of a span that comes without a kind -> its kind.
KIND_OF_TYPE = {"web": 2, "serverless": 2} | dict.fromkeys(
    ("http", "sql", "cassandra", "elasticsearch", "memcached", "mongodb", "redis"), 3
)
ERROR = 2
EXCEPTION = "exception"  # the name of an event
# Tag -> attribute of that event. `error.type` stays an attribute of the span besides: it is one of today's conventions.
OF_THE_EXCEPTION = {
    "error.type": "exception.type",
    "error.message": "exception.message",
    "error.stack": "exception.stacktrace",
}
TRACE_ID_HIGH = "_dd.p.tid"


def otlp_of(traces: Iterable[list[DatadogSpan]], headers: Mapping[str, str]) -> Message:
    """All spans of a request, those of a service, environment and version together; TooLarge for too many."""
    request = ExportTraceServiceRequest()
    tracer = {"telemetry.sdk.name": "datadog"} | {
        name: headers[header].encode(errors="replace").decode()
        for header, name in OF_THE_TRACER.items()
        if headers.get(header)
    }
    places: dict[tuple[str | None, ...], Any] = {}
    numbers = count(1)
    for trace in traces:
        high = _trace_id_high(trace)
        for span in trace:
            place = (span.service, *(span.meta.pop(tag, None) for tag in OF_THE_RESOURCE))
            if place not in places:
                places[place] = _new_place(request, place, tracer)
            refuse_too_many(next(numbers) + 2 * len(places))
            _put_span(places[place].add(), span, high)
    return request


def _new_place(request: Message, place: tuple[str | None, ...], tracer: Mapping[str, str]) -> Any:
    resource_spans = request.resource_spans.add()
    names = ("service.name", *OF_THE_RESOURCE.values())
    for name, value in (*zip(names, place, strict=True), *tracer.items()):
        if value is not None:
            put(resource_spans.resource.attributes, name, value)
    return resource_spans.scope_spans.add().spans


def _trace_id_high(trace: list[DatadogSpan]) -> bytes:
    """The upper half of the trace id, which stands on one span of the trace, as 16 hex digits."""
    for span in trace:
        if TRACE_ID_HIGH in span.meta:
            try:
                high = span_id_from_hex(span.meta[TRACE_ID_HIGH])
            except Rejected:
                continue
            del span.meta[TRACE_ID_HIGH]
            return high
    return bytes(8)


def _put_span(target: Message, span: DatadogSpan, trace_id_high: bytes) -> None:
    target.trace_id = trace_id_high + _id(span.trace_id)
    target.span_id = _id(span.span_id)
    if span.parent_id:
        target.parent_span_id = _id(span.parent_id)
    target.name = span.name
    target.start_time_unix_nano = _time(span.start_ns)
    target.end_time_unix_nano = _time(span.start_ns + span.duration_ns)
    _put_kind(target, span)
    put_links(target, span)
    put_events(target, span)
    _put_error(target, span)
    _put_attributes(target.attributes, span)


def _id(number: int) -> bytes:
    """Some tracers send ids with a sign."""
    return (number & UINT64).to_bytes(8, "big")


def _time(time_ns: int) -> int:
    return min(max(time_ns, 0), UINT64)


def _put_kind(target: Message, span: DatadogSpan) -> None:
    kind = KINDS.get(span.meta.get("span.kind", ""))
    if kind:
        target.kind = kind
        del span.meta["span.kind"]
    elif span.type in KIND_OF_TYPE:
        target.kind = KIND_OF_TYPE[span.type]


def _put_error(target: Message, span: DatadogSpan) -> None:
    """What `error.*` says: the status, and the exception as an event at the span's end unless the tracer sent one."""
    tags = span.meta
    if "error.type" in tags and not any(event.name == EXCEPTION for event in target.events):
        event = target.events.add(name=EXCEPTION, time_unix_nano=target.end_time_unix_nano)
        for tag, name in OF_THE_EXCEPTION.items():
            if tag in tags:
                put(event.attributes, name, tags[tag])
        tags.pop("error.stack", None)
    if span.error:
        target.status.code = ERROR
        target.status.message = tags.pop("error.message", "")


def _put_attributes(attributes: Any, span: DatadogSpan) -> None:
    if span.resource != span.name:
        put(attributes, "resource.name", span.resource)
    if span.type:
        put(attributes, "span.type", span.type)
    for tags in (span.meta, span.metrics):
        for tag, value in tags.items():
            name = RENAMED.get(tag, tag)
            if name is tag or name in span.meta:
                put(attributes, tag, value)
            else:
                number = whole_number(value) if name in NUMBERS else None
                put(attributes, name, value if number is None else number)
    for tag, packed in span.meta_struct.items():
        put(attributes, f"meta_struct.{tag}", packed)
