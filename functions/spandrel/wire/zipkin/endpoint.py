"""Zipkin's HTTP collector: spans of version 2 as JSON and protobuf, of version 1 as JSON and Thrift.

As in openzipkin/zipkin (ZipkinHttpCollector.java): 202 without a body, also for nothing; any other media type than the
binary ones is JSON; one bad span refuses the request, because an answer has no way to name it; refusals are text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import SpandrelError, Undecodable
from spandrel.wire.content import decoded_body, media_type
from spandrel.wire.formats import Accepted
from spandrel.wire.span_ids import spans_of

from .otlp import otlp_of
from .span import ZipkinSpan

TEXT = "text/plain; charset=utf-8"
NOTHING = (b"", b"[]")  # in every encoding


class _Encoding(NamedTuple):
    """`firsts`: the bytes with which a list can begin. `foreign`: what stands in a list of the other version alone."""

    name: str
    firsts: bytes
    read: Callable[[bytes], Iterable[ZipkinSpan]]
    foreign: tuple[bytes, ...] = ()
    foreign_name: str = ""


def decode(request: Request) -> Accepted:
    encoding = _encoding(request)
    body = decoded_body(request)
    if body in NOTHING:
        return Accepted(otlp_of(()), 0)
    _expect(encoding, body)
    otlp = otlp_of(encoding.read(body))
    return Accepted(otlp, len(spans_of(otlp)))


def answer(_request: Request, _accepted: Accepted) -> Response:
    return Response(202, TEXT, b"")


def refuse(_request: Request, error: SpandrelError) -> Response:
    return refusals.refused(error, _text)


def _text(refusal: Refusal) -> tuple[str, bytes]:
    return TEXT, f"{refusal.message}\n".encode()


def _encoding(request: Request) -> _Encoding:
    encodings = _OF_V1 if request.path.endswith("/v1/spans") else _OF_V2
    return encodings.get(media_type(request), encodings["application/json"])


def _expect(encoding: _Encoding, body: bytes) -> None:
    if body[0] not in encoding.firsts:
        raise Undecodable(f"Expected a {encoding.name} encoded list")
    if any(word in body for word in encoding.foreign):
        raise Undecodable(f"Expected a {encoding.name} encoded list, but received: {encoding.foreign_name}")


def _json_v2(body: bytes) -> Iterator[ZipkinSpan]:
    from .json_encoding import v2_spans

    return v2_spans(body)


def _protobuf(body: bytes) -> Iterator[ZipkinSpan]:
    from .protobuf_encoding import spans_of

    return spans_of(body)


def _json_v1(body: bytes) -> Iterator[ZipkinSpan]:
    from .json_encoding import v1_spans
    from .v1 import v2_of

    for span in v1_spans(body):
        yield from v2_of(span)


def _thrift(body: bytes) -> Iterator[ZipkinSpan]:
    from .thrift_encoding import v1_spans
    from .v1 import v2_of

    for span in v1_spans(body):
        yield from v2_of(span)


_OF_V2: Mapping[str, _Encoding] = {
    "application/json": _Encoding("JSON_V2", b"[", _json_v2, (b'yAnnotations"',), "JSON_V1"),
    "application/x-protobuf": _Encoding("PROTO3", b"\x0a", _protobuf),
}
_OF_V1: Mapping[str, _Encoding] = {
    "application/json": _Encoding("JSON_V1", b"[", _json_v1, (b'Endpoint"', b'"tags"'), "JSON_V2"),
    "application/x-thrift": _Encoding("THRIFT", b"\x0c\x0b", _thrift),
}
