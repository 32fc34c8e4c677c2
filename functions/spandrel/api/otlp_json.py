"""Spans as rows of blocks -> OTLP's JSON (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"): ids in
hex, enums as numbers, 64-bit numbers as text, bytes of attributes in base64. What has its default is left out, but for
names, times and statuses. Grafana Tempo writes the same messages by protobuf's own rules instead: ids in base64, enums
by their names.

Straight from rows to text: a protobuf message for each span in between would take several times as long.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from spandrel.blocks.naming import AttributeType
from spandrel.model.spans import KIND_NAMES, STATUSES
from spandrel.query.trace import Spans

from .columns import Part, Values
from .grouping import Parts, ResourceRows, ScopeRows, grouped, parts_of
from .values import json_double

Json = dict[str, Any]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Spelling:
    """How ids of spans and traces, their kinds and their statuses are written."""

    id: Callable[[bytes], str]
    kind: Callable[[int], int | str]
    status: Callable[[int], int | str]


_KINDS = {kind: f"SPAN_KIND_{name.upper()}" for kind, name in KIND_NAMES.items()}
_STATUSES = {status: f"STATUS_CODE_{name.upper()}" for name, status in STATUSES.items()}

OTLP = Spelling(bytes.hex, int, int)
PROTOBUF = Spelling(
    id=lambda binary: base64.b64encode(binary).decode(),
    kind=lambda kind: _KINDS.get(kind, kind),
    status=lambda status: _STATUSES.get(status, status),
)


def otlp_json(spans: Spans) -> str:
    """The text of a TracesData message. Traces stay in their order; a trace's spans of equal resource and scope stand
    together.
    """
    return f'{{"resourceSpans":{resource_spans_json(spans, OTLP)}}}'


def resource_spans_json(spans: Spans, spelling: Spelling) -> str:
    """The text of its list of ResourceSpans messages alone."""
    parts = parts_of(spans)
    return f"[{','.join(_resource_spans(one, parts, spelling) for one in grouped(spans, parts))}]"


def _resource_spans(resource: ResourceRows, parts: Parts, spelling: Spelling) -> str:
    scopes = ",".join(_scope_spans(scope, parts, spelling) for scope in resource.scopes.values())
    return f'{_encode(_resource(parts.resource, resource.row))[:-1]},"scopeSpans":[{scopes}]}}'


def _scope_spans(scope: ScopeRows, parts: Parts, spelling: Spelling) -> str:
    spans = ",".join(_encode(_span(parts.span, row, spelling)) for row in scope.rows)
    return f'{_encode(_scope(parts.scope, scope.rows[0]))[:-1]},"spans":[{spans}]}}'


_SCALARS: dict[str, Callable[[Any], Json]] = {
    "string": lambda value: {"stringValue": value},
    "int": lambda value: {"intValue": str(value)},
    "double": lambda value: {"doubleValue": json_double(value)},
    "bool": lambda value: {"boolValue": value},
    "bytes": lambda value: {"bytesValue": base64.b64encode(value).decode()},
}
_PAIR_FIELDS: dict[str, Callable[[Any], Json]] = _SCALARS | {
    "array": lambda value: {"arrayValue": _message("ArrayValue", value)},
    "kvlist": lambda value: {"kvlistValue": _message("KeyValueList", value)},
}


@cache
def _encoder(attribute_type: AttributeType) -> Callable[[Any], Json]:
    if not attribute_type.endswith("[]"):
        return _SCALARS[attribute_type]
    element = _SCALARS[attribute_type.removesuffix("[]")]
    return lambda values: {"arrayValue": {"values": [element(value) for value in values]}}


def _attributes(part: Part, values: Values) -> list[Json]:
    found = [
        {"key": key, "value": _encoder(attribute_type)(values[name])}
        for name, (key, attribute_type) in part.attributes.items()
        if name in values
    ]
    return found + _pairs(values.get(part.rest))


def _pairs(pairs: Sequence[Json] | None) -> list[Json]:
    """KEY_VALUE structs of the schema -> KeyValue messages."""
    return [{"key": pair["key"], "value": _pair_value(pair)} for pair in pairs or ()]


def _pair_value(pair: Json) -> Json:
    for name, encoded in _PAIR_FIELDS.items():
        if pair[name] is not None:
            return encoded(pair[name])
    return {}


def _message(name: str, serialized: bytes) -> Json:
    """A message of opentelemetry/proto/common/v1; such are rare."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.common.v1 import common_pb2

    return MessageToDict(getattr(common_pb2, name).FromString(serialized))


def _resource(part: Part, row: Sequence[Any]) -> Json:
    values = part.values(row)
    refs = [_message("EntityRef", ref) for ref in values.get("resource_entity_refs", ())]
    resource = _said(
        attributes=_attributes(part, values),
        droppedAttributesCount=values.get("resource_dropped_attributes_count"),
        entityRefs=refs,
    )
    return {"resource": resource} | _said(schemaUrl=values.get("resource_schema_url"))


def _scope(part: Part, row: Sequence[Any]) -> Json:
    values = part.values(row)
    scope = _said(
        name=values.get("scope_name"),
        version=values.get("scope_version"),
        attributes=_attributes(part, values),
        droppedAttributesCount=values.get("scope_dropped_attributes_count"),
    )
    return {"scope": scope} | _said(schemaUrl=values.get("scope_schema_url"))


def _span(part: Part, row: Sequence[Any], spelling: Spelling) -> Json:
    values = part.values(row)
    start_ns = values["start_time_unix_nano"]
    return {
        "traceId": spelling.id(values["trace_id"]),
        "spanId": spelling.id(values["span_id"]),
        "name": values.get("name", ""),
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str((start_ns + values["duration_nano"]) % 2**64),
        "status": _said(message=values.get("status_message"), code=_spelt(spelling.status, values.get("status_code"))),
    } | _said(
        traceState=values.get("trace_state"),
        parentSpanId=spelling.id(values.get("parent_span_id", b"")),
        flags=values.get("flags"),
        kind=_spelt(spelling.kind, values.get("kind")),
        attributes=_attributes(part, values),
        droppedAttributesCount=values.get("dropped_attributes_count"),
        events=[_event(event) for event in values.get("events", ())],
        droppedEventsCount=values.get("dropped_events_count"),
        links=[_link(link, spelling) for link in values.get("links", ())],
        droppedLinksCount=values.get("dropped_links_count"),
    )


def _event(event: Json) -> Json:
    return {"timeUnixNano": str(event["time_unix_nano"]), "name": event["name"]} | _said(
        attributes=_pairs(event["attributes"]), droppedAttributesCount=event["dropped_attributes_count"]
    )


def _link(link: Json, spelling: Spelling) -> Json:
    return {"traceId": spelling.id(link["trace_id"]), "spanId": spelling.id(link["span_id"])} | _said(
        traceState=link["trace_state"],
        flags=link["flags"],
        attributes=_pairs(link["attributes"]),
        droppedAttributesCount=link["dropped_attributes_count"],
    )


def _spelt(spell: Callable[[int], int | str], number: int | None) -> int | str | None:
    """A number that is the default is left out, whatever its name."""
    return spell(number) if number else None


def _said(**fields: Any) -> Json:
    """The fields that differ from OTLP's default."""
    return {name: value for name, value in fields.items() if value}
