"""Zipkin's protobuf encoding, version 2 -> spans (openzipkin/zipkin-api: zipkin.proto).

The messages are declared here, because no package brings them. Texts are declared as bytes, as they are on the wire, so
that one that is no UTF-8 costs its characters and not the request; Zipkin reads them so too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import DecodeError

from spandrel.model.errors import Undecodable
from spandrel.model.ids import SPAN_ID_BYTES, TRACE_ID_BYTES
from spandrel.wire.otlp_messages import Message
from spandrel.wire.span_ids import refuse_too_many

from .span import CLIENT, CONSUMER, NOWHERE, PRODUCER, SERVER, Endpoint, ZipkinSpan, packed_endpoint_of

INT64_MAX = 2**63 - 1  # a larger number is negative in Zipkin, and a negative time is none
KINDS = (0, CLIENT, SERVER, PRODUCER, CONSUMER)  # by Zipkin's numbers; a number beyond is none

# message -> fields: name, number, type (of another message: its name), and a star where it is repeated
_MESSAGES = {
    "Endpoint": "service_name 1 bytes, ipv4 2 bytes, ipv6 3 bytes, port 4 int32",
    "Annotation": "timestamp 1 fixed64, value 2 bytes",
    "Tag": "key 1 bytes, value 2 bytes",  # an entry of a map
    "Span": "trace_id 1 bytes, parent_id 2 bytes, id 3 bytes, kind 4 uint32, name 5 bytes, timestamp 6 fixed64,"
    " duration 7 uint64, local_endpoint 8 Endpoint, remote_endpoint 9 Endpoint, annotations 10 Annotation*,"
    " tags 11 Tag*, debug 12 bool, shared 13 bool",
    "ListOfSpans": "spans 1 bytes*",  # read one by one, so that memory holds one of them
}


def spans_of(body: bytes) -> Iterator[ZipkinSpan]:
    """The spans of a ListOfSpans. Undecodable at the first that is none, with its place in the list."""
    try:
        found = _message("ListOfSpans").FromString(body).spans
        refuse_too_many(len(found))
        for place, packed in enumerate(found):
            yield _placed(place, _message("Span").FromString(packed))
    except DecodeError as error:
        raise Undecodable(f"the body is no ListOfSpans: {error}") from error


def _placed(place: int, message: Message) -> ZipkinSpan:
    try:
        return _span(message)
    except Undecodable as error:
        raise Undecodable(f"span {place}: {error}") from error


def _span(found: Message) -> ZipkinSpan:
    span_id = _id(found.id, (SPAN_ID_BYTES,), "id")
    parent_id = found.parent_id
    if any(parent_id):
        parent_id = _id(parent_id, (SPAN_ID_BYTES,), "parentId")
    return ZipkinSpan(
        _id(found.trace_id, (SPAN_ID_BYTES, TRACE_ID_BYTES), "traceId").rjust(TRACE_ID_BYTES, b"\0"),
        span_id,
        parent_id if any(parent_id) and parent_id != span_id else b"",
        KINDS[found.kind] if found.kind < len(KINDS) else 0,
        _text(found.name),
        _time(found.timestamp),
        _time(found.duration),
        _endpoint(found.local_endpoint) if found.HasField("local_endpoint") else NOWHERE,
        _endpoint(found.remote_endpoint) if found.HasField("remote_endpoint") else NOWHERE,
        [(_time(item.timestamp), _text(item.value)) for item in found.annotations if item.timestamp and item.value],
        {_text(tag.key): _text(tag.value) for tag in found.tags},
        found.debug,
        found.shared,
    )


def _id(found: bytes, widths_bytes: tuple[int, ...], what: str) -> bytes:
    if len(found) not in widths_bytes or not any(found):
        widths = " or ".join(map(str, widths_bytes))
        raise Undecodable(f"{what} is {widths} bytes that are not all zero, not {found[:TRACE_ID_BYTES].hex()!r}")
    return found


def _text(found: bytes) -> str:
    return found.decode("utf-8", "replace")


def _time(number: int) -> int:
    return number if number <= INT64_MAX else 0


def _endpoint(found: Message) -> Endpoint:
    return packed_endpoint_of(_text(found.service_name), found.ipv4, found.ipv6, found.port)


@cache
def _message(of: str) -> type[Message]:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"zipkin.{of}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="zipkin.proto", package="zipkin", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields.split(", "):
            _declare(message, *field.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _declare(message: Any, name: str, number: str, type_name: str) -> None:
    element = type_name.removesuffix("*")
    repeated = element != type_name
    label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    field = message.field.add(name=name, number=int(number), label=label)
    if element in _MESSAGES:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".zipkin.{element}"
    else:
        field.type = FieldDescriptorProto.Type.Value(f"TYPE_{element.upper()}")
