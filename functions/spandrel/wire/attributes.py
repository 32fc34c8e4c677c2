"""Attributes of OTLP from Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .otlp_messages import Message

INT64 = range(-(2**63), 2**63)
DIGITS_MAX = 19  # of a number that certainly fits

Scalar = str | bool | int | float | bytes
Value = Scalar | Sequence[Scalar]


def put(attributes: Any, key: str, value: Value) -> None:
    """Appends the pair to a repeated KeyValue. An integer that 64 bits cannot hold becomes text."""
    put_value(attributes.add(key=key).value, value)


def put_all(attributes: Any, found: Mapping[str, Value]) -> None:
    """The same of all pairs."""
    add = attributes.add
    for key, value in found.items():
        target = add(key=key).value
        if type(value) is str:  # nearly all there are
            target.string_value = value
        else:
            put_value(target, value)


def put_value(target: Message, value: Value) -> None:
    """Sets an AnyValue by the value's type. ValueError for half a surrogate pair, which protobuf cannot hold."""
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        _put_integer(target, value)
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, bytes):
        target.bytes_value = value
    else:
        target.array_value.SetInParent()
        for element in value:
            put_value(target.array_value.values.add(), element)


def _put_integer(target: Message, value: int) -> None:
    if value in INT64:
        target.int_value = value
    else:
        target.string_value = str(value)


def whole_number(value: Value | None) -> int | None:
    """The integer that the value is or spells, also as a float such as 200.0; None where it is none."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() and len(value) < DIGITS_MAX else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if type(value) is int else None
