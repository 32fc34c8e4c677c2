"""Spans -> Zipkin's version 2, as its API gives them (docs/apis/zipkin.md, "A span as JSON").

What came by Zipkin becomes what was sent, in the form in which Zipkin's own decoder leaves it; what came otherwise is
told as OpenTelemetry has it ("OpenTelemetry to Zipkin Transformation").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from spandrel.api.spans import Event, Span
from spandrel.api.values import Attributes, Value, text_of
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model import jaeger, zipkin
from spandrel.model.spans import STATUSES
from spandrel.wire.zipkin.span import PORT_MAX, ip_of

NS_PER_US = 1000

_KIND_NAMES = {number: name for name, number in zipkin.KINDS.items()}
CALLING = (zipkin.KINDS["CLIENT"], zipkin.KINDS["PRODUCER"])
_ENDPOINT_FIELDS = ("serviceName", "ipv4", "ipv6", "port")
_HIGH_HALF_OF_64_BITS = bytes(8)

# Where a span does not name the service that it calls: what stands for it, the first first (OpenTelemetry's
# specification, "Remote endpoint"). They stay tags.
REMOTE_NAMES = (
    *("peer.service", "server.address", "net.peer.name", "server.socket.domain", "net.sock.peer.name"),
    *("peer.hostname", "peer.address", "db.namespace", "db.name"),
)

Json = dict[str, Any]


def zipkin_trace(spans: Iterable[Span]) -> list[Json]:
    """Spans in their order, each as JSON has it."""
    return [zipkin_span(span) for span in spans]


def trace_id_text(trace_id: bytes) -> str:
    """64 bits where the id has no more, as Zipkin writes it."""
    return trace_id.removeprefix(_HIGH_HALF_OF_64_BITS).hex()


def zipkin_span(span: Span) -> Json:
    """What a span does not say is left out."""
    attributes = dict(span.attributes)
    tags = _renamed_back(attributes)
    local = {"serviceName": span.resource.service} | _endpoint(attributes, zipkin.LOCAL_ENDPOINT, *zipkin.LOCAL)
    remote = _remote(span, attributes)
    timestamp_us, duration_us = attributes.pop(zipkin.TIMESTAMP, 0), attributes.pop(zipkin.DURATION, 0)
    debug, shared = attributes.pop(zipkin.DEBUG, None), attributes.pop(zipkin.SHARED, None)
    tags |= {key: text_of(value) for key, value in _shown(span, attributes).items()}
    return _said(
        {
            "traceId": trace_id_text(span.trace_id),
            "parentId": span.parent_id.hex(),
            "id": span.span_id.hex(),
            "kind": _KIND_NAMES.get(span.kind),
            "name": span.name.lower(),
            "timestamp": span.start_ns // NS_PER_US or timestamp_us,
            "duration": _duration_us(span) or duration_us,
            "localEndpoint": _said(local | {"serviceName": local["serviceName"].lower()}),
            "remoteEndpoint": _said(remote),
            "annotations": _annotations(span),
            "tags": tags | _written_by_opentelemetry(span, tags),
            "debug": debug,
            "shared": shared,
        }
    )


def _renamed_back(attributes: Attributes) -> dict[str, str]:
    """Takes the tags that got a name of today out of the attributes, under the names that they came with."""
    names = attributes.pop(zipkin.RENAMED, None)
    renamed = [name for name in names if zipkin.TODAY.get(name) in attributes] if isinstance(names, list) else []
    return {name: text_of(attributes.pop(zipkin.TODAY[name])) for name in renamed}


def _said(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value}


def _duration_us(span: Span) -> int:
    """At least 1 of a span that took any time at all: Zipkin takes 0 for an unknown duration."""
    length_ns = span.end_ns - span.start_ns
    return max(length_ns // NS_PER_US, 1) if length_ns > 0 else 0


def _shown(span: Span, attributes: Attributes) -> Attributes:
    """The attributes that are tags, those of the resource too. `error` of a span that did not fail would make Zipkin
    show it as one that did.
    """
    resource = {key: value for key, value in span.resource.attributes.items() if key != SERVICE_NAME}
    attributes.pop(jaeger.ADDED, None)
    if span.status != STATUSES["error"]:
        attributes = {key: value for key, value in attributes.items() if key != zipkin.ERROR_TAG}
    return resource | attributes


def _remote(span: Span, attributes: Attributes) -> Json:
    found = _endpoint(attributes, zipkin.REMOTE_ENDPOINT, *zipkin.REMOTE)
    named = attributes.get(zipkin.SERVICE_PEER)
    if "serviceName" not in found and isinstance(named, str):
        found["serviceName"] = attributes.pop(zipkin.SERVICE_PEER)
    if not found.get("serviceName") and span.kind in CALLING and not _came_by_zipkin(span):
        found["serviceName"] = next(_remote_names(attributes), "")
    return found | {"serviceName": found.get("serviceName", "").lower()}


def _remote_names(attributes: Attributes) -> Iterator[str]:
    for key in REMOTE_NAMES:
        value = attributes.get(key)
        if isinstance(value, str) and value:
            yield value


def _came_by_zipkin(span: Span) -> bool:
    """Zipkin's resources have a name and nothing else; OpenTelemetry's say at least which SDK made the span."""
    return span.resource.attributes.keys() <= {SERVICE_NAME}


def _endpoint(attributes: Attributes, own: str, address: str, port: str) -> Json:
    """Takes an endpoint out of the attributes. A field under Zipkin's own name says that the other name is a tag's."""
    found = {field: attributes.pop(f"{own}.{field}") for field in _ENDPOINT_FIELDS if f"{own}.{field}" in attributes}
    ipv4, ipv6 = _ip(attributes.get(address))
    if "ipv4" not in found and (ipv4 or ipv6):
        found |= _said({"ipv4": ipv4, "ipv6": ipv6})
        del attributes[address]
    if "port" not in found and _is_port(attributes.get(port)):
        found["port"] = attributes.pop(port)
    return found


def _ip(value: Value) -> tuple[str, str]:
    return ip_of(value) if isinstance(value, str) else ("", "")


def _is_port(value: Value) -> bool:
    return type(value) is int and 0 < value <= PORT_MAX


def _annotations(span: Span) -> list[Json]:
    """In order of time, repeated ones once. An event without a time happened when the span began: zipkin-go, with which
    Grafana reads, takes no trace that has an annotation without one.
    """
    untimed_us = max(span.start_ns // NS_PER_US, 1)
    found = sorted({_annotation(event, untimed_us) for event in span.events})
    return [{"timestamp": time_us, "value": text} for time_us, text in found]


def _annotation(event: Event, untimed_us: int) -> tuple[int, str]:
    attributes = dict(event.attributes)
    time_us = attributes.pop(zipkin.TIMESTAMP, event.time_ns // NS_PER_US) or untimed_us
    return time_us, attributes.pop(zipkin.ANNOTATION, None) or _event_text(event.name, attributes)


def _event_text(name: str, attributes: Attributes) -> str:
    """As OpenTelemetry's exporters write events, for which Zipkin has a text alone."""
    return f"{json.dumps(name, ensure_ascii=False)}:{text_of(attributes)}" if attributes else name


def _written_by_opentelemetry(span: Span, tags: Json) -> dict[str, str]:
    """What its exporters write where Zipkin has no field, if the tags do not have it yet."""
    found: dict[str, str] = {}
    if span.status == STATUSES["ok"]:
        found[zipkin.STATUS_CODE] = "OK"
    if span.status == STATUSES["error"] and zipkin.ERROR_TAG not in tags and zipkin.STATUS_CODE not in tags:
        found |= {zipkin.STATUS_CODE: "ERROR", zipkin.ERROR_TAG: span.status_message}
    for value, *names in (
        (span.scope.name, zipkin.SCOPE_NAME, zipkin.OLD_SCOPE_NAME),
        (span.scope.version, zipkin.SCOPE_VERSION, zipkin.OLD_SCOPE_VERSION),
    ):
        if value and not any(name in tags for name in names):
            found |= dict.fromkeys(names, value)
    if span.trace_state:
        found[zipkin.TRACE_STATE] = span.trace_state
    return found | {tag: str(count) for tag, count in zip(zipkin.DROPPED, span.dropped, strict=True) if count}
