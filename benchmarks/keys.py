"""Requests of a client that makes up attribute keys."""

from __future__ import annotations

import random
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from .spans import SpanSource

REQUESTS, SPANS, KEYS_A_SPAN = 40, 512, 10


def bodies_of_keys(keys: int) -> Iterator[bytes]:
    """Requests whose spans have KEYS_A_SPAN of so many keys each, and no other attribute."""
    source, draw = SpanSource(), random.Random(4)
    for body in source.requests(REQUESTS, SPANS):
        request = ExportTraceServiceRequest.FromString(body)
        for span in request.resource_spans[0].scope_spans[0].spans:
            del span.attributes[:]
            span.attributes.extend(_pair(f"own.key.{number}") for number in draw.sample(range(keys), KEYS_A_SPAN))
        yield request.SerializeToString()


def _pair(key: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value="said"))
