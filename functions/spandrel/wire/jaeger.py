"""Jaeger's Thrift over HTTP, as its clients send it to a collector (jaeger's API documentation, "Thrift over HTTP").

The answer to a batch has no room to name a span, so one that cannot be stored refuses them all.
"""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import SpandrelError, Undecodable
from spandrel.model.limits import DECODED_STRUCTS_BYTES

from .content import decoded_body, media_type
from .formats import Accepted
from .jaeger_spans import otlp_of
from .jaeger_thrift import answer_of, batches, encoding_of
from .span_ids import refuse_bad_spans, spans_of
from .thrift import Encoding

THRIFT = "application/x-thrift"
TEXT = "text/plain; charset=utf-8"
FORM = "application/x-www-form-urlencoded"  # what a body without a Content-Type counts as
# None: either.
ENCODINGS: Mapping[str, Encoding | None] = {
    THRIFT: None,
    "application/vnd.apache.thrift.binary": "binary",
    "application/vnd.apache.thrift.compact": "compact",
}


def decode(request: Request) -> Accepted:
    sent = media_type(request)
    if sent not in ENCODINGS:
        raise Undecodable(f"Unsupported content type: {sent[:80] or FORM}")
    try:
        body = decoded_body(request, DECODED_STRUCTS_BYTES)
        otlp = otlp_of(batches(body, _encoding(request, body)))
        rejected, reason = refuse_bad_spans(otlp)
        if rejected:
            raise Undecodable(reason)
    except Undecodable as error:
        raise Undecodable(f"Unable to process request body: {error}") from error
    return Accepted(otlp, len(spans_of(otlp)))


def answer(request: Request, accepted: Accepted) -> Response:
    """Empty for a batch; a call gets its reply, with one outcome a batch."""
    body = decoded_body(request, DECODED_STRUCTS_BYTES)
    return Response(202, THRIFT, answer_of(body, _encoding(request, body), len(accepted.otlp.resource_spans)))


def refuse(_request: Request, error: SpandrelError) -> Response:
    """Text, as Go's http.Error makes it. Clients look at the status alone."""
    return refusals.refused(error, _text)


def _encoding(request: Request, body: bytes) -> Encoding:
    return ENCODINGS[media_type(request)] or encoding_of(body)


def _text(refusal: Refusal) -> tuple[str, bytes]:
    return TEXT, f"{refusal.message}\n".encode(errors="replace")
