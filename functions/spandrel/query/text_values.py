"""What a value given as text can stand for.

Jaeger compares attributes as text, in the form that OpenTelemetry Collector's pdata gives each type (`Value.AsString`
in pdata/pcommon/value.go): booleans `true` and `false`, integers in decimal, doubles as ECMAScript writes them, bytes
in base64, arrays and key-value lists as JSON. Comparing columns with typed values instead of with text lets an engine
use their statistics, so this is that rule backwards: from the text to the typed values that have it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

from spandrel.blocks.naming import AttributeType

ValueType = AttributeType | Literal["array", "kvlist"]
"""The types of attribute columns, and the two in which the rest keeps what no column holds: serialized messages."""

TypedValues = Mapping[ValueType, list[Any]]

_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,18}")
_BOOLEANS = {"true": True, "false": False}
_SPECIAL_DOUBLES = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def typed_values(text: str) -> TypedValues:
    """Text -> the values of each type that it stands for; always at least the text itself."""
    found: dict[ValueType, list[Any]] = {}
    for value_type, value in _values(text):
        found.setdefault(value_type, []).append(value)
    return found


def double_text(value: float) -> str:
    """A finite double as ECMAScript writes it: shortest digits, an exponent below 1e-6 and from 1e21."""
    if value != 0 and not 1e-6 <= abs(value) < 1e21:
        return repr(value).replace("e-0", "e-").removesuffix(".0")
    digits = format(Decimal(repr(value)), "f")
    return digits.removesuffix(".0")


def _values(text: str) -> Iterator[tuple[ValueType, Any]]:
    yield "string", text
    if text in _BOOLEANS:
        yield "bool", _BOOLEANS[text]
    if _DECIMAL.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        yield "int", int(text)
    yield from (("double", value) for value in _doubles(text))
    yield from (("bytes", value) for value in _bytes(text))
    if text.startswith(("[", "{")):
        yield from _structures(text)


def _doubles(text: str) -> Iterator[float]:
    if text in _SPECIAL_DOUBLES:
        yield _SPECIAL_DOUBLES[text]
    try:
        value = float(text)
    except ValueError:
        return
    if abs(value) < float("inf") and double_text(value) == text:
        yield value


def _bytes(text: str) -> Iterator[bytes]:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return
    if base64.b64encode(value).decode() == text:
        yield value


def _structures(text: str) -> Iterator[tuple[ValueType, Any]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(value, list):
        yield from _uniform(value)
    yield from _serialized(value)


def _uniform(values: list[Any]) -> Iterator[tuple[ValueType, list[Any]]]:
    """The columns that an array can be in. A number without a fraction is written alike as integer and as double."""
    types = {type(value) for value in values}
    if types <= {str}:
        yield "string[]", values
    elif types == {bool}:
        yield "bool[]", values
    elif types <= {int, float}:
        yield "double[]", [float(value) for value in values]
        if types == {int} and all(-(2**63) <= value < 2**63 for value in values):
            yield "int[]", values


def _serialized(value: Any) -> Iterator[tuple[ValueType, bytes]]:
    from .any_values import serialized

    yield from serialized(value)
