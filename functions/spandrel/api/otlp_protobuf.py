"""Spans as rows of blocks -> OTLP's binary encoding. protobuf's own runtime writes it, and is imported with the first
such answer: of all questions only few ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from spandrel.query.trace import Spans

from .columns import Part, Values
from .grouping import Parts, ResourceRows, ScopeRows, grouped, parts_of

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

_FIELDS = {
    "string": "string_value",
    "int": "int_value",
    "double": "double_value",
    "bool": "bool_value",
    "bytes": "bytes_value",
}


def otlp_protobuf(spans: Spans) -> bytes:
    """A TracesData message. Traces stay in their order; a trace's spans of equal resource and scope stand together."""
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    parts = parts_of(spans)
    message = TracesData(resource_spans=[_resource_spans(one, parts) for one in grouped(spans, parts)])
    return message.SerializeToString()


def _resource_spans(resource: ResourceRows, parts: Parts) -> ResourceSpans:
    from opentelemetry.proto.common.v1.common_pb2 import EntityRef
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

    values = parts.resource.values(resource.row)
    return ResourceSpans(
        resource=Resource(
            attributes=_attributes(parts.resource, values),
            dropped_attributes_count=values.get("resource_dropped_attributes_count", 0),
            entity_refs=[EntityRef.FromString(one) for one in values.get("resource_entity_refs", ())],
        ),
        scope_spans=[_scope_spans(scope, parts) for scope in resource.scopes.values()],
        schema_url=values.get("resource_schema_url", ""),
    )


def _scope_spans(scope: ScopeRows, parts: Parts) -> ScopeSpans:
    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
    from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans

    values = parts.scope.values(scope.rows[0])
    return ScopeSpans(
        scope=InstrumentationScope(
            name=values.get("scope_name", ""),
            version=values.get("scope_version", ""),
            attributes=_attributes(parts.scope, values),
            dropped_attributes_count=values.get("scope_dropped_attributes_count", 0),
        ),
        spans=[_span(parts.span, row) for row in scope.rows],
        schema_url=values.get("scope_schema_url", ""),
    )


def _span(part: Part, row: Sequence[Any]) -> Span:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

    values = part.values(row)
    start_ns = values["start_time_unix_nano"]
    return Span(
        trace_id=values["trace_id"],
        span_id=values["span_id"],
        parent_span_id=values.get("parent_span_id", b""),
        trace_state=values.get("trace_state", ""),
        flags=values.get("flags", 0),
        name=values.get("name", ""),
        kind=values.get("kind", 0),
        start_time_unix_nano=start_ns,
        end_time_unix_nano=(start_ns + values["duration_nano"]) % 2**64,
        status=Status(code=values.get("status_code", 0), message=values.get("status_message", "")),
        attributes=_attributes(part, values),
        dropped_attributes_count=values.get("dropped_attributes_count", 0),
        events=[_event(event) for event in values.get("events", ())],
        dropped_events_count=values.get("dropped_events_count", 0),
        links=[_link(link) for link in values.get("links", ())],
        dropped_links_count=values.get("dropped_links_count", 0),
    )


def _event(event: Values) -> Span.Event:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    return Span.Event(
        time_unix_nano=event["time_unix_nano"],
        name=event["name"],
        attributes=_pairs(event["attributes"]),
        dropped_attributes_count=event["dropped_attributes_count"],
    )


def _link(link: Values) -> Span.Link:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    return Span.Link(
        trace_id=link["trace_id"],
        span_id=link["span_id"],
        trace_state=link["trace_state"],
        flags=link["flags"],
        attributes=_pairs(link["attributes"]),
        dropped_attributes_count=link["dropped_attributes_count"],
    )


def _attributes(part: Part, values: Values) -> list[KeyValue]:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    found = [
        KeyValue(key=key, value=_value(attribute_type, values[name]))
        for name, (key, attribute_type) in part.attributes.items()
        if name in values
    ]
    return found + _pairs(values.get(part.rest))


def _value(attribute_type: str, value: Any) -> AnyValue:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue

    if not attribute_type.endswith("[]"):
        return AnyValue(**{_FIELDS[attribute_type]: value})
    name = _FIELDS[attribute_type.removesuffix("[]")]
    return AnyValue(array_value=ArrayValue(values=[AnyValue(**{name: one}) for one in value]))


def _pairs(pairs: Sequence[Values] | None) -> list[KeyValue]:
    """KEY_VALUE structs of the schema -> KeyValue messages."""
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    return [KeyValue(key=pair["key"], value=_pair_value(pair)) for pair in pairs or ()]


def _pair_value(pair: Values) -> AnyValue:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

    nested: dict[str, Callable[[bytes], AnyValue]] = {
        "array": lambda serialized: AnyValue(array_value=ArrayValue.FromString(serialized)),
        "kvlist": lambda serialized: AnyValue(kvlist_value=KeyValueList.FromString(serialized)),
    }
    for name in (*_FIELDS, *nested):
        if pair[name] is not None:
            return nested[name](pair[name]) if name in nested else _value(name, pair[name])
    return AnyValue()
