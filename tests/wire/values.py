"""OTLP's attributes as Python has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


def attributes(message: Any) -> dict[str, Any]:
    """Those of a span, resource, event or link."""
    return values_of(message.attributes)


def values_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """By key; a key that stands there twice fails."""
    found = [(pair.key, value_of(pair.value)) for pair in pairs]
    assert len(dict(found)) == len(found), found
    return dict(found)


def value_of(value: AnyValue) -> Any:
    """None where nothing is said."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(element) for element in value.array_value.values]
    if kind == "kvlist_value":
        return values_of(value.kvlist_value.values)
    return getattr(value, kind) if kind else None
