"""Links and events of Datadog's spans -> OTLP's.

They come as fields of a v0.4 span, or as JSON in a tag where the encoding has no field for them (dd-trace-py,
_encoding.pyx). Both are spelt alike but for ids (numbers, or hex) and for values of events (with their type, or plain).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.model.errors import Rejected, Undecodable
from spandrel.model.ids import span_id_from_hex, trace_id_from_hex
from spandrel.wire.otlp_messages import Message

from .payloads import UINT64, DatadogSpan

LINKS_TAG, EVENTS_TAG = "_dd.span_links", "events"
W3C_FLAGS = 0xFF  # a link's flags have bit 31 set besides, to tell 0 from none
ARRAY = 4  # the type of an event's value that is a list, of scalars
_REFUSALS = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError, Rejected)
"""What reading an odd link or event raises, here and in protobuf's constructor, which looks at types and ranges."""


def put_links(target: Message, span: DatadogSpan) -> None:
    """Undecodable for a field that is no list of links; a tag that is none stays what it is, a tag."""
    target.links.extend(_of_field(span.links, _link, "span_links") or _of_tag(span.meta, LINKS_TAG, _link))


def put_events(target: Message, span: DatadogSpan) -> None:
    """The same of events."""
    target.events.extend(_of_field(span.events, _event, "span_events") or _of_tag(span.meta, EVENTS_TAG, _event))


def _of_field(found: list[Any], read: Callable[[Any], Message], what: str) -> list[Message]:
    try:
        return [read(item) for item in found]
    except _REFUSALS as error:
        raise Undecodable(f"{what} of a span has something else in it: {error}") from error


def _of_tag(meta: dict[str, str], tag: str, read: Callable[[Any], Message]) -> list[Message]:
    if tag not in meta:
        return []
    try:
        messages = [read(item) for item in json.loads(meta[tag])]
    except _REFUSALS:
        return []
    del meta[tag]
    return messages


def _link(found: Any) -> Message:
    return Span.Link(
        trace_id=_trace_id(found),
        span_id=_span_id(found["span_id"]),
        trace_state=found.get("tracestate"),
        flags=found.get("flags", 0) & W3C_FLAGS,
        attributes=_attributes(found),
        dropped_attributes_count=found.get("dropped_attributes_count"),
    )


def _event(found: Any) -> Message:
    return Span.Event(name=found["name"], time_unix_nano=found["time_unix_nano"], attributes=_attributes(found))


def _trace_id(found: Any) -> bytes:
    if isinstance(found["trace_id"], str):
        return trace_id_from_hex(found["trace_id"])
    return _span_id(found.get("trace_id_high", 0)) + _span_id(found["trace_id"])


def _span_id(found: int | str) -> bytes:
    return span_id_from_hex(found) if isinstance(found, str) else (found & UINT64).to_bytes(8, "big")


def _attributes(found: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in found.get("attributes", {}).items()]


def _value(value: Any) -> dict[str, Any]:
    """AnyValue as protobuf's constructor takes it."""
    match value:
        case dict():  # with its type, under the names of AnyValue
            return _typed(value)
        case list():
            return {"array_value": {"values": [_scalar(element) for element in value]}}
        case _:
            return _scalar(value)


def _typed(value: dict[str, Any]) -> dict[str, Any]:
    if value["type"] != ARRAY:
        return _untyped(value)
    return {"array_value": {"values": [_untyped(element) for element in value["array_value"]["values"]]}}


def _untyped(value: dict[str, Any]) -> dict[str, Any]:
    """A scalar, without its type: protobuf's constructor knows the names."""
    return {name: content for name, content in value.items() if name != "type" and type(content) is not dict}


def _scalar(value: Any) -> dict[str, Any]:
    names = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    return {names[type(value)]: value}
