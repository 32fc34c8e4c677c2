"""Aggregates over the spans of each set, as window functions."""

from __future__ import annotations

from spandrel.traceql.intrinsics import ValueType
from spandrel.traceql.spansets import Aggregate, AggregateFunction

from .fragment import Fragment, first_of
from .values import Alternative, Kind, Value

_OVER = "OVER (PARTITION BY spanset)"
_FUNCTIONS = {
    AggregateFunction.AVERAGE: "avg",
    AggregateFunction.LARGEST: "max",
    AggregateFunction.LEAST: "min",
    AggregateFunction.SUM: "sum",
}
_WHOLE = (ValueType.INTEGER, ValueType.DURATION)


def aggregated(aggregate: Aggregate, operand: dict[Kind, str]) -> Value:
    """The number of each row's set, from the columns of the operand's types.

    Only finite numbers count. Whole numbers give a whole one, but for averages and where a float is among them.
    """
    if aggregate.operand is None:
        return Value((Alternative(ValueType.INTEGER, Fragment(f"count(*) {_OVER}")),))
    whole_type = next((one for one in _WHOLE if (one, False) in operand), ValueType.INTEGER)
    whole = first_of(Fragment(operand[one, False]) for one in _WHOLE if (one, False) in operand)
    real = f"CASE WHEN isfinite({operand[_FLOAT]}) THEN {operand[_FLOAT]} END" if _FLOAT in operand else None
    function = _FUNCTIONS[aggregate.function]
    if aggregate.function is AggregateFunction.AVERAGE:
        real, exact = real or "NULL::DOUBLE", None
    else:
        exact = f"{function}({whole.sql}::HUGEINT) {_OVER}" if whole else None
    found = []
    if exact:
        alone = f"CASE WHEN count({real}) {_OVER} = 0 THEN {exact} END" if real else exact
        found.append(Alternative(whole_type, Fragment(alone)))
    if real:
        every = f"coalesce({real}, ({whole.sql})::DOUBLE)" if whole else real
        some = f"CASE WHEN count({real}) {_OVER} > 0 THEN {function}({every}) {_OVER} END"
        found.append(Alternative(ValueType.FLOAT, Fragment(some if exact else f"{function}({every}) {_OVER}")))
    return Value(tuple(found))


_FLOAT: Kind = (ValueType.FLOAT, False)
