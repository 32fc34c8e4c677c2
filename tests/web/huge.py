"""Large traces, drawn: a request that fans out over several services, as deep and as wide as real ones."""

from __future__ import annotations

import random
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.builders import request_of, span

SERVICES = ("frontend", "checkout", "cart", "payment", "shipping", "email", "ads", "currency")
MS = 10**6


def huge(spans: int, seed: int = 1) -> list[ExportTraceServiceRequest]:
    """Requests of one trace of so many spans that began a minute ago, one request a service; same seed, same trace."""
    draw = random.Random(seed)
    trace_id = draw.randbytes(16)
    begin_ns = (time.time_ns() // 10**9 - 60) * 10**9
    made: dict[str, list[Span]] = {service: [] for service in SERVICES}
    open_: list[tuple[bytes, int, int, int]] = [(b"", begin_ns, 20_000 * MS, 0)]
    for number in range(spans):
        at = 0 if number == 0 else draw.randrange(1 if len(open_) > 1 else 0, len(open_))
        parent, start_ns, duration_ns, depth = open_[at]
        begins_ns = start_ns + int(duration_ns * draw.random() * 0.9) if parent else start_ns
        lasts_ns = max(1000, int((start_ns + duration_ns - begins_ns) * draw.random() ** 2)) if parent else duration_ns
        service = SERVICES[(depth + draw.randrange(2)) % len(SERVICES)]
        one = span(
            f"operation {draw.randrange(40)}",
            trace_id=trace_id,
            span_id=draw.randbytes(8),
            parent=parent,
            kind=Span.SPAN_KIND_SERVER if depth % 2 == 0 else Span.SPAN_KIND_CLIENT,
            start_ns=begins_ns,
            duration_ns=lasts_ns,
            attributes={"http.route": f"/items/{draw.randrange(20)}", "retries": draw.randrange(3)},
        )
        if draw.random() < 0.003:
            one.status.code = Status.STATUS_CODE_ERROR
            one.status.message = "deadline exceeded"
        made[service].append(one)
        if depth < 14 and lasts_ns > MS // 10:
            open_.append((one.span_id, begins_ns, lasts_ns, depth + 1))
    return [request_of(*some, service=service) for service, some in made.items() if some]
