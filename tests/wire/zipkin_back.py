"""What was sent, as Zipkin's own decoder leaves it, to compare with what the API gives back."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.api.spans import spans_of_otlp
from spandrel.api.zipkin.span_json import zipkin_trace


def zipkin_of(request: ExportTraceServiceRequest) -> list[dict[str, Any]]:
    """The spans in the order of the request, as Zipkin's API gives them."""
    found: list[dict[str, Any]] = json.loads(json.dumps(zipkin_trace(spans_of_otlp(request))))
    return found


def normal(span: dict[str, Any]) -> dict[str, Any]:
    """A span as a client may send it -> as Zipkin gives it back, sent in good form."""
    annotations = [(item["timestamp"], item["value"]) for item in span.get("annotations") or []]
    found = {
        **span,
        "traceId": _short(span["traceId"].zfill(32)),
        "name": (span.get("name") or "").lower(),
        "annotations": [{"timestamp": time, "value": text} for time, text in sorted(set(annotations))],
        **{side: _lower(span.get(side)) for side in ("localEndpoint", "remoteEndpoint")},
    }
    return _said(found)


def _lower(endpoint: dict[str, Any] | None) -> dict[str, Any]:
    found = dict(endpoint or {})
    return _said({**found, "serviceName": (found.get("serviceName") or "").lower()})


def _short(trace_id: str) -> str:
    return trace_id.removeprefix("0" * 16)


def _said(found: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({key: value for key, value in found.items() if value}))
