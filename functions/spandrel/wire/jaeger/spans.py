"""Jaeger's batches -> OTLP. docs/wire/jaeger.md has the mapping as a table, with its sources, and the way back."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from struct import Struct
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.model import jaeger
from spandrel.wire.attributes import Value, put, put_all, whole_number
from spandrel.wire.otlp_messages import Message
from spandrel.wire.span_ids import refuse_too_many

from .batch import Log, Process, Reference, Span, Tag
from .status import take_status

UINT64 = 2**64 - 1
IPV4 = range(2**32)
UNKNOWN = '<Unknown Jaeger TagType "<UNSET>">'  # what the collector makes of a value of no type that it knows
CHILD_OF = 0  # Reference.type; any other number follows from
FIELDS_OF_TYPE = ("text", "double", "flag", "integer", "binary")  # Tag.type -> where the value is
NOTHING: tuple[Value, ...] = ("", 0.0, False, 0, b"")  # Tag.type -> the value that did not come

# Tag of a span -> the attribute that says the same in today's conventions, and is put beside it.
TODAY = {
    "http.method": "http.request.method",
    "http.status_code": "http.response.status_code",
    "http.url": "url.full",
    "db.instance": "db.namespace",
    "db.statement": "db.query.text",
    "message_bus.destination": "messaging.destination.name",
    "peer.service": "service.peer.name",
    "peer.ipv4": "network.peer.address",
    "peer.ipv6": "network.peer.address",
    "peer.port": "network.peer.port",
}
# The same of a log whose event is `error`.
TODAY_OF_AN_ERROR = {
    "error.kind": "exception.type",
    "message": "exception.message",
    "stack": "exception.stacktrace",
}
ERROR_EVENT = "error"
NUMBERS = frozenset({"http.status_code", "peer.port"})

_span_id, _trace_id = Struct(">q").pack, Struct(">qq").pack


def otlp_of(batches: Iterable[Iterable[Process | Span]]) -> Message:
    """One request; a batch is one resource of it, and the spans of a scope stand together."""
    request = ExportTraceServiceRequest()
    numbers = count(1)
    for parts in batches:
        _put_batch(request.resource_spans.add(), parts, numbers)
    return request


def _put_batch(target: Message, parts: Iterable[Process | Span], numbers: Iterator[int]) -> None:
    """Takes a number for each resource, span and scope; TooLarge beyond the last."""
    scopes: dict[tuple[str, str], Any] = {}
    for part in parts:
        refuse_too_many(next(numbers))
        if isinstance(part, Process):
            _put_process(target.resource.attributes, part)
            continue
        tags = _values(part.tags)
        scope = _taken_text(tags, jaeger.SCOPE_NAME_TAG), _taken_text(tags, jaeger.SCOPE_VERSION_TAG)
        if scope not in scopes:
            refuse_too_many(next(numbers))
            scopes[scope] = _new_scope(target.scope_spans.add(), *scope)
        _put_span(scopes[scope].add(), part, tags)


def _new_scope(target: Message, name: str, version: str) -> Any:
    if name or version:
        target.scope.name, target.scope.version = name, version
    return target.spans


def _put_process(attributes: Any, process: Process) -> None:
    """A tag `service.name` beats the name of the service, as in the collector."""
    tags = ({"service.name": process.service} if process.service else {}) | _values(process.tags)
    if "hostname" in tags and "host.name" not in tags:
        tags["host.name"] = tags.pop("hostname")
    if jaeger.CLIENT_VERSION not in tags:
        version = _taken_text(tags, "jaeger.version")
        if version:
            tags[jaeger.CLIENT_VERSION] = jaeger.CLIENT_PREFIX + version
    put_all(attributes, tags)


def _put_span(target: Message, span: Span, tags: dict[str, Value]) -> None:
    target.trace_id = _trace_id(span.trace_id_high, span.trace_id_low)
    target.span_id = _span_id(span.span_id)
    parent_id = _parent_id(span)
    if parent_id:
        target.parent_span_id = _span_id(parent_id)
    target.name = span.name
    target.flags = span.flags & jaeger.SAMPLED
    target.trace_state = _taken_text(tags, jaeger.TRACE_STATE_TAG)
    target.kind = _taken_kind(tags)
    code, message = take_status(tags, target.kind)
    if code or message:
        target.status.code, target.status.message = code, message
    target.start_time_unix_nano = _time(span.start_us)
    target.end_time_unix_nano = _time(span.start_us + span.duration_us)
    _put_attributes(target.attributes, tags, TODAY)
    if span.flags not in {0, jaeger.SAMPLED}:
        put(target.attributes, jaeger.FLAGS, span.flags)
    _put_warnings(target.attributes, span)
    for log in span.logs or ():
        _put_log(target.events.add(), log)
    for reference in span.references or ():
        if reference.type != CHILD_OF or reference.span_id != parent_id or not _is_of_trace(reference, span):
            _put_link(target.links.add(), reference)


def _values(tags: list[Tag] | None) -> dict[str, Value]:
    """Key -> value: of a repeated key the last counts, as in the collector."""
    return {tag.key: _value(tag) for tag in tags or ()}


def _value(tag: Tag) -> Value:
    if not 0 <= tag.type < len(FIELDS_OF_TYPE):
        return UNKNOWN
    value: Value | None = getattr(tag, FIELDS_OF_TYPE[tag.type])
    return NOTHING[tag.type] if value is None else value


def _taken_text(tags: dict[str, Value], tag: str) -> str:
    """Takes the tag out if it is a text with anything in it; any other stays a tag."""
    value = tags.get(tag)
    if not isinstance(value, str) or not value:
        return ""
    del tags[tag]
    return value


def _taken_kind(tags: dict[str, Value]) -> int:
    kind = jaeger.KINDS.get(str(tags.get(jaeger.KIND_TAG)), 0)
    if kind:
        del tags[jaeger.KIND_TAG]
    return kind


def _parent_id(span: Span) -> int:
    """0 for none. Of the references into its own trace, the first CHILD_OF comes before the first of others."""
    if span.parent_id or not span.references:
        return span.parent_id
    own = [reference for reference in span.references if _is_of_trace(reference, span)]
    first = next((reference for reference in own if reference.type == CHILD_OF), own[0] if own else None)
    return first.span_id if first else 0


def _is_of_trace(reference: Reference, span: Span) -> bool:
    return (reference.trace_id_high, reference.trace_id_low) == (span.trace_id_high, span.trace_id_low)


def _time(time_us: int) -> int:
    return min(max(time_us * 1000, 0), UINT64)


def _put_attributes(attributes: Any, tags: Mapping[str, Value], today: Mapping[str, str]) -> None:
    put_all(attributes, tags)
    added = dict(_in_todays_words(tags, today))
    for name, value in added.items():
        put(attributes, name, value)
    if added:
        put(attributes, jaeger.ADDED, list(added))


def _in_todays_words(tags: Mapping[str, Value], today: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
    """What is put beside the tags: nothing that they say already."""
    if tags.keys().isdisjoint(today):
        return
    taken = set(tags)
    for key, name in today.items():
        value = _today(key, tags[key]) if key in tags and name not in taken else None
        if value is not None:
            taken.add(name)
            yield name, value


def _today(key: str, value: Value) -> Value | None:
    if key in NUMBERS:
        return whole_number(value)
    if isinstance(value, str):
        return value
    number = whole_number(value) if key == "peer.ipv4" else None
    return str(ipaddress.IPv4Address(number)) if number is not None and number in IPV4 else None


def _put_warnings(attributes: Any, span: Span) -> None:
    warnings = list(_warnings(span))
    if warnings:
        target = attributes.add(key=jaeger.WARNINGS).value.array_value.values
        for warning in warnings:
            target.add(string_value=warning)


def _warnings(span: Span) -> Iterator[str]:
    """What of the span could not be kept as it was."""
    for what, time_us in (("start", span.start_us), ("end", span.start_us + span.duration_us)):
        if _time(time_us) != time_us * 1000:
            yield f"the {what}, {time_us} µs, is not within the years 1970 to 2554"
    for tag in span.tags or ():
        if not 0 <= tag.type < len(FIELDS_OF_TYPE):
            yield f"the tag {tag.key!r} has the unknown type {tag.type}"


def _put_log(target: Message, log: Log) -> None:
    fields = _values(log.fields)
    target.time_unix_nano = _time(log.time_us)
    target.name = _taken_text(fields, jaeger.EVENT_FIELD)
    _put_attributes(target.attributes, fields, TODAY_OF_AN_ERROR if target.name == ERROR_EVENT else {})


def _put_link(target: Message, reference: Reference) -> None:
    target.trace_id = _trace_id(reference.trace_id_high, reference.trace_id_low)
    target.span_id = _span_id(reference.span_id)
    kind = jaeger.CHILD_OF if reference.type == CHILD_OF else jaeger.FOLLOWS_FROM
    put(target.attributes, jaeger.REFERENCE_TYPE, kind)
