"""Zipkin's spans -> OTLP. docs/wire/zipkin.md has the mapping as a table, with its sources, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.model import zipkin
from spandrel.wire.attributes import put, put_all
from spandrel.wire.json_body import mended
from spandrel.wire.otlp_messages import Message
from spandrel.wire.span_ids import refuse_too_many

from .annotations import put_event
from .span import CLIENT, NOWHERE, Endpoint, Tag, ZipkinSpan
from .tags import Scope, take_opentelemetry, with_todays_names
from .times import UINT64_MAX, nanoseconds

OF_REMOTE = frozenset({*zipkin.REMOTE, zipkin.SERVICE_PEER})


def otlp_of(spans: Iterable[ZipkinSpan]) -> Message:
    """One request of all spans, those of a service and scope together; TooLarge for too many. Their tags change."""
    request = ExportTraceServiceRequest()
    places: dict[tuple[str, Scope], Any] = {}
    for number, span in enumerate(spans, 1):
        scope, fields = take_opentelemetry(span.tags)
        place = (span.local.service, scope)
        if place not in places:
            places[place] = _new_place(request, mended(span.local.service), Scope(*map(mended, scope)))
        _put(places[place], span, fields)
        refuse_too_many(number + 2 * len(places))
    return request


def _new_place(request: Message, service: str, scope: Scope) -> Any:
    resource_spans = request.resource_spans.add()
    if service:
        put(resource_spans.resource.attributes, "service.name", service)
    return resource_spans.scope_spans.add(scope=scope._asdict()).spans


def _put(spans: Any, span: ZipkinSpan, fields: dict[str, Any]) -> None:
    count = len(spans)
    try:
        _put_span(spans, span, fields)
    except UnicodeEncodeError:  # half a surrogate pair: seldom, so nothing is looked at before
        del spans[count:]
        _put_span(spans, _mended(span), mended(fields))


def _mended(span: ZipkinSpan) -> ZipkinSpan:
    return replace(
        span,
        name=mended(span.name),
        remote=Endpoint(*map(mended, span.remote)),
        annotations=[(time_us, mended(text)) for time_us, text in span.annotations],
        tags=mended(span.tags),
    )


def _put_span(spans: Any, span: ZipkinSpan, fields: dict[str, Any]) -> None:
    target = spans.add(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id,
        name=span.name,
        kind=span.kind,
        **fields,
    )
    attributes = target.attributes
    tags, renamed = with_todays_names(span.tags)
    put_all(attributes, tags)
    _put_times(target, span)
    if span.remote is not NOWHERE or not OF_REMOTE.isdisjoint(tags):
        _put_named(attributes, zipkin.SERVICE_PEER, f"{zipkin.REMOTE_ENDPOINT}.serviceName", span.remote.service, tags)
        _put_socket(attributes, zipkin.REMOTE, zipkin.REMOTE_ENDPOINT, span.remote, tags)
    _put_socket(attributes, zipkin.LOCAL, zipkin.LOCAL_ENDPOINT, span.local, tags)
    for time_us, text in span.annotations:
        put_event(target, time_us, text)
    if renamed:
        put(attributes, zipkin.RENAMED, renamed)
    if span.debug:
        put(attributes, zipkin.DEBUG, True)
    if span.shared and span.kind != CLIENT:
        put(attributes, zipkin.SHARED, True)


def _put_times(target: Message, span: ZipkinSpan) -> None:
    """What is not said stays 0. A duration without a start is kept as that of a span which starts at 0."""
    start_ns, length_ns = nanoseconds(span.timestamp_us), nanoseconds(span.duration_us)
    target.start_time_unix_nano = start_ns
    if span.timestamp_us > 0 and not start_ns:
        put(target.attributes, zipkin.TIMESTAMP, span.timestamp_us)
    if length_ns and start_ns + length_ns <= UINT64_MAX:
        target.end_time_unix_nano = start_ns + length_ns
    elif span.duration_us > 0:
        put(target.attributes, zipkin.DURATION, span.duration_us)


def _put_socket(attributes: Any, names: tuple[str, str], own: str, endpoint: Endpoint, tags: dict[str, Tag]) -> None:
    """OTLP has one attribute for the address. Of two, the second goes under Zipkin's name."""
    address, port = names
    first, second = (endpoint.ipv4, endpoint.ipv6) if endpoint.ipv4 or address in tags else (endpoint.ipv6, "")
    _put_named(attributes, address, f"{own}.ipv4", first, tags)
    if second:
        put(attributes, f"{own}.ipv6", second)
    _put_named(attributes, port, f"{own}.port", endpoint.port, tags)


def _put_named(attributes: Any, name: str, own_name: str, value: str | int, tags: dict[str, Tag]) -> None:
    """Under Zipkin's own name where a tag has the other one, even if empty: so it is plain which of them is the tag."""
    if name in tags:
        put(attributes, own_name, value)
    elif value:
        put(attributes, name, value)
