"""`wire`: spans a second that one core turns into OTLP, for each wire format: from the request as API Gateway hands it
over to the bytes that are queued. Beside it, what reading the bodies alone takes, without making anything of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgpack
from google.protobuf import json_format
from opencensus.ext.jaeger.trace_exporter.gen.jaeger.jaeger import Batch
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

from spandrel.http.request import Request, request_of
from spandrel.wire.formats import format_of

from . import wire_bodies, wire_thrift
from .clocks import cpu_seconds, one_core
from .events import http_event
from .figures import Figure, Target
from .spans import SPANS_A_REQUEST, SpanSource

SPANS_A_SECOND = Target("at least", 20_000)
PROTOBUF, JSON, THRIFT, MSGPACK = (f"application/{kind}" for kind in ("x-protobuf", "json", "x-thrift", "msgpack"))


@dataclass(frozen=True, slots=True)
class Sent:
    """A format in one of its encodings: the route that takes it, and how the spans of OTLP are written in it."""

    name: str
    path: str
    content_type: str
    body_of: Callable[[ExportTraceServiceRequest], bytes]
    method: str = "POST"
    route: str = ""  # where it is not the path

    def request(self, spans: ExportTraceServiceRequest) -> Request:
        return request_of(
            http_event(
                self.method,
                self.path,
                {"content-type": self.content_type},
                self.body_of(spans),
                f"{self.method} {self.route or self.path}",
            )
        )


EVERY = (
    Sent("OTLP, protobuf", "/v1/traces", PROTOBUF, lambda spans: spans.SerializeToString()),
    Sent("OTLP, JSON", "/v1/traces", JSON, wire_bodies.otlp_json),
    Sent("Zipkin v2, JSON", "/api/v2/spans", JSON, wire_bodies.zipkin_v2),
    Sent("Zipkin v2, protobuf", "/api/v2/spans", PROTOBUF, wire_bodies.zipkin_protobuf),
    Sent("Zipkin v1, JSON", "/api/v1/spans", JSON, wire_bodies.zipkin_v1),
    Sent("Zipkin v1, Thrift", "/api/v1/spans", THRIFT, wire_thrift.zipkin),
    Sent("Jaeger, binary Thrift", "/api/traces", THRIFT, wire_thrift.jaeger_binary),
    Sent("Jaeger, compact Thrift", "/api/traces", THRIFT, wire_thrift.jaeger_compact),
    Sent("X-Ray", "/TraceSegments", JSON, wire_bodies.xray),
    Sent(
        *("Cloud Trace v1", "/v1/projects/shop/traces", JSON, wire_bodies.cloudtrace_v1, "PATCH"),
        route="/v1/projects/{project}/traces",
    ),
    Sent(
        *("Cloud Trace v2", "/v2/projects/shop/traces:batchWrite", JSON, wire_bodies.cloudtrace_v2),
        route="/v2/projects/{project}/{proxy+}",
    ),
    Sent("Datadog v0.4", "/v0.4/traces", MSGPACK, wire_bodies.datadog_v04, "PUT"),
    Sent("Datadog v0.5", "/v0.5/traces", MSGPACK, wire_bodies.datadog_v05, "PUT"),
)


def figures() -> Iterator[Figure]:
    """Spans a second, then the yardsticks'."""
    spans = SpanSource().request(SPANS_A_REQUEST)
    works = {sent.name: _decoding(sent.request(spans)) for sent in EVERY}
    yardsticks = _yardsticks(spans)
    with one_core():
        for name, work in works.items():
            yield Figure("wire", name, SPANS_A_REQUEST / cpu_seconds(work), "spans/s", SPANS_A_SECOND)
        for name, alone in yardsticks.items():
            yield Figure("wire", name, SPANS_A_REQUEST / cpu_seconds(alone), "spans/s")


def _decoding(request: Request) -> Callable[[], bytes]:
    wire = format_of(request)

    def decode() -> bytes:
        accepted = wire.decode(request)
        assert (accepted.spans, accepted.rejected) == (SPANS_A_REQUEST, 0), accepted.reason
        return bytes(accepted.otlp.SerializeToString())

    return decode


def _yardsticks(spans: ExportTraceServiceRequest) -> dict[str, Callable[[], object]]:
    told, listed = wire_bodies.otlp_json(spans), wire_bodies.datadog_v04(spans)
    thrift, canonical = wire_thrift.jaeger_binary(spans), json_format.MessageToJson(spans)
    return {
        "reading alone: json.loads, OTLP": lambda: json.loads(told),
        "reading alone: msgpack.unpackb, Datadog v0.4": lambda: msgpack.unpackb(listed),
        "Thrift's reader in Python, Jaeger": lambda: Batch().read(TBinaryProtocol(TMemoryBuffer(thrift))),
        "protobuf's own reader of OTLP as JSON": lambda: json_format.Parse(canonical, ExportTraceServiceRequest()),
    }
