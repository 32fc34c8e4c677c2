"""Spans as read APIs render them, whether they come from blocks or from OTLP that somebody sent to be shown.

What is the same for all spans of a resource or of a scope is one object of theirs, so that who renders can tell by
identity which spans belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from spandrel.blocks.naming import SERVICE_NAME
from spandrel.query.trace import Spans

from .columns import Part, Values
from .values import Attributes, Value, attributes_of, value_of

_SCALARS = ("string", "int", "double", "bool", "bytes")
_MODULO = 2**64
_Shared = TypeVar("_Shared")


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """`service` is empty where there is no `service.name`, or where it is no text."""

    attributes: Attributes

    @property
    def service(self) -> str:
        name = self.attributes.get(SERVICE_NAME)
        return name if isinstance(name, str) else ""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Event:
    time_ns: int
    name: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Link:
    trace_id: bytes
    span_id: bytes
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Span:
    """One span as it was sent. Times are unix ns, 0 where they did not come; `kind` and `status` are OTLP's numbers;
    `parent_id` is empty for none. `dropped` counts attributes, events and links that its sender left out.
    """

    resource: Resource
    scope: Scope
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: int
    status_message: str
    trace_state: str
    flags: int
    attributes: Attributes
    events: tuple[Event, ...]
    links: tuple[Link, ...]
    dropped: tuple[int, int, int]


def spans_of_rows(rows: Spans) -> Iterator[Span]:
    """The spans of rows, in their order."""
    resource_part, scope_part, span_part = (Part(scope, rows.columns) for scope in ("resource", "scope", "span"))
    resources: dict[str, Resource] = {}
    scopes: dict[str, Scope] = {}
    for row in rows.rows:
        resource = _shared(resources, resource_part, row, lambda values: Resource(_attributes(resource_part, values)))
        scope = _shared(scopes, scope_part, row, _scope)
        yield _span(resource, scope, span_part, span_part.values(row))


def spans_of_otlp(request: Any) -> Iterator[Span]:
    """The spans of an ExportTraceServiceRequest or TracesData message, in their order."""
    resources: dict[bytes, Resource] = {}
    for resource_spans in request.resource_spans:
        message = resource_spans.resource
        key = message.SerializeToString(deterministic=True)
        resource = resources.setdefault(key, Resource(attributes_of(message.attributes)))
        for scope_spans in resource_spans.scope_spans:
            scope = Scope(scope_spans.scope.name, scope_spans.scope.version)
            yield from (_sent(resource, scope, span) for span in scope_spans.spans)


def _shared(known: dict[str, _Shared], part: Part, row: Sequence[Any], make: Callable[[Values], _Shared]) -> _Shared:
    key = part.key(row)
    if key not in known:
        known[key] = make(part.values(row))
    return known[key]


def _scope(values: Values) -> Scope:
    return Scope(values.get("scope_name", ""), values.get("scope_version", ""))


def _span(resource: Resource, scope: Scope, part: Part, values: Values) -> Span:
    start_ns = values["start_time_unix_nano"]
    return Span(
        resource=resource,
        scope=scope,
        trace_id=values["trace_id"],
        span_id=values["span_id"],
        parent_id=values.get("parent_span_id", b""),
        name=values.get("name", ""),
        kind=values.get("kind", 0),
        start_ns=start_ns,
        end_ns=(start_ns + values["duration_nano"]) % _MODULO,
        status=values.get("status_code", 0),
        status_message=values.get("status_message", ""),
        trace_state=values.get("trace_state", ""),
        flags=values.get("flags", 0),
        attributes=_attributes(part, values),
        events=tuple(_event(event) for event in values.get("events", ())),
        links=tuple(_link(link) for link in values.get("links", ())),
        dropped=(
            values.get("dropped_attributes_count", 0),
            values.get("dropped_events_count", 0),
            values.get("dropped_links_count", 0),
        ),
    )


def _attributes(part: Part, values: Values) -> Attributes:
    found = {key: values[name] for name, (key, _) in part.attributes.items() if name in values}
    return found | _by_key(values.get(part.rest))


def _by_key(pairs: Sequence[Values] | None) -> Attributes:
    """KEY_VALUE structs of the schema by key; of one that repeats the first counts."""
    found: Attributes = {}
    for pair in pairs or ():
        if pair["key"] not in found:
            found[pair["key"]] = _pair_value(pair)
    return found


def _pair_value(pair: Values) -> Value:
    for field in _SCALARS:
        if pair[field] is not None:
            return pair[field]
    return _nested(pair) if pair["array"] is not None or pair["kvlist"] is not None else None


def _nested(pair: Values) -> Value:
    """Such are rare, and protobuf takes its time to be imported."""
    from opentelemetry.proto.common.v1.common_pb2 import ArrayValue, KeyValueList

    if pair["array"] is not None:
        return [value_of(one) for one in ArrayValue.FromString(pair["array"]).values]
    return attributes_of(KeyValueList.FromString(pair["kvlist"]).values)


def _event(event: Values) -> Event:
    return Event(event["time_unix_nano"], event["name"], _by_key(event["attributes"]))


def _link(link: Values) -> Link:
    return Link(link["trace_id"], link["span_id"], _by_key(link["attributes"]))


def _sent(resource: Resource, scope: Scope, span: Any) -> Span:
    return Span(
        resource=resource,
        scope=scope,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_span_id,
        name=span.name,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status=span.status.code,
        status_message=span.status.message,
        trace_state=span.trace_state,
        flags=span.flags,
        attributes=attributes_of(span.attributes),
        events=tuple(Event(event.time_unix_nano, event.name, attributes_of(event.attributes)) for event in span.events),
        links=tuple(Link(link.trace_id, link.span_id, attributes_of(link.attributes)) for link in span.links),
        dropped=(span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count),
    )
