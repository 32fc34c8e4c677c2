"""Attributes of OTLP from Python values."""

from __future__ import annotations

from typing import Any

from .otlp_messages import Message

INT64 = range(-(2**63), 2**63)

Value = str | bool | int | float | bytes


def put(attributes: Any, key: str, value: Value) -> None:
    """Appends the pair to a repeated KeyValue. An integer that 64 bits cannot hold becomes text."""
    put_value(attributes.add(key=key).value, value)


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
    else:
        target.bytes_value = value


def _put_integer(target: Message, value: int) -> None:
    if value in INT64:
        target.int_value = value
    else:
        target.string_value = str(value)
