"""Values of a query's fields as AnyValue and KeyValue messages in protobuf's JSON."""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.api.literal_text import literal_text
from spandrel.api.values import json_double
from spandrel.query.found import FieldValue
from spandrel.traceql.expressions import Literal
from spandrel.traceql.intrinsics import ValueType

Json = Mapping[str, object]

NIL = "nil"  # what stands for a value that nobody has


def key_value(key: str, value: FieldValue | None) -> Json:
    """A KeyValue. Statuses, kinds and durations are texts, as no OTLP value has their type."""
    return {"key": key, "value": _any_value(value)}


def text_value(key: str, text: str) -> Json:
    """A KeyValue of a text."""
    return {"key": key, "value": {"stringValue": text}}


def _any_value(value: FieldValue | None) -> Json:
    if value is None:
        return {"stringValue": NIL}
    if isinstance(value, Literal):
        return _scalar(value)
    return {"arrayValue": {"values": [_scalar(one) for one in value]}}


def _scalar(value: Literal) -> Json:
    match value.type:
        case ValueType.INTEGER:
            return {"intValue": str(value.value)}
        case ValueType.FLOAT:
            return {"doubleValue": json_double(float(value.value))}
        case ValueType.BOOLEAN:
            return {"boolValue": value.value}
    return {"stringValue": literal_text(value)}
