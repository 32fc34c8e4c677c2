"""What a tracer of Datadog's sent, told again out of what became of it."""

from __future__ import annotations

from typing import Any

import msgpack
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.wire.datadog import endpoint as datadog
from spandrel.wire.datadog import spans as datadog_spans

from .datadog_sending import SPAN
from .sending import recorded
from .values import attributes


def sent_span(span: Span, resource: dict[str, Any]) -> dict[str, Any]:
    """The span as a v0.5 payload had it."""
    said = attributes(span)
    names = {name: tag for tag, name in datadog_spans.RENAMED.items()}
    kinds = {number: kind for kind, number in datadog_spans.KINDS.items()}
    back = {names.get(name, name): value for name, value in said.items()}
    meta = {tag: str(value) for tag, value in back.items() if isinstance(value, str) or tag == "http.status_code"}
    metrics = {
        tag: value for tag, value in back.items() if isinstance(value, float) or tag == "network.destination.port"
    }
    if span.kind:
        meta["span.kind"] = kinds[span.kind]
    if any(span.trace_id[:8]):
        meta["_dd.p.tid"] = span.trace_id[:8].hex()
    for tag, name in datadog_spans.OF_THE_RESOURCE.items():
        if name in resource:
            meta[tag] = resource[name]
    if span.status.message:
        meta["error.message"] = span.status.message
    for event in span.events:
        if event.name == "exception":
            thrown = attributes(event)
            meta |= {tag: thrown[name] for tag, name in datadog_spans.OF_THE_EXCEPTION.items() if name in thrown}
    return {
        "service": resource["service.name"],
        "name": span.name,
        "resource": meta.pop("resource.name", span.name),
        "trace_id": int.from_bytes(span.trace_id[8:], "big"),
        "span_id": int.from_bytes(span.span_id, "big"),
        "parent_id": int.from_bytes(span.parent_span_id, "big"),
        "start": span.start_time_unix_nano,
        "duration": span.end_time_unix_nano - span.start_time_unix_nano,
        "error": int(span.status.code == Status.STATUS_CODE_ERROR),
        "meta": meta,
        "metrics": metrics,
        "type": meta.pop("span.type", ""),
    }


def test_what_a_tracer_sent_can_be_told_again() -> None:
    body = recorded("datadog-python-v04").body
    ((*told,),) = msgpack.unpackb(body)
    accepted = datadog.decode(recorded("datadog-python-v04"))
    again = [
        sent_span(span, attributes(resource.resource))
        for resource in accepted.otlp.resource_spans
        for span in resource.scope_spans[0].spans
    ]
    high = told[0]["meta"]["_dd.p.tid"]
    for span in told:
        span["meta"] = {k: v for k, v in span.get("meta", {}).items() if k != "events"} | {"_dd.p.tid": high}
        span.pop("span_links", None)  # test_datadog.py has them
    by_id = {span["span_id"]: span for span in again}
    for span in told:
        assert by_id[span["span_id"]] == SPAN | span
