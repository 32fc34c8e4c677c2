"""Arithmetic between numbers of the query itself, where aggregates and metrics are compared: `rate() > 5 * 60`."""

from __future__ import annotations

from .expressions import Literal, Operator
from .intrinsics import ValueType
from .literals import finite, within_64_bits

OPERATORS = frozenset({Operator.PLUS, Operator.MINUS, Operator.TIMES, Operator.DIVIDED_BY})


def folded(operator: Operator, left: Literal, right: Literal) -> Literal:
    """One number of two. Whole numbers stay whole and are divided so, as in Tempo: 1 / 2 is 0, 1 / 2.0 is 0.5.

    ValueError for durations, for other operators than + - * /, for division by zero and beyond 64 bits.
    """
    if ValueType.DURATION in (left.type, right.type):
        raise ValueError("durations in the query are not calculated with; write one duration")
    if operator not in OPERATORS:
        raise ValueError(f"`{operator.value}` does not join two numbers here")
    a, b = left.value, right.value
    assert not isinstance(a, str) and not isinstance(b, str)
    if operator is Operator.DIVIDED_BY and b == 0:
        raise ValueError("this divides by zero")
    if isinstance(a, int) and isinstance(b, int):
        return Literal(ValueType.INTEGER, within_64_bits(_whole(operator, a, b)))
    return Literal(ValueType.FLOAT, finite(_real(operator, float(a), float(b))))


def _whole(operator: Operator, a: int, b: int) -> int:
    if operator is Operator.DIVIDED_BY:
        quotient = abs(a) // abs(b)
        return quotient if (a < 0) == (b < 0) else -quotient
    return {Operator.PLUS: a + b, Operator.MINUS: a - b, Operator.TIMES: a * b}[operator]


def _real(operator: Operator, a: float, b: float) -> float:
    if operator is Operator.DIVIDED_BY:
        return a / b
    return {Operator.PLUS: a + b, Operator.MINUS: a - b, Operator.TIMES: a * b}[operator]
