"""Series of numbers by step, and what a query makes of them once the spans are counted.

A series is known by its labels: pairs of a name and a value, None where no span of it has one. A step without a number
has None. docs/traceql.md has the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from spandrel.traceql.expressions import Comparator, Literal, Operator
from spandrel.traceql.intrinsics import ValueType
from spandrel.traceql.metrics import Rank, Ranked, Threshold

SECOND_NS = 10**9

LabelValue = Literal | tuple[Literal, ...] | None
"""A tuple: the elements of a list."""

Labels = tuple[tuple[str, LabelValue], ...]
Points = list[float | None]


@dataclass(frozen=True, slots=True)
class Steps:
    """[start_ns, end_ns), unix nanoseconds, in steps; the last one may be shorter."""

    start_ns: int
    end_ns: int
    step_ns: int

    @property
    def count(self) -> int:
        return -(-(self.end_ns - self.start_ns) // self.step_ns)

    def of(self, time_ns: int) -> int:
        return (time_ns - self.start_ns) // self.step_ns


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A span that counts in a series. `value`: its number there, durations in seconds; None where spans are counted."""

    trace_id: bytes
    span_id: bytes
    start_ns: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One number or None for each step, and spans from some of them."""

    points: Points
    exemplars: tuple[Exemplar, ...] = ()


AllSeries = dict[Labels, Series]


def order(labels: Labels) -> list[tuple[str, str]]:
    """Sorts labels by their names and the texts of their values."""
    return [(name, str(value.value) if isinstance(value, Literal) else "") for name, value in labels]


def not_empty(found: Mapping[Labels, Series]) -> AllSeries:
    """Those that have a number in any step."""
    return {labels: one for labels, one in found.items() if any(point is not None for point in one.points)}


def calculated(operator: Operator, left: AllSeries | Literal, right: AllSeries | Literal) -> AllSeries:
    """Points of equal labels and steps; one series without labels goes with each on the other side."""
    pairs = (
        _with_number(left, right) if isinstance(left, Literal) or isinstance(right, Literal) else _pairs(left, right)
    )
    calculate = _CALCULATE[operator]
    return not_empty(
        {
            labels: Series(
                [None if a is None or b is None else calculate(a, b) for a, b in zip(x.points, y.points, strict=True)],
                x.exemplars + y.exemplars,
            )
            for labels, x, y in pairs
        }
    )


def refined(stage: Ranked | Threshold, found: AllSeries) -> AllSeries:
    """The points that a further stage keeps."""
    kept = _ranked(stage, found) if isinstance(stage, Ranked) else _compared(stage, found)
    return not_empty({labels: replace(found[labels], points=points) for labels, points in kept.items()})


def _divided(a: float, b: float) -> float | None:
    return a / b if b else None


_CALCULATE: dict[Operator, Callable[[float, float], float | None]] = {
    Operator.PLUS: lambda a, b: a + b,
    Operator.MINUS: lambda a, b: a - b,
    Operator.TIMES: lambda a, b: a * b,
    Operator.DIVIDED_BY: _divided,
}


def _pairs(left: AllSeries, right: AllSeries) -> Iterator[tuple[Labels, Series, Series]]:
    for labels in left if () in right else right:
        x, y = left.get(labels, left.get(())), right.get(labels, right.get(()))
        if x and y:
            yield labels, x, y


def _with_number(left: AllSeries | Literal, right: AllSeries | Literal) -> Iterator[tuple[Labels, Series, Series]]:
    for labels, one in (right if isinstance(left, Literal) else left).items():  # type: ignore[union-attr]
        x, y = (_constant(side, one) if isinstance(side, Literal) else one for side in (left, right))
        yield labels, x, y


def _constant(number: Literal, beside: Series) -> Series:
    return Series([float(number.value)] * len(beside.points))


def _ranked(stage: Ranked, found: AllSeries) -> dict[Labels, Points]:
    """At each step the best; of equal ones those whose labels come first."""
    kept: dict[Labels, Points] = {labels: [None] * len(one.points) for labels, one in found.items()}
    sign = -1 if stage.rank is Rank.TOP else 1
    in_order = sorted(found, key=order)
    for step in range(max((len(one.points) for one in found.values()), default=0)):
        points = [(sign * point, labels) for labels in in_order if (point := found[labels].points[step]) is not None]
        for point, labels in sorted(points, key=lambda one: one[0])[: stage.limit]:
            kept[labels][step] = sign * point
    return kept


def _compared(stage: Threshold, found: AllSeries) -> dict[Labels, Points]:
    limit = float(stage.limit.value) / (SECOND_NS if stage.limit.type is ValueType.DURATION else 1)
    holds = _HOLDS[stage.comparator]
    return {
        labels: [point if point is not None and holds(point, limit) else None for point in one.points]
        for labels, one in found.items()
    }


_HOLDS: dict[Comparator, Callable[[float, float], bool]] = {
    Comparator.EQUAL: lambda a, b: a == b,
    Comparator.UNEQUAL: lambda a, b: a != b,
    Comparator.LESS: lambda a, b: a < b,
    Comparator.LESS_OR_EQUAL: lambda a, b: a <= b,
    Comparator.GREATER: lambda a, b: a > b,
    Comparator.GREATER_OR_EQUAL: lambda a, b: a >= b,
}
