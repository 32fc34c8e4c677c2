"""What metrics functions make of the spans of one series and step: in SQL, in parts that add up, and as numbers.

A measure is a double: of durations nanoseconds, else the number as it is. Results are seconds for durations.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spandrel.model.errors import QueryTooBroad
from spandrel.traceql.expressions import Field, Literal
from spandrel.traceql.intrinsics import NUMERIC, Intrinsic, ValueType, type_of
from spandrel.traceql.metrics import MetricsFunction, OverTime, Quantiles

from .metrics_series import SECOND_NS, Labels
from .sql.fragment import Fragment, combined, first_of
from .sql.values import Value

BUCKET = "__bucket"
QUANTILE = "p"
QUANTILE_NUMBERS_MAX = 4_000_000  # of which exact quantiles are taken where spans come in parts

# The least power of two, from 1 up, that is not below the measure. The logarithm may be just too small.
_POWER = "pow(2.0, ceil(log2(measure)))"
BUCKET_SQL = f"CASE WHEN measure <= 1 THEN 1.0 WHEN {_POWER} >= measure THEN {_POWER} ELSE 2 * {_POWER} END::DOUBLE"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`sql` is of rows with a `measure`; what it gives of two parts of them is added by `add`.

    `numbers` are those that come out, one for each of `labels`, which the series' own labels end with.
    """

    sql: Fragment
    add: Callable[[Any, Any], Any]
    numbers: Callable[[Any], Sequence[float]]
    labels: tuple[Labels, ...] = ((),)


def aggregate_of(function: OverTime | Quantiles, step_ns: int, *, in_parts: bool) -> Aggregate:
    """`in_parts`: the spans of a step may come in several parts."""
    scale = scale_of(function.field) if function.field else 1
    if isinstance(function, Quantiles):
        return _quantiles(function.quantiles, scale, in_parts=in_parts)
    match function.function:
        case MetricsFunction.COUNT | MetricsFunction.HISTOGRAM:
            return Aggregate(Fragment("count(*)"), operator.add, lambda count: [float(count)])
        case MetricsFunction.RATE:
            return Aggregate(Fragment("count(*)"), operator.add, lambda count: [count / (step_ns / SECOND_NS)])
        case MetricsFunction.AVERAGE:
            total_and_count = Fragment("[fsum(measure), count(*)]")
            return Aggregate(total_and_count, _each_added, lambda both: [both[0] / both[1] / scale])
    name, add = _SIMPLE[function.function]
    return Aggregate(Fragment(f"{name}(measure)"), add, lambda number: [number / scale])


def measure_of(value: Value) -> Fragment:
    """A field's value as a measure, null where it is no number; infinite ones and NaN are left in."""
    numbers = (value.of(kind) for kind in sorted(NUMERIC, key=lambda kind: kind.name))
    found = first_of(combined("{}::DOUBLE", number) for number in numbers if number is not None)
    return found or Fragment("NULL::DOUBLE")


def scale_of(field: Field) -> int:
    """By what a measure of the field is divided to be shown."""
    of_time = isinstance(field, Intrinsic) and type_of(field) is ValueType.DURATION
    return SECOND_NS if of_time else 1


def quantile_label(quantile: float) -> Labels:
    return ((QUANTILE, Literal(ValueType.FLOAT, quantile)),)


_SIMPLE: dict[MetricsFunction, tuple[str, Callable[[Any, Any], Any]]] = {
    MetricsFunction.LEAST: ("min", min),
    MetricsFunction.LARGEST: ("max", max),
    MetricsFunction.SUM: ("fsum", operator.add),
}


def _quantiles(quantiles: Sequence[float], scale: int, *, in_parts: bool) -> Aggregate:
    labels = tuple(quantile_label(quantile) for quantile in quantiles)
    if in_parts:
        return Aggregate(
            Fragment("list(measure)"),
            _joined,
            lambda measures: [one / scale for one in _ranks(sorted(measures), quantiles)],
            labels,
        )
    exact = Fragment("quantile_cont(measure, ?::DOUBLE[])", (list(quantiles),))
    return Aggregate(exact, operator.add, lambda numbers: [number / scale for number in numbers], labels)


def _ranks(ordered: Sequence[float], quantiles: Sequence[float]) -> list[float]:
    """Each quantile between the two nearest ranks, in proportion."""
    found = []
    for quantile in quantiles:
        part, below = math.modf(quantile * (len(ordered) - 1))
        low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
        found.append(low + (high - low) * part)
    return found


def _joined(measures: list[float], further: list[float]) -> list[float]:
    if len(measures) + len(further) > QUANTILE_NUMBERS_MAX:
        raise QueryTooBroad(f"an exact quantile is taken of {QUANTILE_NUMBERS_MAX} numbers at most: narrow the steps")
    return measures + further


def _each_added(left: Sequence[float], right: Sequence[float]) -> list[float]:
    return [a + b for a, b in zip(left, right, strict=True)]
