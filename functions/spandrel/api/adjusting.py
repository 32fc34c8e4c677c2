"""What is changed in a trace so that it can be drawn, each time with a warning at the span.

Of the adjusters of Jaeger's query service (internal/.../adjuster) these are left; times are not corrected, because a
clock that is off is worth seeing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from spandrel.api.spans import Span
from spandrel.model import jaeger
from spandrel.model.spans import KINDS, STATUSES

NO_START = "this span came without a start; it is drawn where the trace begins"
NO_END = "this span came without an end"
FAILED = "this span failed, though its attribute error says nothing or no"
OWN_ID = "client and server share the span id {}; this, the server, is drawn under an id of its own"

_SERVER, _CLIENT = KINDS["server"], KINDS["client"]


def adjusted(trace: list[Span]) -> list[Span]:
    """A trace's spans in their order, each with an id of its own and a start, and told where there is no end; those
    that failed say so.
    """
    timed = (span if span.end_ns else _warned(span, NO_END) for span in with_starts(with_own_ids(trace)))
    return [_with_failure(span) for span in timed]


def with_own_ids(trace: list[Span]) -> list[Span]:
    """Zipkin's clients and servers share a span: the server gets an id that follows from the shared one, the client is
    its parent, and what had the shared id as its parent is the server's child.
    """
    clients = {span.span_id for span in trace if span.kind == _CLIENT}
    shared = {span.span_id for span in trace if span.kind == _SERVER and span.span_id in clients}
    return [_with_id(span, shared) for span in trace] if shared else trace


def _with_id(span: Span, shared: set[bytes]) -> Span:
    if span.kind == _SERVER and span.span_id in shared:
        own = replace(span, span_id=_server_id(span.span_id), parent_id=span.span_id)
        return _warned(own, OWN_ID.format(span.span_id.hex()))
    if span.parent_id in shared and span.parent_id != span.span_id:
        return replace(span, parent_id=_server_id(span.parent_id))
    return span


def _server_id(shared: bytes) -> bytes:
    """The same at every look at the trace, however much of it has come."""
    return hashlib.sha256(b"server" + shared).digest()[:8]


def with_starts(trace: list[Span]) -> Iterator[Span]:
    """Spans without a start would stretch the drawing over half a century."""
    first_ns = min((span.start_ns for span in trace if span.start_ns), default=0)
    for span in trace:
        if not span.start_ns:
            yield _warned(replace(span, start_ns=first_ns, end_ns=span.end_ns and first_ns + span.end_ns), NO_START)
        else:
            yield span


def _with_failure(span: Span) -> Span:
    """Jaeger UI knows a span that failed by its tag `error` alone, which Zipkin's clients often send empty."""
    if span.status != STATUSES["error"] or span.attributes.get(jaeger.ERROR_TAG, True):
        return span
    return _warned(replace(span, attributes={**span.attributes, jaeger.ERROR_TAG: True}), FAILED)


def _warned(span: Span, warning: str) -> Span:
    known = span.attributes.get(jaeger.WARNINGS)
    warnings = [*known, warning] if isinstance(known, list) else [warning]
    return replace(span, attributes={**span.attributes, jaeger.WARNINGS: warnings})
