"""Spans as `tests.linking` has them, drawn at random and sent."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.builders import RECEIVED_NS, request_of, span
from tests.linking import CONSUMER, UNSPECIFIED, Sent

FAILED = Status(code=Status.STATUS_CODE_ERROR)
NAMES = st.sampled_from(["", "web", "cart", "stock"])
KEYS = st.sampled_from(
    ["peer.service", "service.peer.name", "db.system", "db.system.name", "messaging.system", "server.address"]
)
PEERS = st.dictionaries(KEYS, st.sampled_from(["", "cart", "mysql", "10.0.0.1", "fe80::1", "db.local"]), max_size=2)


def request_for(sent: Sent) -> ExportTraceServiceRequest:
    """A request of this span alone."""
    one = span(
        sent.name,
        trace_id=sent.trace.to_bytes(16, "big"),
        span_id=sent.number.to_bytes(8, "big"),
        parent=sent.parent.to_bytes(8, "big") if sent.parent else b"",
        kind=sent.kind,  # type: ignore[arg-type]  # its number
        start_ns=sent.start_ns,
        duration_ns=sent.duration_ns,
        attributes=dict(sent.attributes),
        status=FAILED if sent.failed else None,
    )
    request = request_of(one, service=sent.service)
    if not sent.service:
        del request.resource_spans[0].resource.attributes[:]
    return request


@st.composite
def spans(draw: st.DrawFn, traces: int = 2) -> Sent:
    """A span of one of a few traces, few ids and few services, so that all can happen between them."""
    return Sent(
        number=draw(st.integers(1, 5)),
        parent=draw(st.integers(0, 6)),
        trace=draw(st.integers(1, traces)),
        kind=draw(st.integers(UNSPECIFIED, CONSUMER)),
        service=draw(NAMES),
        name=draw(st.sampled_from(["GET", "POST"])),
        start_ns=RECEIVED_NS + draw(st.sampled_from([0, 1, 59, 61, 3599, 3601, -3600, -1])) * 10**9,
        duration_ns=draw(st.sampled_from([0, 1, 1000, 10**6, 10**9])),
        failed=draw(st.booleans()),
        attributes=draw(PEERS),
    )


def told_apart(drawn: Sequence[Sent]) -> list[Sent]:
    """Spans of one identity differ in nothing but their length, as real copies do."""
    first: dict[tuple[object, ...], Sent] = {}
    return [one for one in drawn if first.setdefault((one.identity, one.duration_ns), one) is one]
