"""OTLP -> Zipkin's version 2, as Zipkin's own API would give it: what docs/wire/zipkin.md calls the way back."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.wire.zipkin_tags import RENAMED

KINDS = {0: None, 1: None, 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
DROPPED = ("attributes", "events", "links")


def zipkin_of(request: ExportTraceServiceRequest) -> list[dict[str, Any]]:
    """The spans in the order of the request, as JSON has them. What a span does not say is left out."""
    return [
        _span(span, values_of(resource.resource.attributes).get("service.name", ""), scope.scope)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


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


def values_of(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict of Python values."""
    return {pair.key: value_of(pair.value) for pair in attributes}


def value_of(value: AnyValue) -> Any:
    field = value.WhichOneof("value")
    if field == "array_value":
        return [value_of(element) for element in value.array_value.values]
    return getattr(value, field) if field else None


def _span(span: Span, service: str, scope: InstrumentationScope) -> dict[str, Any]:
    attributes = values_of(span.attributes)
    own = {key.removeprefix("zipkin."): attributes.pop(key) for key in list(attributes) if key.startswith("zipkin.")}
    tags = {old: str(attributes.pop(RENAMED[old])) for old in own.get("renamed", ())}
    remote = _endpoint(attributes, own, "remoteEndpoint", "network.peer", ("service.peer.name", "serviceName"))
    local = {"serviceName": service, **_endpoint(attributes, own, "localEndpoint", "network.local")}
    tags |= {key: value for key, value in attributes.items() if isinstance(value, str)}
    tags |= _written_by_opentelemetry(span, scope, tags.keys() | attributes.keys())
    start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
    return normal(
        {
            "traceId": span.trace_id.hex(),
            "parentId": span.parent_span_id.hex(),
            "id": span.span_id.hex(),
            "kind": KINDS[span.kind],
            "name": span.name,
            "timestamp": start_ns // 1000 or own.get("timestamp"),
            "duration": max(end_ns - start_ns, 0) // 1000 or own.get("duration"),
            "localEndpoint": local,
            "remoteEndpoint": remote,
            "annotations": [_annotation(event) for event in span.events],
            "tags": tags,
            "debug": own.get("debug"),
            "shared": own.get("shared"),
        }
    )


def _endpoint(
    attributes: dict[str, Any], own: dict[str, Any], side: str, names: str, *others: tuple[str, str]
) -> dict[str, Any]:
    """A field under Zipkin's own name says that what has the other name is a tag."""
    fields = ("serviceName", "ipv4", "ipv6", "port")
    found = {field: own[f"{side}.{field}"] for field in fields if f"{side}.{field}" in own}
    address = attributes.get(f"{names}.address", "")
    for name, field in (*others, (f"{names}.address", "ipv6" if ":" in address else "ipv4"), (f"{names}.port", "port")):
        is_tag = ("ipv4" if field == "ipv6" else field) in found
        if name in attributes and not is_tag:
            found[field] = attributes.pop(name)
    return found


def _annotation(event: Span.Event) -> dict[str, Any]:
    own = values_of(event.attributes)
    time_us = own.get("zipkin.timestamp", event.time_unix_nano // 1000)
    return {"timestamp": time_us, "value": own.get("zipkin.annotation", event.name)}


def _written_by_opentelemetry(span: Span, scope: InstrumentationScope, tags: Set[str]) -> dict[str, str]:
    """What its exporters write where Zipkin has no field, if the tags do not have it yet."""
    found: dict[str, str] = {}
    if span.status.code == 1:
        found["otel.status_code"] = "OK"
    if span.status.code == 2 and "error" not in tags and "otel.status_code" not in tags:
        found |= {"otel.status_code": "ERROR", "error": span.status.message}
    for field in ("name", "version"):
        value, names = getattr(scope, field), (f"otel.scope.{field}", f"otel.library.{field}")
        if value and not any(name in tags for name in names):
            found |= dict.fromkeys(names, value)
    if span.trace_state:
        found["w3c.tracestate"] = span.trace_state
    counts = {f"otel.dropped_{what}_count": getattr(span, f"dropped_{what}_count") for what in DROPPED}
    return found | {tag: str(count) for tag, count in counts.items() if count}


def _lower(endpoint: dict[str, Any] | None) -> dict[str, Any]:
    found = dict(endpoint or {})
    return _said({**found, "serviceName": (found.get("serviceName") or "").lower()})


def _short(trace_id: str) -> str:
    return trace_id.removeprefix("0" * 16)


def _said(found: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({key: value for key, value in found.items() if value}))
