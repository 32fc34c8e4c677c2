"""Zipkin's annotations -> OTLP's events.

OpenTelemetry's exporters have no place for an event's attributes but the annotation's text: `"name": {…}`, as their
specification has it, or `{"name": {…}}`. Such an event is made again, so that an exception is one. Its text is kept.
"""

from __future__ import annotations

import json
from typing import Any

from spandrel.model.zipkin import ANNOTATION, TIMESTAMP
from spandrel.wire.attributes import put
from spandrel.wire.otlp_messages import Message

from .times import nanoseconds


def put_event(target: Message, timestamp_us: int, text: str) -> None:
    """Appends it to a Span's events."""
    written = _event_in(text) if text.endswith("}") else None
    name, attributes = written or (text, {})
    event = target.events.add(name=name, time_unix_nano=nanoseconds(timestamp_us))
    for key, value in attributes.items():
        put(event.attributes, key, value)
    if written:
        put(event.attributes, ANNOTATION, text)
    if timestamp_us and not event.time_unix_nano:
        put(event.attributes, TIMESTAMP, timestamp_us)


def _event_in(text: str) -> tuple[str, dict[str, Any]] | None:
    """Name and attributes of the event that an exporter wrote; None for any other text."""
    if text.startswith('"'):
        end = text.find('":')
        name, attributes = _json(text[: end + 1]), _json(text[end + 2 :])
    else:
        found = _json(text) if text.startswith('{"') else None
        name, attributes = next(iter(found.items())) if isinstance(found, dict) and len(found) == 1 else ("", None)
    if isinstance(name, str) and isinstance(attributes, dict) and all(map(_is_value, attributes.values())):
        return name, attributes
    return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(element, str | bool | int | float) for element in value)
    return isinstance(value, str | bool | int | float)
