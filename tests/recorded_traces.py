"""Traces as real SDKs of every wire format sent them, as OTLP."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.wire.formats import format_of
from tests.wire.cloudtrace_sending import accepted, recorded_event
from tests.wire.sending import recorded

SOURCES = (
    "cloudtrace-otel-python",
    "cloudtrace-python-v1",
    "datadog-python-v04",
    "jaeger-client-node",
    "otlp-node-json",
    "otlp-python-protobuf",
    "xray-boto3-segments",
    "zipkin-js-json",
    "zipkin-otel-python-json",
    "zipkin-py-v1-thrift-joined",
)
"""A recording of each of the formats, and what tells two of one format apart."""


def decoded(recording: str) -> Any:
    """The recording as OTLP."""
    if recording.startswith("cloudtrace"):
        return accepted(recorded_event(recording)).otlp
    request = recorded(recording)
    return format_of(request).decode(request).otlp


def spans_of(otlp: Any) -> list[Span]:
    """All its spans, in order."""
    return [span for resource in otlp.resource_spans for scope in resource.scope_spans for span in scope.spans]


def moved(recording: str, latest_ns: int) -> Any:
    """The recording as OTLP, at another time: its last span starts at `latest_ns`, unix time."""
    otlp = decoded(recording)
    by_ns = latest_ns - max(span.start_time_unix_nano for span in spans_of(otlp))
    for span in spans_of(otlp):
        span.start_time_unix_nano += by_ns
        span.end_time_unix_nano += by_ns
        for event in span.events:
            event.time_unix_nano += by_ns
    return otlp
