"""JSON values as the serialized OTLP messages in which the rest of a block's attributes keeps nested values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

Number = Callable[[int | float], AnyValue]


def serialized(value: Any) -> Iterator[tuple[Literal["array", "kvlist"], bytes]]:
    """A JSON array or object -> the messages that are written so: once with its whole numbers as integers, once with
    all its numbers as doubles, because text does not tell them apart. Keys keep their order.
    """
    name: Literal["array", "kvlist"] = "array" if isinstance(value, list) else "kvlist"
    bodies = {getattr(_any_value(value, number), f"{name}_value").SerializeToString() for number in (_exact, _double)}
    yield from ((name, body) for body in sorted(bodies))


def _any_value(value: Any, number: Number) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int() | float():
            return number(value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[_any_value(one, number) for one in value]))
        case _:
            pairs = [KeyValue(key=key, value=_any_value(one, number)) for key, one in value.items()]
            return AnyValue(kvlist_value=KeyValueList(values=pairs))


def _exact(value: int | float) -> AnyValue:
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return AnyValue(int_value=value)
    return _double(value)


def _double(value: int | float) -> AnyValue:
    return AnyValue(double_value=float(value))
