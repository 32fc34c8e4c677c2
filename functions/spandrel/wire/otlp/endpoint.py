"""OTLP over HTTP, as protobuf and as JSON (opentelemetry-proto, docs/specification.md, "OTLP/HTTP").

The answer's encoding is the request's. Where the specification leaves a choice: spans with bad ids are refused one by
one, the rest of their request is kept; a client that does not say what it sends is answered in JSON.
"""

from __future__ import annotations

import json

from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import NotAllowed, SpandrelError, Unsupported
from spandrel.wire.content import decoded_body, media_type
from spandrel.wire.formats import Accepted
from spandrel.wire.otlp_messages import Message
from spandrel.wire.span_ids import refuse_bad_spans, spans_of

from .protobuf_encoding import request_from_protobuf

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def decode(request: Request) -> Accepted:
    if request.method != "POST":
        raise NotAllowed(f"{request.path} takes POST, not {request.method}", ("POST",))
    sent, warning = _message(request)
    rejected, reason = refuse_bad_spans(sent)
    reasons = "; ".join(filter(None, (reason, warning)))
    return Accepted(sent, len(spans_of(sent)), rejected, reasons)


def answer(request: Request, accepted: Accepted) -> Response:
    """ExportTraceServiceResponse: empty when there is nothing to say, else with partial_success.

    A reason without rejected spans is a warning (specification, "Partial Success").
    """
    if media_type(request) == PROTOBUF:
        return Response(200, PROTOBUF, _response(accepted))
    told = {"rejectedSpans": str(accepted.rejected), "errorMessage": accepted.reason}
    return Response(200, JSON, _json({"partialSuccess": told} if accepted.reason else {}))


def refuse(request: Request, error: SpandrelError) -> Response:
    return refusals.refused(error, _protobuf_status if media_type(request) == PROTOBUF else _json_status)


def _message(request: Request) -> tuple[Message, str]:
    match media_type(request):
        case "application/x-protobuf":
            return request_from_protobuf(decoded_body(request))
        case "application/json":
            from .json_encoding import request_from_json  # where it is used: most SDKs send protobuf

            return request_from_json(decoded_body(request))
        case other:
            raise Unsupported(f"Content-Type is {PROTOBUF} or {JSON}, not {other[:80]!r}")


def _response(accepted: Accepted) -> bytes:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    response = ExportTraceServiceResponse()
    if accepted.reason:
        response.partial_success.rejected_spans = accepted.rejected
        response.partial_success.error_message = accepted.reason
    return response.SerializeToString()


def _protobuf_status(refusal: Refusal) -> tuple[str, bytes]:
    from google.rpc.status_pb2 import Status

    return PROTOBUF, Status(code=refusal.code, message=refusal.message).SerializeToString()


def _json_status(refusal: Refusal) -> tuple[str, bytes]:
    return JSON, _json({"code": refusal.code, "message": refusal.message})


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
