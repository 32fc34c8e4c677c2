"""A program that OpenTelemetry traces for Jaeger, in Thrift over HTTP; the URL of the collector is its argument.

The exporter's last release is of 2023. Of the SDK of that time it imports the names of its environment variables, and a
decorator that says that it is deprecated: both stand here, so that it runs beside today's SDK. It prints the header by
which the program would hand on its trace.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk import environment_variables
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

for name in ("AGENT_HOST", "AGENT_PORT", "AGENT_SPLIT_OVERSIZED_BATCHES", "ENDPOINT", "PASSWORD", "TIMEOUT", "USER"):
    setattr(environment_variables, f"OTEL_EXPORTER_JAEGER_{name}", f"OTEL_EXPORTER_JAEGER_{name}")
deprecated: Any = ModuleType("deprecated")
deprecated.deprecated = lambda **_why: lambda found: found
sys.modules["deprecated"] = deprecated

from opentelemetry.exporter.jaeger.thrift import JaegerExporter  # noqa: E402 (once there is what it imports)

provider = TracerProvider(resource=Resource({"service.name": "shop"}))
provider.add_span_processor(BatchSpanProcessor(JaegerExporter(collector_endpoint=sys.argv[1])))
tracer = provider.get_tracer("tests", "1.0")
with tracer.start_as_current_span("GET /cart", kind=trace.SpanKind.SERVER) as server:
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    with tracer.start_as_current_span("query", kind=trace.SpanKind.CLIENT, attributes={"rows": 3}) as client:
        client.add_event("retry", {"attempt": 2})
    server.set_status(trace.StatusCode.ERROR, "no such cart")
provider.shutdown()
print(*(f"{name}: {value}" for name, value in headers.items()))
