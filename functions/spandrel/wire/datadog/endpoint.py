"""What Datadog's tracers say to their agent: traces, as msgpack (v0.4, v0.5), and the question what the agent can do.

The agent drops what it cannot use and answers 200 all the same, and so it is here: the protocol has no way to say that
a span was refused. The rates in the answer tell a tracer how many of a service's traces to keep: all of them.
"""

from __future__ import annotations

import json

from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import SpandrelError, Unsupported
from spandrel.model.limits import DECODED_STRUCTS_BYTES
from spandrel.wire.content import decoded_body, media_type
from spandrel.wire.formats import Accepted
from spandrel.wire.span_ids import refuse_bad_spans, spans_of

MSGPACK = "application/msgpack"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
V04, V05, INFO = "/v0.4/traces", "/v0.5/traces", "/info"
# No statistics and no remote configuration, so that tracers send whole traces and ask for nothing else.
AGENT = {"endpoints": [V04, V05], "client_drop_p0s": False, "span_events": True, "span_meta_structs": True}
RATES = {"rate_by_service": {"service:,env:": 1}}


def decode(request: Request) -> Accepted:
    from .payloads import traces_of_v04, traces_of_v05  # where they are used: the question needs no msgpack
    from .spans import otlp_of

    if request.path.endswith(INFO):
        return Accepted(otlp_of([], {}), 0)
    if media_type(request) != MSGPACK:
        raise Unsupported(f"Content-Type is {MSGPACK}, not {media_type(request)[:80]!r}")
    traces_of = traces_of_v05 if request.path.endswith(V05) else traces_of_v04
    otlp = otlp_of(traces_of(decoded_body(request, DECODED_STRUCTS_BYTES)), request.headers)
    rejected, reason = refuse_bad_spans(otlp)
    return Accepted(otlp, len(spans_of(otlp)), rejected, reason)


def answer(request: Request, _accepted: Accepted) -> Response:
    return Response(200, JSON, json.dumps(AGENT if request.path.endswith(INFO) else RATES).encode())


def refuse(_request: Request, error: SpandrelError) -> Response:
    """Text, as the agent's are (datadog-agent, pkg/trace/api/responses.go)."""
    return refusals.refused(error, _text)


def _text(refusal: Refusal) -> tuple[str, bytes]:
    return TEXT, f"{refusal.message}\n".encode(errors="replace")
