"""OTLP's protobuf encoding -> ExportTraceServiceRequest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.model.errors import Undecodable
from spandrel.model.limits import SPANS_MAX
from spandrel.wire.json_body import NOT_UTF8
from spandrel.wire.otlp_messages import (
    LIBRARY_SPANS_FIELD,
    LIBRARY_SPANS_TAG,
    SCOPE_LISTS,
    Message,
    folded_request,
    raw_text_request,
    texts,
)
from spandrel.wire.span_ids import refuse_too_many

EMPTY_SPAN_BYTES = 2  # its tag and its length


def request_from_protobuf(body: bytes) -> tuple[Message, str]:
    """The request, and a warning for its sender (empty: none).

    Undecodable when the body is no such message, TooLarge when it has more than SPANS_MAX spans, resources and scopes.
    """
    _refuse_too_many(body)
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        return _mended(body, error), NOT_UTF8
    if LIBRARY_SPANS_TAG in body and _has_library_spans(request):  # the tag alone may stand in an id by chance
        return _with_library_spans_moved(raw_text_request().FromString(body)), ""
    return request, ""


def _refuse_too_many(body: bytes) -> None:
    """Counts what is 2 bytes here and 700 once it is read, before it is read."""
    if len(body) <= SPANS_MAX * EMPTY_SPAN_BYTES:
        return
    try:
        request = folded_request().FromString(body)
    except DecodeError as error:
        raise _undecodable(error) from error
    found = 0
    for count in _counts(request):
        found += count
        refuse_too_many(found)


def _counts(request: Message) -> Iterator[int]:
    """How many resources a folded request has, how many scopes, and how many spans."""
    yield len(request.resource_spans)
    lists = [getattr(resource_spans, name) for resource_spans in request.resource_spans for name in SCOPE_LISTS]
    yield sum(map(len, lists))
    yield sum(len(scope_spans.spans) for scopes in lists for scope_spans in scopes)


def _has_library_spans(request: Message) -> bool:
    unknown = chain.from_iterable(map(UnknownFieldSet, request.resource_spans))
    return any(field.field_number == LIBRARY_SPANS_FIELD for field in unknown)


def _with_library_spans_moved(message: Message) -> Message:
    """A private form of the request -> the ordinary one; what came in field 1000 stands in scope_spans.

    As the collector does it: only where scope_spans is empty, because senders between the versions filled both.
    """
    for resource_spans in message.resource_spans:
        if not resource_spans.scope_spans:
            resource_spans.scope_spans.extend(resource_spans.instrumentation_library_spans)
        resource_spans.ClearField("instrumentation_library_spans")
    return ExportTraceServiceRequest.FromString(message.SerializeToString())


def _mended(body: bytes, fault: DecodeError) -> Message:
    """SDKs of languages whose texts are bytes send what their program had, and one broken name must not lose the rest.

    upb refuses such texts, as proto3 demands; the collector takes them.
    """
    try:
        message = raw_text_request().FromString(body)
    except DecodeError:
        raise _undecodable(fault) from fault
    _mend(message)
    return _with_library_spans_moved(message)


def _mend(message: Message) -> None:
    text_fields = texts(type(message))
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else (value,):
                _mend(inner)
        elif field.name in text_fields:
            if field.is_repeated:
                value[:] = map(_utf8, value)
            else:
                setattr(message, field.name, _utf8(value))


def _utf8(text: bytes) -> bytes:
    return text.decode("utf-8", "replace").encode()


def _undecodable(fault: DecodeError) -> Undecodable:
    return Undecodable(f"the body is no ExportTraceServiceRequest: {fault}")
