"""Rows of blocks -> OTLP messages, equal to what was sent.

One trace, or a page of them, at a time: here a plain loop over spans is right. What comes out equal is what OTLP says;
the order of attributes, and which of two equal resources a span stood under, are no part of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    EntityRef,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status, TracesData

from .naming import ATTRIBUTE_SCOPES, SERVICE_NAME, AttributeScope, AttributeType, attribute_of_column

Row = dict[str, Any]
_MODULO = 2**64
_UNSET_PARENT = b""

_SCALARS: dict[str, Callable[[Any], AnyValue]] = {
    "string": lambda value: AnyValue(string_value=value),
    "int": lambda value: AnyValue(int_value=value),
    "double": lambda value: AnyValue(double_value=value),
    "bool": lambda value: AnyValue(bool_value=value),
    "bytes": lambda value: AnyValue(bytes_value=value),
}


def to_otlp(spans: pa.Table) -> TracesData:
    """Whole rows of a block (all its columns; rows in any order) -> TracesData, spans of equal resource and scope
    together.
    """
    attributes = _AttributeReader(spans.column_names)
    resources: dict[bytes, ResourceSpans] = {}
    scopes: dict[tuple[bytes, bytes], ScopeSpans] = {}
    for row in _rows(spans):
        resource_spans = _resource_spans(row, attributes)
        resource_key = resource_spans.SerializeToString(deterministic=True)
        resource_spans = resources.setdefault(resource_key, resource_spans)
        scope_spans = _scope_spans(row, attributes)
        scope_key = (resource_key, scope_spans.SerializeToString(deterministic=True))
        if scope_key not in scopes:
            scopes[scope_key] = resource_spans.scope_spans.add()
            scopes[scope_key].CopyFrom(scope_spans)
        scopes[scope_key].spans.append(_span(row, attributes))
    return TracesData(resource_spans=resources.values())


def _rows(spans: pa.Table) -> Iterator[Row]:
    """Rows without their nulls; null and OTLP's defaults are the same."""
    names = spans.column_names
    for values in zip(*(column.to_pylist() for column in spans.columns), strict=True):
        yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


class _AttributeReader:
    """Knows which columns of a block are attributes, and turns a row's into KeyValue messages."""

    def __init__(self, columns: list[str]) -> None:
        self._columns: dict[AttributeScope, list[tuple[str, str, AttributeType]]] = {s: [] for s in ATTRIBUTE_SCOPES}
        for column in columns:
            found = attribute_of_column(column)
            if found:
                scope, key, attribute_type = found
                self._columns[scope].append((column, key, attribute_type))
        self._columns["resource"].insert(0, ("service", SERVICE_NAME, "string"))

    def of(self, row: Row, scope: AttributeScope) -> list[KeyValue]:
        columns = self._columns[scope]
        pairs = [KeyValue(key=key, value=_any_value(row[name], how)) for name, key, how in columns if name in row]
        return pairs + key_values(row.get(f"{scope}_rest"))


def key_values(pairs: list[Row] | None) -> list[KeyValue]:
    """KEY_VALUE structs -> KeyValue messages."""
    return [KeyValue(key=pair["key"], value=_struct_value(pair)) for pair in pairs or ()]


def _struct_value(pair: Row) -> AnyValue:
    for field, make in _SCALARS.items():
        if pair[field] is not None:
            return make(pair[field])
    if pair["array"] is not None:
        return AnyValue(array_value=ArrayValue.FromString(pair["array"]))
    if pair["kvlist"] is not None:
        return AnyValue(kvlist_value=KeyValueList.FromString(pair["kvlist"]))
    return AnyValue()


def _any_value(value: Any, attribute_type: AttributeType) -> AnyValue:
    if attribute_type.endswith("[]"):
        make = _SCALARS[attribute_type.removesuffix("[]")]
        return AnyValue(array_value=ArrayValue(values=[make(element) for element in value]))
    return _SCALARS[attribute_type](value)


def _resource_spans(row: Row, attributes: _AttributeReader) -> ResourceSpans:
    return ResourceSpans(
        resource=Resource(
            attributes=attributes.of(row, "resource"),
            dropped_attributes_count=row.get("resource_dropped_attributes_count", 0),
            entity_refs=[EntityRef.FromString(ref) for ref in row.get("resource_entity_refs", ())],
        ),
        schema_url=row.get("resource_schema_url", ""),
    )


def _scope_spans(row: Row, attributes: _AttributeReader) -> ScopeSpans:
    return ScopeSpans(
        scope=InstrumentationScope(
            name=row.get("scope_name", ""),
            version=row.get("scope_version", ""),
            attributes=attributes.of(row, "scope"),
            dropped_attributes_count=row.get("scope_dropped_attributes_count", 0),
        ),
        schema_url=row.get("scope_schema_url", ""),
    )


def _span(row: Row, attributes: _AttributeReader) -> Span:
    start_ns = row["start_time_unix_nano"]
    return Span(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_span_id=row.get("parent_span_id", _UNSET_PARENT),
        trace_state=row.get("trace_state", ""),
        flags=row.get("flags", 0),
        name=row["name"],
        kind=row["kind"],
        start_time_unix_nano=start_ns,
        end_time_unix_nano=(start_ns + row["duration_nano"]) % _MODULO,
        attributes=attributes.of(row, "span"),
        dropped_attributes_count=row.get("dropped_attributes_count", 0),
        events=[_event(event) for event in row.get("events", ())],
        dropped_events_count=row.get("dropped_events_count", 0),
        links=[_link(link) for link in row.get("links", ())],
        dropped_links_count=row.get("dropped_links_count", 0),
        status=Status(code=row.get("status_code", 0), message=row.get("status_message", "")),
    )


def _event(event: Row) -> Span.Event:
    return Span.Event(
        time_unix_nano=event["time_unix_nano"],
        name=event["name"],
        attributes=key_values(event["attributes"]),
        dropped_attributes_count=event["dropped_attributes_count"],
    )


def _link(link: Row) -> Span.Link:
    return Span.Link(
        trace_id=link["trace_id"],
        span_id=link["span_id"],
        trace_state=link["trace_state"],
        flags=link["flags"],
        attributes=key_values(link["attributes"]),
        dropped_attributes_count=link["dropped_attributes_count"],
    )
