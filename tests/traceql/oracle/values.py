"""What a span's attribute is worth to a query, and how two such values compare. docs/traceql.md has the rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spandrel.traceql.expressions import FALSE, TRUE, Comparator, Literal
from spandrel.traceql.intrinsics import NUMERIC, ValueType


@dataclass(frozen=True)
class Elements:
    """A list whose elements have one type; at least one."""

    of: tuple[Literal, ...]


@dataclass(frozen=True)
class Opaque:
    """There, but of a kind that compares with nothing: bytes, nested, mixed or empty lists, lists of key and value."""


Value = Literal | Elements | Opaque | None
"""None: there is none."""

_SCALARS = {
    "string_value": ValueType.TEXT,
    "int_value": ValueType.INTEGER,
    "double_value": ValueType.FLOAT,
    "bool_value": ValueType.BOOLEAN,
}


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    """By key; of a repeated key the first counts."""
    found: dict[str, Value] = {}
    for pair in pairs:
        found.setdefault(pair.key, value_of(pair.value))
    return found


def value_of(sent: AnyValue) -> Value:
    kind = sent.WhichOneof("value")
    if kind is None:
        return None
    if kind in _SCALARS:
        found = getattr(sent, kind)
        return Literal(_SCALARS[kind], math.nan if found != found else found)  # one NaN, so that it groups as one
    if kind == "array_value":
        elements = [value_of(element) for element in sent.array_value.values]
        scalars = tuple(element for element in elements if isinstance(element, Literal))
        if elements and len(scalars) == len(elements) and len({scalar.type for scalar in scalars}) == 1:
            return Elements(scalars)
    return Opaque()


def text(value: str) -> Literal:
    return Literal(ValueType.TEXT, value)


def as_text(value: Value) -> str:
    """Something to sort values by."""
    return str(value.value) if isinstance(value, Literal) else ""


def truth(is_so: bool) -> Literal:
    return TRUE if is_so else FALSE


def number(value: Value) -> int | float | None:
    """The number that a value is, durations in nanoseconds; None for all else."""
    if isinstance(value, Literal) and value.type in NUMERIC and not isinstance(value.value, str):
        return value.value
    return None


def finite(value: Value) -> int | float | None:
    """The number that a value is where it can be counted with: infinities and NaN cannot."""
    known = number(value)
    return known if known is not None and math.isfinite(known) else None


def compares(comparator: Comparator, left: Value, right: Value) -> bool:
    """A list does when one of its elements does; for != and !~ all have to."""
    if isinstance(left, Elements) and isinstance(right, Literal):
        results = [_literals_compare(comparator, element, right) for element in left.of]
    elif isinstance(right, Elements) and isinstance(left, Literal):
        results = [_literals_compare(comparator, left, element) for element in right.of]
    elif isinstance(left, Literal) and isinstance(right, Literal):
        results = [_literals_compare(comparator, left, right)]
    else:
        return False
    return all(results) if comparator in (Comparator.UNEQUAL, Comparator.MATCHES_NOT) else any(results)


def _literals_compare(comparator: Comparator, left: Literal, right: Literal) -> bool:
    if left.type in NUMERIC and right.type in NUMERIC:
        a, b = number(left), number(right)
        if ValueType.FLOAT in (left.type, right.type):
            assert a is not None and b is not None
            a, b = float(a), float(b)
        return _in_order(comparator, a, b)
    if left.type is not right.type:
        return False
    if left.type is ValueType.TEXT:
        return _texts_compare(comparator, str(left.value), str(right.value))
    return comparator in (Comparator.EQUAL, Comparator.UNEQUAL) and _in_order(comparator, left.value, right.value)


def _texts_compare(comparator: Comparator, left: str, right: str) -> bool:
    if comparator in (Comparator.MATCHES, Comparator.MATCHES_NOT):
        found = re.fullmatch(right, left, re.DOTALL | re.ASCII) is not None
        return found is (comparator is Comparator.MATCHES)
    return _in_order(comparator, left.encode(), right.encode())


def _in_order(comparator: Comparator, a: Any, b: Any) -> bool:
    match comparator:
        case Comparator.EQUAL:
            return bool(a == b)
        case Comparator.UNEQUAL:
            return bool(a != b)
        case Comparator.LESS:
            return bool(a < b)
        case Comparator.LESS_OR_EQUAL:
            return bool(a <= b)
        case Comparator.GREATER:
            return bool(a > b)
        case Comparator.GREATER_OR_EQUAL:
            return bool(a >= b)
    return False  # a regular expression where there are no texts
