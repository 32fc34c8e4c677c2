"""A program that jaeger-client traces; the port of its agent is its argument.

It prints the header by which it would hand on its trace.
"""

from __future__ import annotations

import sys
import threading

from jaeger_client import Config
from opentracing import Format

agent = {"reporting_host": "127.0.0.1", "reporting_port": int(sys.argv[1])}
config = {"sampler": {"type": "const", "param": 1}, "local_agent": agent, "tags": {"dc": "eu"}}
tracer = Config(config=config, service_name="shop", validate=True).initialize_tracer()
with tracer.start_span("GET /cart") as request:
    request.set_tag("span.kind", "server")
    request.log_kv({"event": "cache miss", "tries": 2})
    with tracer.start_span("query", child_of=request) as query:
        query.set_tag("error", True)
headers: dict[str, str] = {}
tracer.inject(request.context, Format.HTTP_HEADERS, headers)
print(*(f"{name}: {value}" for name, value in headers.items()))
flushed, pause = tracer.close(), threading.Event()
while not flushed.done():  # it calls nobody back: its loop is that of a thread that runs none
    pause.wait(0.01)
