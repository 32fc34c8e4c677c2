"""Spans as rows of blocks -> OTLP's binary encoding. protobuf's own runtime writes it, and is imported with the first
such answer: of all questions only few ask for it.

It takes messages as plain dicts, all of a span's at once, which is half the work of making each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spandrel.query.trace import Spans

from .columns import Part, Values
from .grouping import grouped, parts_of

Message = dict[str, Any]
"""A message by its fields, in which None is nothing."""

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
    message = TracesData()
    for resource in grouped(spans, parts):
        in_resource = message.resource_spans.add(**_resource(parts.resource, resource.row))
        for scope in resource.scopes.values():
            in_scope = in_resource.scope_spans.add(**_scope(parts.scope, scope.rows[0]))
            for row in scope.rows:
                in_scope.spans.add(**_span(parts.span, row))
    return message.SerializeToString()


def _resource(part: Part, row: Sequence[Any]) -> Message:
    values = part.values(row)
    return {
        "resource": {
            "attributes": _attributes(part, values),
            "dropped_attributes_count": values.get("resource_dropped_attributes_count"),
            "entity_refs": [_message("EntityRef", one) for one in values.get("resource_entity_refs", ())],
        },
        "schema_url": values.get("resource_schema_url"),
    }


def _scope(part: Part, row: Sequence[Any]) -> Message:
    values = part.values(row)
    return {
        "scope": {
            "name": values.get("scope_name"),
            "version": values.get("scope_version"),
            "attributes": _attributes(part, values),
            "dropped_attributes_count": values.get("scope_dropped_attributes_count"),
        },
        "schema_url": values.get("scope_schema_url"),
    }


def _span(part: Part, row: Sequence[Any]) -> Message:
    values = part.values(row)
    start_ns = values["start_time_unix_nano"]
    return {
        "trace_id": values["trace_id"],
        "span_id": values["span_id"],
        "parent_span_id": values.get("parent_span_id"),
        "trace_state": values.get("trace_state"),
        "flags": values.get("flags"),
        "name": values.get("name"),
        "kind": values.get("kind"),
        "start_time_unix_nano": start_ns,
        "end_time_unix_nano": (start_ns + values["duration_nano"]) % 2**64,
        "status": {"code": values.get("status_code"), "message": values.get("status_message")},
        "attributes": _attributes(part, values),
        "dropped_attributes_count": values.get("dropped_attributes_count"),
        "events": [_event(event) for event in values.get("events", ())],
        "dropped_events_count": values.get("dropped_events_count"),
        "links": [_link(link) for link in values.get("links", ())],
        "dropped_links_count": values.get("dropped_links_count"),
    }


def _event(event: Values) -> Message:
    return {**event, "attributes": _pairs(event["attributes"])}


def _link(link: Values) -> Message:
    return {**link, "attributes": _pairs(link["attributes"])}


def _attributes(part: Part, values: Values) -> list[Message]:
    found = [
        {"key": key, "value": _value(attribute_type, values[name])}
        for name, (key, attribute_type) in part.attributes.items()
        if name in values
    ]
    return found + _pairs(values.get(part.rest))


def _value(attribute_type: str, value: Any) -> Message:
    if not attribute_type.endswith("[]"):
        return {_FIELDS[attribute_type]: value}
    name = _FIELDS[attribute_type.removesuffix("[]")]
    return {"array_value": {"values": [{name: one} for one in value]}}


def _pairs(pairs: Sequence[Values] | None) -> list[Message]:
    """KEY_VALUE structs of the schema -> KeyValue messages."""
    return [{"key": pair["key"], "value": _pair_value(pair)} for pair in pairs or ()]


def _pair_value(pair: Values) -> Message:
    for name, field in _FIELDS.items():
        if pair[name] is not None:
            return {field: pair[name]}
    if pair["array"] is not None:
        return {"array_value": _message("ArrayValue", pair["array"])}
    return {} if pair["kvlist"] is None else {"kvlist_value": _message("KeyValueList", pair["kvlist"])}


def _message(name: str, serialized: bytes) -> Any:
    """A message of opentelemetry/proto/common/v1; such are rare."""
    from opentelemetry.proto.common.v1 import common_pb2

    return getattr(common_pb2, name).FromString(serialized)
