"""Zipkin's Thrift encoding, version 1: a bare list of Span, in Thrift's binary protocol.

Fields and their numbers are those of openzipkin/zipkin-api's zipkinCore.thrift.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from spandrel.model.errors import Undecodable
from spandrel.wire.thrift import BOOL, BYTES, I16, I32, I64, TEXT, Reader, Record, list_of, record

from .span import NOWHERE, Endpoint, Tag, packed_endpoint_of
from .v1 import ADDRESSES, V1Annotation, V1Span

LIST_OF_STRUCT, LIST_OF_TEXT = b"\x0c", b"\x0b"  # some reporters say the second (zipkin-reporter-java, issue 133)
UINT64 = 2**64 - 1
OF_TRUE, OF_TEXT = 0, 6  # values of AnnotationType
TRUE = b"\1"

Known = dict[tuple[str | None, int | None, bytes | None, int | None], Endpoint]
"""The endpoints of a body by their fields: each annotation of a service has the same."""


class _Endpoint(Record):
    FIELDS: ClassVar = {1: ("ipv4", I32), 2: ("port", I16), 3: ("service_name", TEXT), 4: ("ipv6", BYTES)}
    ipv4: int | None
    port: int | None
    service_name: str | None
    ipv6: bytes | None


class _Annotation(Record):
    FIELDS: ClassVar = {1: ("timestamp", I64), 2: ("value", TEXT), 3: ("host", record(_Endpoint))}
    timestamp: int | None
    value: str | None
    host: _Endpoint | None


class _BinaryAnnotation(Record):
    FIELDS: ClassVar = {1: ("key", TEXT), 2: ("value", BYTES), 3: ("type", I32), 4: ("host", record(_Endpoint))}
    key: str | None
    value: bytes | None
    type: int | None
    host: _Endpoint | None


class _Span(Record):
    FIELDS: ClassVar = {
        1: ("trace_id", I64),
        3: ("name", TEXT),
        4: ("id", I64),
        5: ("parent_id", I64),
        6: ("annotations", list_of(record(_Annotation))),
        8: ("binary_annotations", list_of(record(_BinaryAnnotation))),
        9: ("debug", BOOL),
        10: ("timestamp", I64),
        11: ("duration", I64),
        12: ("trace_id_high", I64),
    }
    trace_id: int | None
    name: str | None
    id: int | None
    parent_id: int | None
    annotations: list[_Annotation] | None
    binary_annotations: list[_BinaryAnnotation] | None
    debug: bool | None
    timestamp: int | None
    duration: int | None
    trace_id_high: int | None


def v1_spans(body: bytes) -> Iterator[V1Span]:
    """The spans of the list. Undecodable at the first that is none, with its place in the list."""
    if body.startswith(LIST_OF_TEXT):
        body = LIST_OF_STRUCT + body[1:]
    known: Known = {}
    for place, found in enumerate(Reader(body).records(_Span)):
        try:
            span = _v1_span(found, known)
        except Undecodable as error:
            raise Undecodable(f"span {place}: {error}") from error
        yield span


def _v1_span(found: _Span, known: Known) -> V1Span:
    if not found.id or not (found.trace_id or found.trace_id_high):
        raise Undecodable("a span has a trace_id and an id, which are not 0")
    parent_id = found.parent_id if found.parent_id != found.id else 0
    return V1Span(
        _id(found.trace_id_high) + _id(found.trace_id),
        _id(found.id),
        _id(parent_id) if parent_id else b"",
        found.name or "",
        found.timestamp or 0,
        found.duration or 0,
        [
            V1Annotation(item.timestamp, item.value, _endpoint(item.host, known))
            for item in found.annotations or ()
            if item.timestamp and item.value is not None
        ],
        [
            (item.key, _value(item), _endpoint(item.host, known))
            for item in found.binary_annotations or ()
            if item.key is not None and item.value is not None
        ],
        found.debug is True,
    )


def _id(number: int | None) -> bytes:
    return ((number or 0) & UINT64).to_bytes(8, "big")


def _endpoint(found: _Endpoint | None, known: Known) -> Endpoint:
    if found is None:
        return NOWHERE
    fields = found.service_name, found.ipv4, found.ipv6, found.port
    endpoint = known.get(fields)
    if endpoint is None:
        endpoint = known[fields] = _new_endpoint(found)
    return endpoint


def _new_endpoint(found: _Endpoint) -> Endpoint:
    ipv4 = (found.ipv4 & 0xFFFFFFFF).to_bytes(4, "big") if found.ipv4 else b""
    return packed_endpoint_of(found.service_name or "", ipv4, found.ipv6 or b"", (found.port or 0) & 0xFFFF)


def _value(found: _BinaryAnnotation) -> Tag:
    """By its type; as bytes where the type does not fit or is not known."""
    value = found.value or b""
    if found.type == OF_TEXT:
        return value.decode("utf-8", "replace")
    if found.type == OF_TRUE:
        return value == TRUE if found.key in ADDRESSES else value.strip(b"\0") != b""
    number = _NUMBERS.get((found.type, len(value)))
    return number(value) if number else value


def _integer(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _double(value: bytes) -> float:
    return float(struct.unpack(">d", value)[0])


# (AnnotationType, bytes of the value) -> how it is read
_NUMBERS: Mapping[tuple[int | None, int], Callable[[bytes], Tag]] = {
    (2, 2): _integer,
    (3, 4): _integer,
    (4, 8): _integer,
    (5, 8): _double,
}
