"""What pages of other origins may send and read: CORS of the HTTP API."""

from __future__ import annotations

# What a page may send. `*` would not cover Authorization (Fetch standard); the others are of OTLP exporters and of
# instrumentation that propagates its context to every address it calls.
HEADERS = [
    *("accept", "authorization", "content-encoding", "content-type", "x-api-key"),
    *("baggage", "traceparent", "tracestate", "b3"),
    *("x-b3-flags", "x-b3-parentspanid", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"),
]
EXPOSED_HEADERS = ["retry-after"]
MAX_AGE_S = 24 * 60 * 60  # for which a browser need not ask again
