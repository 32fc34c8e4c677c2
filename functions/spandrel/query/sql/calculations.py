"""Arithmetic: whole numbers stay whole, all else becomes a double; what is no number is nothing."""

from __future__ import annotations

from spandrel.traceql.expressions import Operator
from spandrel.traceql.intrinsics import NUMERIC, ValueType

from .comparisons import real
from .fragment import Fragment, combined, first_of
from .values import Alternative, Value

# Sums and products of 64 bits fit into 128; what does not fit into 64 in the end is nothing.
_WHOLE = {
    Operator.PLUS: "{}::HUGEINT + {}::HUGEINT",
    Operator.MINUS: "{}::HUGEINT - {}::HUGEINT",
    Operator.TIMES: "{}::HUGEINT * {}::HUGEINT",
    Operator.DIVIDED_BY: "{}::HUGEINT // nullif({}::HUGEINT, 0)",
    Operator.MODULO: "{}::HUGEINT % nullif({}::HUGEINT, 0)",
    Operator.POWER: "trunc(pow({}::DOUBLE, {}::DOUBLE))",
}
_REAL = {
    Operator.PLUS: "{} + {}",
    Operator.MINUS: "{} - {}",
    Operator.TIMES: "{} * {}",
    Operator.DIVIDED_BY: "{} / {}",
    Operator.MODULO: "{} % {}",
    Operator.POWER: "pow({}, {})",
}


def calculated(operator: Operator, left: Value, right: Value) -> Value:
    """Nothing where an operand is no number, or the result is beyond 64 bits, infinite or none at all."""
    wholes = [side.of(ValueType.INTEGER) for side in (left, right)]
    reals = [_real(side) for side in (left, right)]
    found: list[Alternative] = []
    both_whole: list[Fragment] = []
    if all(wholes):
        both_whole = [whole for whole in wholes if whole]
        result = combined(f"TRY_CAST({_WHOLE[operator]} AS BIGINT)", *both_whole)
        found.append(Alternative(ValueType.INTEGER, result))
    if all(reals) and not all(_only_whole(side) for side in (left, right)):
        result = _finite(combined(_REAL[operator], *(one for one in reals if one)))
        if both_whole:
            condition = "CASE WHEN {} IS NULL OR {} IS NULL THEN {} END"
            result = combined(condition, *both_whole, result)
        found.append(Alternative(ValueType.FLOAT, result))
    return Value(tuple(found))


def _real(side: Value) -> Fragment | None:
    """The number as a double, whatever number it is."""
    numbers = [one for one in side.alternatives if one.type in NUMERIC and not one.is_list]
    return first_of(_guarded(one) for one in numbers)


def _guarded(one: Alternative) -> Fragment:
    return real(one) if one.guard is None else combined("CASE WHEN {} THEN {} END", one.guard, real(one))


def _only_whole(side: Value) -> bool:
    numbers = {one.type for one in side.alternatives if one.type in NUMERIC and not one.is_list}
    return numbers == {ValueType.INTEGER}


def _finite(number: Fragment) -> Fragment:
    """Null where it is not. Names the number once, so that the text of nested ones does not double each time."""
    return combined("list_filter([{}], lambda number: isfinite(number))[1]", number)
