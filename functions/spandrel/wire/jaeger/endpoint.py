"""Jaeger's Thrift over HTTP, as its clients send it to a collector (jaeger's API documentation, "Thrift over HTTP").

The answer to a batch has no room to name a span, so one that cannot be stored refuses its batch. The answer to a call
of several batches says which of them were taken, so the others are.
"""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import SpandrelError, Undecodable
from spandrel.model.limits import DECODED_STRUCTS_BYTES
from spandrel.wire.content import decoded_body, media_type
from spandrel.wire.formats import Accepted
from spandrel.wire.otlp_messages import Message
from spandrel.wire.span_ids import refuse_bad_spans, spans_of
from spandrel.wire.thrift import Encoding

from .batch import answer_of, batches, encoding_of
from .spans import otlp_of

THRIFT = "application/x-thrift"
TEXT = "text/plain; charset=utf-8"
FORM = "application/x-www-form-urlencoded"  # what a body without a Content-Type counts as
BATCH = "batch"  # its number in the call, from 0
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
        return _accepted(otlp_of(batches(body, _encoding(request, body))))
    except Undecodable as error:
        raise Undecodable(f"Unable to process request body: {error}") from error


def _accepted(otlp: Message) -> Accepted:
    """Without the spans of batches that have a bad one; their resources stay, one a batch. Undecodable if all have."""
    sent = list(map(_spans_in, otlp.resource_spans))
    bad, reason = refuse_bad_spans(otlp)
    kept = map(_spans_in, otlp.resource_spans)
    refused = [{BATCH: str(number)} for number, left in enumerate(kept) if left < sent[number]]
    if bad and len(refused) == len(sent):
        raise Undecodable(reason)
    for batch in refused:
        del otlp.resource_spans[int(batch[BATCH])].scope_spans[:]
    taken = len(spans_of(otlp))
    return Accepted(otlp, taken, sum(sent) - taken, reason, refused)


def _spans_in(batch: Message) -> int:
    return sum(len(scope_spans.spans) for scope_spans in batch.scope_spans)


def answer(request: Request, accepted: Accepted) -> Response:
    """Empty for a batch; a call gets its reply, with one outcome a batch."""
    refused = {int(batch[BATCH]) for batch in accepted.refused}
    taken = [number not in refused for number in range(len(accepted.otlp.resource_spans))]
    body = decoded_body(request, DECODED_STRUCTS_BYTES)
    return Response(202, THRIFT, answer_of(body, _encoding(request, body), taken))


def refuse(_request: Request, error: SpandrelError) -> Response:
    """Text, as Go's http.Error makes it. Clients look at the status alone."""
    return refusals.refused(error, _text)


def _encoding(request: Request, body: bytes) -> Encoding:
    return ENCODINGS[media_type(request)] or encoding_of(body)


def _text(refusal: Refusal) -> tuple[str, bytes]:
    return TEXT, f"{refusal.message}\n".encode(errors="replace")
