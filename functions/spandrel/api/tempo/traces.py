"""Whole traces by their ids, as JSON or, as Grafana asks for them, in protobuf."""

from __future__ import annotations

import json
import re

from spandrel.api.otlp_json import PROTOBUF, resource_spans_json
from spandrel.api.otlp_protobuf import otlp_protobuf
from spandrel.api.parameters import whole_number
from spandrel.api.question import JSON, Question
from spandrel.http.response import Response
from spandrel.model.errors import NotFound, Rejected
from spandrel.model.trace_ids import trace_id_of
from spandrel.query import trace
from spandrel.query.reading import FOREVER_NS
from spandrel.query.trace import Spans

from .partial import PARTIAL, message_of, status_of
from .times import SECOND_NS

PROTOBUF_TYPE = "application/protobuf"
TEXT = "text/plain; charset=utf-8"
_SECONDS_MAX = 2**32 - 1
_ID_DIGITS = 32
_NO_HEX = re.compile(r"[^0-9a-fA-F]")
# What Tempo leaves out of a trace, or draws together in it, if it is asked to.
_UNSUPPORTED = ("q", "span_pruning")

# Fields of tempopb.TraceByIDResponse as they stand before their values: the first three have lengths, the third is a
# number.
_TRACE, _METRICS, _STATUS, _MESSAGE = b"\x0a", b"\x12", b"\x18", b"\x22"


def one_trace(question: Question) -> Response:
    """GET /api/traces/{trace_id}?start&end, unix seconds: 404 with nothing in it for a trace that is not there."""
    try:
        found = _found(question)
    except NotFound:
        return Response(404, TEXT, b"")
    if _takes_protobuf(question):
        return Response(200, PROTOBUF_TYPE, otlp_protobuf(found))
    return Response(200, JSON, f'{{"batches":{resource_spans_json(found, PROTOBUF)}}}'.encode())


def one_trace_v2(question: Question) -> Response:
    """GET /api/v2/traces/{trace_id}?start&end: the trace in an envelope, which is empty if it is not there."""
    try:
        found = _found(question)
    except NotFound:
        found = Spans((), [])
    if _takes_protobuf(question):
        return Response(200, PROTOBUF_TYPE, _enveloped(question, otlp_protobuf(found) if found.rows else b""))
    told = f'{{"resourceSpans":{resource_spans_json(found, PROTOBUF)}}}' if found.rows else "{}"
    further = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in status_of(question.reading).items())
    return Response(200, JSON, f'{{"trace":{told},"metrics":{{}}{further}}}'.encode())


def _found(question: Question) -> Spans:
    trace_id = _trace_id(question.path["trace_id"])
    parameters = question.parameters
    for name in _UNSUPPORTED:
        if parameters.text(name):
            raise Rejected(f"parameter {name} is not supported")
    seconds = whole_number(0, _SECONDS_MAX)
    start_s, end_s = parameters.parsed(seconds, "start") or 0, parameters.parsed(seconds, "end") or 0
    if start_s and end_s and end_s <= start_s:
        raise Rejected(f"http parameter start must be before end. received start={start_s} end={end_s}")
    return trace.trace(
        question.reading, trace_id, start_s * SECOND_NS, (end_s + 1) * SECOND_NS if end_s else FOREVER_NS
    )


def _trace_id(text: str) -> bytes:
    """Any system's spelling of the id; what is none is refused in Tempo's words."""
    try:
        return trace_id_of(text)
    except Rejected as error:
        wrong = _NO_HEX.search(text)
        if wrong:
            raise Rejected(
                f"trace IDs can only contain hex characters: invalid character '{wrong[0]}' at position "
                f"{wrong.start() + 1}"
            ) from error
        raise Rejected("trace IDs can't be larger than 128 bits" if len(text) > _ID_DIGITS else str(error)) from error


def _takes_protobuf(question: Question) -> bool:
    return PROTOBUF_TYPE in question.request.header("accept")


def _enveloped(question: Question, serialized: bytes) -> bytes:
    """A TraceByIDResponse. An empty trace is there too: Grafana takes it for granted."""
    message = message_of(question.reading).encode()
    partial = _STATUS + bytes([PARTIAL]) + _field(_MESSAGE, message) if message else b""
    return _field(_TRACE, serialized) + _field(_METRICS, b"") + partial


def _field(tag: bytes, value: bytes) -> bytes:
    return tag + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    """Seven bits a byte, the least ones first; all bytes but the last have their highest bit set."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])
