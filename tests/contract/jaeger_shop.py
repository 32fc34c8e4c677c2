"""The traces of a small shop, and how version 3 of Jaeger's API is asked for them."""

from __future__ import annotations

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.archive import Archive
from tests.asking import Reply
from tests.builders import RECEIVED_NS, request_of, span

SECOND_NS = 10**9
ID = "00000000000000000000000000000001"
SEARCH = {"query.startTimeMin": "2026-09-21T14:00:00.000Z", "query.startTimeMax": "2026-09-21T15:00:00.000Z"}


def put_shop(archive: Archive, tenant: str = "shop") -> None:
    """A trace of two services and one of a third."""
    checkout = span("POST /checkout", kind=Span.SPAN_KIND_SERVER, duration_ns=2_000_000, attributes={"user.id": "7"})
    charge = span("charge", parent=checkout.span_id, kind=Span.SPAN_KIND_CLIENT, start_ns=RECEIVED_NS + 1000)
    paid = span(
        "POST /charge",
        parent=charge.span_id,
        kind=Span.SPAN_KIND_SERVER,
        start_ns=RECEIVED_NS + 2000,
        status=Status(code=Status.STATUS_CODE_ERROR, message="card refused"),
    )
    archive.add(request_of(checkout, charge, service="web"), tenant=tenant)
    archive.add(request_of(paid, service="pay"), tenant=tenant)
    alone = span("sweep", trace_id=bytes(15) + b"\2", start_ns=RECEIVED_NS + 5 * SECOND_NS)
    archive.add(request_of(alone, service="cron"), tenant=tenant)


def refusal(reply: Reply, status: int = 400) -> str:
    """The message of a refusal by version 3."""
    assert reply.status == status
    assert reply.headers["content-type"] == "application/json"
    error = reply.json["error"]
    assert error["httpCode"] == status
    return str(error["message"])
