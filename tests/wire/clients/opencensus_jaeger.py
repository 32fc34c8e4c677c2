"""A program that OpenCensus traces for Jaeger: host, port and key of the collector are its arguments.

It prints the header by which it would hand on its trace to one of Google's services.
"""

from __future__ import annotations

import sys

from opencensus.common.transports.sync import SyncTransport
from opencensus.ext.jaeger.trace_exporter import JaegerExporter
from opencensus.trace.propagation.google_cloud_format import GoogleCloudFormatPropagator
from opencensus.trace.samplers import AlwaysOnSampler
from opencensus.trace.tracer import Tracer

host, port, key = sys.argv[1:]
exporter = JaegerExporter(
    service_name="shop",
    host_name=host,
    port=int(port),
    endpoint="/api/traces",
    username="spandrel",
    password=key,
    transport=SyncTransport,
)
tracer = Tracer(exporter=exporter, sampler=AlwaysOnSampler())
with tracer.span("GET /cart") as request:
    request.add_attribute("http.status_code", 200)
    request.add_annotation("cache miss", tries=2)
    with tracer.span("query") as query:
        query.add_attribute("db.statement", "SELECT 1")
    print("X-Cloud-Trace-Context:", GoogleCloudFormatPropagator().to_header(tracer.span_context))
