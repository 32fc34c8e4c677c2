"""Values of attributes as plain Python has them, and as text."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from typing import Any

from spandrel.query.text_values import double_text

Value = Any
"""str, bool, int, float, bytes, or None for OTLP's empty value; a list or a dict of these."""

Attributes = dict[str, Value]


def value_of(message: Any) -> Value:
    """An AnyValue message (opentelemetry/proto/common/v1) -> its value."""
    match message.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [value_of(one) for one in message.array_value.values]
        case "kvlist_value":
            return attributes_of(message.kvlist_value.values)
        case field:
            return getattr(message, field)


def attributes_of(pairs: Iterable[Any]) -> Attributes:
    """KeyValue messages by key. Of a key that repeats the first counts, as in a search."""
    found: Attributes = {}
    for pair in pairs:
        if pair.key not in found:
            found[pair.key] = value_of(pair.value)
    return found


def text_of(value: Value) -> str:
    """As OpenTelemetry Collector writes values where only text can stand (pdata/pcommon/value.go, `AsString`): the
    form in which a search takes them too.
    """
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _double_text(value)
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return json.dumps(json_of(value), ensure_ascii=False, separators=(",", ":"))


def json_double(value: float) -> float | str:
    """As protobuf's JSON writes it: JSON has no number that is not finite."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _double_text(value: float) -> str:
    return double_text(value) if math.isfinite(value) else str(json_double(value))


def json_of(value: Value) -> Any:
    """A value as JSON can say it, which has no bytes, and no number that is not finite."""
    match value:
        case list():
            return [json_of(one) for one in value]
        case dict():
            return {key: json_of(one) for key, one in value.items()}
        case bytes():
            return text_of(value)
        case float() if not math.isfinite(value):
            return text_of(value)
        case _:
            return value
