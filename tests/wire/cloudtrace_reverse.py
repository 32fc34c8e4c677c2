"""OTLP -> what Cloud Trace's clients would be given back: the way that a read API would go, for tests alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.wire.cloudtrace.attributes import CONVENTIONS

from .values import attributes

LABELS = {convention.attribute: label for label, convention in CONVENTIONS.items()}
V1_KINDS = {2: "RPC_SERVER", 3: "RPC_CLIENT"}
V2_KINDS = ("SPAN_KIND_UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")

Object = dict[str, Any]


def v1_of(span: Span) -> Object:
    """A TraceSpan, without what is zero."""
    labels = {LABELS.get(key, key): text_of(value) for key, value in attributes(span).items()}
    if span.status.code == 2:
        labels["/error/message"] = span.status.message
    return without_zeros(
        {
            "spanId": str(int.from_bytes(span.span_id)),
            "parentSpanId": str(int.from_bytes(span.parent_span_id)) if span.parent_span_id else "",
            "kind": V1_KINDS.get(span.kind),
            "name": span.name,
            "startTime": timestamp(span.start_time_unix_nano),
            "endTime": timestamp(span.end_time_unix_nano),
            "labels": labels,
        }
    )


def v2_of(span: Span, project: str) -> Object:
    """A Span of v2, without what is zero but for the messages that may be there and empty."""
    said = attributes(span)
    name_cut = said.pop("cloudtrace.display_name.truncated_byte_count", 0)
    children = said.pop("cloudtrace.child_span_count", None)
    found = {
        "name": f"projects/{project}/traces/{span.trace_id.hex()}/spans/{span.span_id.hex()}",
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "displayName": truncatable(span.name, name_cut),
        "startTime": timestamp(span.start_time_unix_nano),
        "endTime": timestamp(span.end_time_unix_nano),
        "spanKind": V2_KINDS[span.kind] if span.kind else None,
        "stackTrace": json.loads(said.pop("cloudtrace.stack_trace", "{}")),
        "timeEvents": events_of(span, said.pop("cloudtrace.time_events.dropped_message_events_count", 0)),
        "links": without_zeros(
            {"link": [link_of(link) for link in span.links], "droppedLinksCount": span.dropped_links_count}
        ),
    }
    found = without_zeros(found | {"status": status_of(span, said)})
    if span.HasField("status"):
        found.setdefault("status", {})
    if span.flags:
        found["sameProcessAsParentSpan"] = not span.flags & 0x200
    if children is not None:
        found["childSpanCount"] = children
    return with_attributes(found, said, span.dropped_attributes_count)


def status_of(span: Span, said: Object) -> Object:
    code = said.pop("cloudtrace.status.code", 2 if span.status.code == 2 else 0)
    details = json.loads(said.pop("cloudtrace.status.details", "[]"))
    return without_zeros({"code": code, "message": span.status.message, "details": details})


def events_of(span: Span, dropped_messages: int) -> Object:
    return without_zeros(
        {
            "timeEvent": [event_of(event) for event in span.events],
            "droppedAnnotationsCount": span.dropped_events_count - dropped_messages,
            "droppedMessageEventsCount": dropped_messages,
        }
    )


def event_of(event: Span.Event) -> Object:
    said = attributes(event)
    time = {"time": timestamp(event.time_unix_nano)}
    if "cloudtrace.message_event.type" in said:
        numbers = {
            "type": said["cloudtrace.message_event.type"],
            "id": str(said.get("cloudtrace.message_event.id", 0)),
            "uncompressedSizeBytes": str(said.get("cloudtrace.message_event.uncompressed_size_bytes", 0)),
            "compressedSizeBytes": str(said.get("cloudtrace.message_event.compressed_size_bytes", 0)),
        }
        return time | {"messageEvent": without_zeros(numbers)}
    cut = said.pop("cloudtrace.annotation.description.truncated_byte_count", 0)
    annotation = without_zeros({"description": truncatable(event.name, cut)})
    return time | {"annotation": with_attributes(annotation, said, event.dropped_attributes_count)}


def link_of(link: Span.Link) -> Object:
    said = attributes(link)
    found = {
        "traceId": link.trace_id.hex(),
        "spanId": link.span_id.hex(),
        "type": said.pop("cloudtrace.link.type", None),
    }
    return with_attributes(without_zeros(found), said, link.dropped_attributes_count)


def with_attributes(found: Object, said: Object, dropped: int) -> Object:
    cut = said.pop("cloudtrace.attributes.truncated_byte_count", {})
    labels = {LABELS.get(key, key): value for key, value in said.items()}
    values = {label: attribute_value(value, cut.get(label, 0)) for label, value in labels.items()}
    sent = without_zeros({"attributeMap": values, "droppedAttributesCount": dropped})
    return found | ({"attributes": sent} if sent else {})


def attribute_value(value: Any, cut: int) -> Object:
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": {"value": value, "truncatedByteCount": cut} if cut else {"value": value}}
        case _:
            return {"intValue": str(value)}


def truncatable(text: str, cut: int) -> Object:
    return without_zeros({"value": text, "truncatedByteCount": cut})


def timestamp(time_ns: int) -> str:
    """As few digits as say it: 0, 3, 6 or 9 (protobuf's JSON mapping)."""
    seconds, nanos = divmod(time_ns, 10**9)
    digits = f"{nanos:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + (f".{digits}Z" if digits else "Z")


def text_of(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def without_zeros(found: Object) -> Object:
    return {key: value for key, value in found.items() if value not in (None, 0, "", "0", [], {})}
