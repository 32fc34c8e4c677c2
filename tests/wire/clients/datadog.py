"""A program that Datadog's library traces, as its documentation shows it: nothing here knows where its spans go.

It prints the headers by which it would hand on its trace.
"""

from __future__ import annotations

from ddtrace import tracer
from ddtrace.propagation.http import HTTPPropagator


def charge(card: str) -> None:
    raise ValueError(f"no such card: {card}")


with tracer.trace("web.request", service="shop", resource="GET /cart", span_type="web") as request:
    request.set_tag("span.kind", "server")
    request.set_tag("http.method", "GET")
    request.set_tag("http.url", "http://shop.example/cart?q=é")
    request.set_tag("http.status_code", 200)
    request.set_tag("n", 3.5)
    with tracer.trace("postgres.query", service="pg", resource="SELECT 1", span_type="sql") as query:
        query.set_tag("span.kind", "client")
        query.set_tag("db.statement", "SELECT 1")
        query.set_tag("network.destination.port", 5432)
        query.set_link(
            trace_id=(1 << 64) + 2, span_id=2**64 - 3, tracestate="dd=s:1", flags=1, attributes={"why": "retry"}
        )
    try:
        with tracer.trace("charge", resource="charge", span_type="worker") as failed:
            failed._add_event(
                "tried", {"times": 2, "cards": ["a", "b"], "last": True, "waited": 0.5}, 1_790_000_000 * 10**9
            )
            charge("4242")
    except ValueError:
        request.set_tag("recovered", "yes")
headers: dict[str, str] = {}
HTTPPropagator.inject(request.context, headers)
print(", ".join(f"{name}: {value}" for name, value in headers.items() if name.startswith("x-datadog-")))
tracer.shutdown()
