"""OTLP's messages in the private forms that reading needs, beside the ordinary ones of opentelemetry-proto.

All have the same bytes on the wire as the ordinary messages, so that SerializeToString and FromString change one into
the other. All know field 1000 of ResourceSpans, `instrumentationLibrarySpans`: where exporters and collectors before
2022 put what is `scopeSpans` now, in the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

Message = Any
"""A protobuf message; protobuf's Python library has no types that say more."""

LIBRARY_SPANS_FIELD = 1000
LIBRARY_SPANS_TAG = b"\xc2\x3e"  # field 1000 with a length, as it stands on the wire
RECURSION_MAX = 100  # of messages in messages; upb refuses what is deeper

SCOPE_LISTS = ("scope_spans", "instrumentation_library_spans")  # of a resource, in the private forms

_REQUEST = "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest"
_SCOPE_SPANS = ".opentelemetry.proto.trace.v1.ScopeSpans"
_FILES = (common_pb2, resource_pb2, trace_pb2, trace_service_pb2)


@cache
def camel_case_request() -> type[Message]:
    """ExportTraceServiceRequest whose fields have the names of OTLP/JSON; their json_name is the ordinary name."""

    def rename(field: descriptor_pb2.FieldDescriptorProto) -> None:
        field.name, field.json_name = camel_case(field.name), field.name

    return _request(rename)


@cache
def raw_text_request() -> type[Message]:
    """ExportTraceServiceRequest whose texts are bytes, so that they may be no UTF-8."""
    return _request(_as_raw_text)


@cache
def folded_request() -> type[Message]:
    """ExportTraceServiceRequest whose resources, scopes and spans are bytes: to count them before they are read."""

    def fold(field: descriptor_pb2.FieldDescriptorProto) -> None:
        _as_raw_text(field)
        if field.type == field.TYPE_MESSAGE and field.name not in {"resource_spans", *SCOPE_LISTS}:
            field.type = field.TYPE_BYTES
            field.ClearField("type_name")

    return _request(fold)


def _as_raw_text(field: descriptor_pb2.FieldDescriptorProto) -> None:
    if field.type == field.TYPE_STRING:
        field.type = field.TYPE_BYTES


def texts(message: type[Message]) -> frozenset[str]:
    """The names of the message's fields that are texts in OTLP, though they may be bytes here."""
    ordinary = descriptor_pool.Default().FindMessageTypeByName(message.DESCRIPTOR.full_name)
    return frozenset(field.name for field in ordinary.fields if field.type == field.TYPE_STRING)


def camel_case(name: str) -> str:
    """`trace_id` -> `traceId`, as protobuf makes JSON names."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _request(change: Callable[[descriptor_pb2.FieldDescriptorProto], None]) -> type[Message]:
    pool = descriptor_pool.DescriptorPool()
    for module in _FILES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in _messages(file):
            if message.name == "ResourceSpans":
                _add_library_spans(message)
            for field in message.field:
                change(field)
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(_REQUEST))


def _messages(parent: Any) -> Iterator[Any]:
    for message in getattr(parent, "message_type", None) or parent.nested_type:
        yield message
        yield from _messages(message)


def _add_library_spans(resource_spans: descriptor_pb2.DescriptorProto) -> None:
    field = resource_spans.field.add(name="instrumentation_library_spans")
    field.number, field.type_name = LIBRARY_SPANS_FIELD, _SCOPE_SPANS
    field.type, field.label = field.TYPE_MESSAGE, field.LABEL_REPEATED
    resource_spans.ClearField("reserved_range")
