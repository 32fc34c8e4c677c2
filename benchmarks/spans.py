"""The spans that benchmarks use: about 300 bytes of OTLP each, eight attributes, traces of 4 to 11 spans over 20
services.
"""

from __future__ import annotations

import random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

SPANS_A_REQUEST = 512  # what the SDKs' batch processors send at most by default
START_NS = 1_790_000_000 * 10**9
NAMES = ("GET /api/users", "POST /orders", "SELECT users", "GET /cart/{id}", "publish order", "redis GET")
KINDS = tuple(Span.SpanKind.values())[1:]
PATHS = ("/api/users", "/orders", "/cart")
STATUS_CODES = (200, 200, 200, 404, 500)


class SpanSource:
    """Requests of generated spans; the same seed gives the same bytes."""

    def __init__(self, seed: int = 1, start_ns: int = START_NS) -> None:
        self._random = random.Random(seed)
        self._start_ns = start_ns

    def requests(self, count: int, spans: int = SPANS_A_REQUEST) -> list[bytes]:
        """Serialized ExportTraceServiceRequests of `spans` spans each."""
        return [self.request(spans).SerializeToString() for _ in range(count)]

    def request(self, spans: int = SPANS_A_REQUEST) -> ExportTraceServiceRequest:
        """One service's export: whole traces, the last one cut at `spans`."""
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.extend(_pairs(self._resource()))
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.scope.name = "opentelemetry.instrumentation.flask"
        scope_spans.scope.version = "0.66b1"
        while len(scope_spans.spans) < spans:
            self._add_trace(scope_spans, min(self._random.randrange(4, 12), spans - len(scope_spans.spans)))
        return request

    def _resource(self) -> dict[str, str | int]:
        return {
            "service.name": f"service-{self._random.randrange(20)}",
            "service.instance.id": f"{self._random.getrandbits(64):016x}",
            "host.name": f"ip-10-0-0-{self._random.randrange(50)}",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": "1.45.2",
        }

    def _add_trace(self, scope_spans: ScopeSpans, spans: int) -> None:
        draw = self._random
        trace_id = draw.randbytes(16)
        start_ns = self._start_ns + draw.randrange(10**10)
        span_ids: list[bytes] = []
        for _ in range(spans):
            span = scope_spans.spans.add()
            span.trace_id, span.span_id = trace_id, draw.randbytes(8)
            span.parent_span_id = draw.choice(span_ids) if span_ids else b""
            span_ids.append(span.span_id)
            self._describe(span, start_ns + draw.randrange(10**7))

    def _describe(self, span: Span, start_ns: int) -> None:
        draw = self._random
        span.name = draw.choice(NAMES)
        span.kind = draw.choice(KINDS)
        span.flags = 257
        span.start_time_unix_nano = start_ns
        span.end_time_unix_nano = start_ns + int(draw.lognormvariate(15, 1.5))
        span.status.code = Status.STATUS_CODE_ERROR if draw.random() < 0.02 else Status.STATUS_CODE_UNSET
        span.attributes.extend(_pairs(self._attributes()))

    def _attributes(self) -> dict[str, str | int]:
        draw = self._random
        return {
            "http.request.method": draw.choice(("GET", "POST")),
            "http.response.status_code": draw.choice(STATUS_CODES),
            "http.response.body.size": int(draw.lognormvariate(7, 1)),
            "url.path": f"{draw.choice(PATHS)}/{draw.randrange(1000)}",
            "user.id": f"user-{draw.randrange(100_000)}",
            "server.address": "shop.example.com",
            "network.protocol.version": "1.1",
            "thread.id": draw.randrange(64),
        }


def _pairs(attributes: dict[str, str | int]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value))
        for key, value in attributes.items()
    ]
