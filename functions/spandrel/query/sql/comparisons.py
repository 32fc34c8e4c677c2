"""Comparisons of two values: those of their alternatives that go together. docs/traceql.md has the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from spandrel.query.condition import NEVER, Condition, every, some
from spandrel.traceql.expressions import Comparator
from spandrel.traceql.intrinsics import NUMERIC, ValueType

from .fragment import Fragment, combined, parameter
from .values import Alternative, Value, guards

_MIRRORED = {
    Comparator.LESS: Comparator.GREATER,
    Comparator.LESS_OR_EQUAL: Comparator.GREATER_OR_EQUAL,
    Comparator.GREATER: Comparator.LESS,
    Comparator.GREATER_OR_EQUAL: Comparator.LESS_OR_EQUAL,
}
_SQL = {one: one.value for one in Comparator} | {Comparator.UNEQUAL: "<>"}
_EQUALITY = (Comparator.EQUAL, Comparator.UNEQUAL)
_REGEX = (Comparator.MATCHES, Comparator.MATCHES_NOT)
_OF_ALL = (Comparator.UNEQUAL, Comparator.MATCHES_NOT)  # which all elements of a list have to fulfil

_HEX = re.compile(r"[0-9a-f]*")
_TRACE_ID_DIGITS, _SPAN_ID_DIGITS = 32, 16
_ELEMENT = Fragment("element")


def compared(comparator: Comparator, left: Value, right: Value) -> Condition:
    """True where the values compare so; where there are none, it is not."""
    return some(_pairs(comparator, left, right))


def _pairs(comparator: Comparator, left: Value, right: Value) -> Iterator[Condition]:
    for a in left.alternatives:
        for b in right.alternatives:
            condition = _compared(comparator, a, b)
            if condition != NEVER:
                yield every([*guards(a), *guards(b), condition])


def _compared(comparator: Comparator, a: Alternative, b: Alternative) -> Fragment:
    if not _go_together(comparator, a.type, b.type) or (a.is_list and b.is_list):
        return NEVER
    if a.is_list:
        return _elements(comparator, a, b)
    if b.is_list:
        return _elements(_MIRRORED.get(comparator, comparator), b, a)
    if comparator in _EQUALITY and (a.id_column or b.id_column):
        return _ids(comparator, a, b)
    if a.type in NUMERIC:
        return _numbers(comparator, a, b)
    if comparator in _REGEX:
        negation = "NOT " if comparator is Comparator.MATCHES_NOT else ""
        return combined(negation + "regexp_full_match({}, {}, 's')", a.unguarded, b.unguarded)
    return _plain(comparator, a, b)


def _go_together(comparator: Comparator, left: ValueType, right: ValueType) -> bool:
    if left in NUMERIC and right in NUMERIC:
        return comparator not in _REGEX
    return left is right and (left is ValueType.TEXT or comparator in _EQUALITY)


def _elements(comparator: Comparator, a: Alternative, b: Alternative) -> Fragment:
    """A list does when one of its elements does; for != and !~ all have to."""
    element = replace(a, sql=_ELEMENT, is_list=False, guard=None)
    holding = combined("len(list_filter({}, lambda element: {}))", a.sql, _compared(comparator, element, b))
    if comparator in _OF_ALL:
        return combined("{} = len({})", holding, a.sql)
    return combined("{} > 0", holding)


def _plain(comparator: Comparator, a: Alternative, b: Alternative) -> Fragment:
    """A column that leaves out its default stays bare where that makes no difference."""
    sides = [
        one.sql if comparator is Comparator.EQUAL and _differs(one, other) else one.unguarded
        for one, other in ((a, b), (b, a))
    ]
    return combined(f"{{}} {_SQL[comparator]} {{}}", *sides)


def _differs(one: Alternative, other: Alternative) -> bool:
    return one.default is not None and other.literal is not None and other.literal.value != one.default


def _numbers(comparator: Comparator, a: Alternative, b: Alternative) -> Fragment:
    """NaN is unequal to all numbers and neither above nor below them. For DuckDB it equals itself and is above them
    all, and Parquet's statistics, by which DuckDB may leave a comparison out, do not know of it: so it is asked about.
    """
    if ValueType.FLOAT not in (a.type, b.type):
        return combined(f"{{}} {_SQL[comparator]} {{}}", a.unguarded, b.unguarded)
    condition = combined(f"{{}} {_SQL[comparator]} {{}}", real(a), real(b))
    nan = [combined("isnan({})", one.unguarded) for one in (a, b) if one.type is ValueType.FLOAT and not one.literal]
    if comparator is Comparator.UNEQUAL:
        return some([condition, *nan])
    return every([condition, *(combined("NOT {}", one) for one in nan)])


def real(one: Alternative) -> Fragment:
    """A number as a double."""
    if one.literal and not isinstance(one.literal.value, str):
        return Fragment("?::DOUBLE", (float(one.literal.value),))
    return one.unguarded if one.type is ValueType.FLOAT else combined("{}::DOUBLE", one.unguarded)


def _ids(comparator: Comparator, a: Alternative, b: Alternative) -> Fragment:
    """Ids beside a text of the query as bytes, beside anything else as text."""
    for one, other in ((a, b), (b, a)):
        if one.id_column and other.literal:
            wanted = _id_bytes(str(other.literal.value), of_trace=one.id_column.of_trace)
            if wanted is not None:
                return combined(f"{{}} {_SQL[comparator]} {{}}", one.id_column.column, parameter(wanted))
            absent = comparator is Comparator.EQUAL
            return NEVER if absent else combined("{} IS NOT NULL", one.id_column.column)
    return combined(f"{{}} {_SQL[comparator]} {{}}", _beside(a, b), _beside(b, a))


def _id_bytes(text: str, *, of_trace: bool) -> bytes | None:
    """The bytes of the id that has this text; None where no id can have it."""
    digits = text.lower().lstrip("0") if of_trace else text.lower()
    width = _TRACE_ID_DIGITS if of_trace else _SPAN_ID_DIGITS
    return bytes.fromhex(digits.zfill(width)) if _HEX.fullmatch(digits) and len(digits) <= width else None


def _beside(one: Alternative, other: Alternative) -> Fragment:
    """A text as the id beside it is written: capitals and leading zeros mean nothing in an id."""
    if other.id_column is None:
        return one.unguarded
    text = combined("lower({})", one.unguarded)
    if other.id_column.of_trace:
        return combined("ltrim({}, '0')", text)
    return combined(f"lpad({{}}, greatest({_SPAN_ID_DIGITS}, len({{}}))::INTEGER, '0')", text, text)
