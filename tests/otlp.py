"""OTLP messages for tests: strategies that generate them, and a form in which two of them can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from google.protobuf.json_format import MessageToJson
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    EntityRef,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

UINT32 = st.sampled_from([0, 1, 257, 2**32 - 1])
TIMES_NS = st.sampled_from([0, 1, 86_400 * 10**9, 1_790_000_000 * 10**9, 7_258_118_400 * 10**9, 2**63, 2**64 - 1])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = (
    st.sampled_from(["", "a", "a", "A", "^a", "service.name", "http.route", "a:string", "é", "tab\t", "k" * 300]) | TEXT
)

UNIFORM = (
    TEXT.map(lambda value: AnyValue(string_value=value)),
    st.booleans().map(lambda value: AnyValue(bool_value=value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: AnyValue(int_value=value)),
    st.floats().map(lambda value: AnyValue(double_value=value)),
)
SCALARS = st.one_of(*UNIFORM, st.binary(max_size=8).map(lambda value: AnyValue(bytes_value=value)), st.just(AnyValue()))


def _nested(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[AnyValue]:
    pairs = st.lists(st.builds(lambda key, value: KeyValue(key=key, value=value), KEYS, values), max_size=3)
    return st.one_of(
        st.lists(values, max_size=3).map(lambda items: AnyValue(array_value=ArrayValue(values=items))),
        pairs.map(lambda items: AnyValue(kvlist_value=KeyValueList(values=items))),
    )


UNIFORM_ARRAYS = st.one_of(*(st.lists(scalars, max_size=3) for scalars in UNIFORM)).map(
    lambda items: AnyValue(array_value=ArrayValue(values=items))
)
VALUES = SCALARS | UNIFORM_ARRAYS | st.recursive(SCALARS, _nested, max_leaves=6)
ATTRIBUTES = st.lists(st.builds(lambda key, value: KeyValue(key=key, value=value), KEYS, VALUES), max_size=5)
TRACE_IDS = st.sampled_from([bytes(15) + b"\1", b"\xff" * 16]) | st.binary(min_size=16, max_size=16).filter(any)
SPAN_IDS = st.binary(min_size=8, max_size=8).filter(any)

EVENTS = st.builds(
    Span.Event, time_unix_nano=TIMES_NS, name=TEXT, attributes=ATTRIBUTES, dropped_attributes_count=UINT32
)
LINKS = st.builds(
    Span.Link,
    trace_id=TRACE_IDS | st.just(b""),
    span_id=SPAN_IDS | st.just(b""),
    trace_state=TEXT,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    flags=UINT32,
)
SPANS = st.builds(
    Span,
    trace_id=TRACE_IDS,
    span_id=SPAN_IDS,
    parent_span_id=SPAN_IDS | st.just(b""),
    trace_state=TEXT,
    flags=UINT32,
    name=TEXT,
    kind=st.integers(0, 5) | st.sampled_from([17, 2**31 - 1]),
    start_time_unix_nano=TIMES_NS,
    end_time_unix_nano=TIMES_NS,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    events=st.lists(EVENTS, max_size=2),
    dropped_events_count=UINT32,
    links=st.lists(LINKS, max_size=2),
    dropped_links_count=UINT32,
    status=st.builds(Status, message=TEXT, code=st.sampled_from([0, 1, 2])),
)
SCOPES = st.builds(
    InstrumentationScope, name=TEXT, version=TEXT, attributes=ATTRIBUTES, dropped_attributes_count=UINT32
)
ENTITIES = st.builds(EntityRef, schema_url=TEXT, type=TEXT, id_keys=st.lists(TEXT, max_size=2))
RESOURCES = st.builds(
    Resource, attributes=ATTRIBUTES, dropped_attributes_count=UINT32, entity_refs=st.lists(ENTITIES, max_size=1)
)
SCOPE_SPANS = st.builds(ScopeSpans, scope=SCOPES, schema_url=TEXT, spans=st.lists(SPANS, min_size=1, max_size=4))
RESOURCE_SPANS = st.builds(
    ResourceSpans, resource=RESOURCES, schema_url=TEXT, scope_spans=st.lists(SCOPE_SPANS, min_size=1, max_size=2)
)
REQUESTS = st.builds(ExportTraceServiceRequest, resource_spans=st.lists(RESOURCE_SPANS, min_size=1, max_size=2))


def spans_of(resource_spans: Iterable[ResourceSpans]) -> Counter[str]:
    """Each span with its resource and scope, as text in which order means nothing: equal if what OTLP says is equal."""
    found: Counter[str] = Counter()
    for resource in resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                one = ResourceSpans(resource=resource.resource, schema_url=resource.schema_url)
                one.scope_spans.append(ScopeSpans(scope=scope.scope, schema_url=scope.schema_url, spans=[span]))
                found[comparable(one)] += 1
    return found


def comparable(message: Any) -> str:
    """A message as JSON text, its attributes in an order of their own; empty messages and absent ones are the same."""
    copy = type(message)()
    copy.CopyFrom(message)
    _sort_attributes(copy)
    return str(MessageToJson(copy, always_print_fields_with_no_presence=True, indent=None))


def _sort_attributes(message: Any) -> None:
    for field, value in message.ListFields():
        repeated = field.is_repeated
        if field.name == "attributes":
            # stable: the values of a repeated key keep their order
            value.sort(key=lambda pair: pair.key)
        if field.message_type is not None and field.name != "attributes":
            for inner in value if repeated else [value]:
                _sort_attributes(inner)
    for name in ("resource", "scope", "status"):
        if name in message.DESCRIPTOR.fields_by_name:
            getattr(message, name).SetInParent()
