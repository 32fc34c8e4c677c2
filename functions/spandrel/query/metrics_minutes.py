"""Metrics from what is counted by the minute (`traffic`), where that says what a query asks: of ranges with so many
spans that reading them takes long, or is more than one request may.

Counts are as exact as those of spans. Quantiles of durations are at most `QUANTILE_ERROR` beside the true ones, and
are of spans that did not end before they began.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model.errors import QueryTooBroad
from spandrel.model.traffic import MINUTE_NS, Latency, Traffic
from spandrel.traceql.expressions import (
    TRUE,
    Attribute,
    Comparator,
    Comparison,
    Expression,
    Field,
    Junction,
    Literal,
    Logic,
    Scope,
)
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.metrics import Compare, MetricsFunction, OverTime, Quantiles
from spandrel.traceql.printing import label
from spandrel.traceql.spansets import Filter, Pipeline, Select

from .metrics_aggregates import quantile_label
from .metrics_series import SECOND_NS, AllSeries, Labels, LabelValue, Points, Series, Steps
from .reading import Reading
from .traffic import Chosen, Side, traffic

READ_SPANS_MAX = 5_000_000  # of merged blocks: up to so many, reading them is quicker than adding up minutes

_T = TypeVar("_T")
_SERVICE = Attribute(Scope.RESOURCE, SERVICE_NAME)
_SIDES: dict[Field, Side] = {_SERVICE: "service", Intrinsic.NAME: "operation", Intrinsic.KIND: "kind"}
_FAILED = Literal(ValueType.STATUS, 2)


@dataclass(frozen=True, slots=True)
class OfMinutes:
    """A query that minutes answer: spans of which these fields have these values, grouped by `by`."""

    function: OverTime | Quantiles
    wanted: tuple[tuple[Field, Literal], ...]
    steps: Steps

    def series(self, reading: Reading) -> AllSeries | None:
        """None where spans without a service, or with an empty one, would have to be told apart, and where the minutes
        are too many.
        """
        fields = {*self.function.by, *(field for field, _ in self.wanted)}
        step_ns = math.gcd(self.steps.start_ns, self.steps.step_ns)
        apart = {_SIDES[field] for field in fields if field in _SIDES}
        times = self.steps.start_ns, self.steps.end_ns
        try:
            rows = traffic(reading, *times, step_ns=step_ns, apart=apart, chosen=self._chosen())
        except QueryTooBroad:
            return None  # spans may still be few enough
        if _SERVICE in fields and any(not row.service for row in rows):
            return None
        return self._counts(rows) if isinstance(self.function, OverTime) else self._quantiles(rows, self.function)

    def _chosen(self) -> Chosen:
        services = [str(value.value) for field, value in self.wanted if field == _SERVICE]
        kinds = [int(value.value) for field, value in self.wanted if field is Intrinsic.KIND]
        return Chosen(_only(services), _only(kinds))

    def _grouped(self, rows: Iterable[Traffic]) -> Iterator[tuple[Labels, int, Traffic]]:
        """Labels and step of what is counted."""
        names = [value.value for field, value in self.wanted if field is Intrinsic.NAME]
        for row in rows:
            if all(row.operation == name for name in names):
                labels = tuple((label(field), _VALUES[field](row)) for field in self.function.by)
                yield labels, self.steps.of(row.start_ns), row

    def _counts(self, rows: Sequence[Traffic]) -> AllSeries:
        failed = any(field is Intrinsic.STATUS for field, _ in self.wanted)
        found: dict[Labels, Points] = {} if self.function.by else {(): [0.0] * self.steps.count}
        rate = isinstance(self.function, OverTime) and self.function.function is MetricsFunction.RATE
        per = self.steps.step_ns / SECOND_NS if rate else 1.0
        for labels, step, row in self._grouped(rows):
            if count := row.errors if failed else row.calls:
                points = found.setdefault(labels, [0.0] * self.steps.count)
                points[step] = (points[step] or 0.0) + count
        return {labels: Series([point and point / per for point in points]) for labels, points in found.items()}

    def _quantiles(self, rows: Sequence[Traffic], function: Quantiles) -> AllSeries:
        latencies: dict[Labels, dict[int, Latency]] = defaultdict(dict)
        for labels, step, row in self._grouped(rows):
            if row.latency.spans:
                latencies[labels][step] = latencies[labels].get(step, Latency({})) + row.latency
        return {
            labels + quantile_label(quantile): Series(
                [
                    _seconds(by_step[step].quantile(quantile)) if step in by_step else None
                    for step in range(self.steps.count)
                ]
            )
            for labels, by_step in latencies.items()
            for quantile in function.quantiles
        }


def of_minutes(source: Pipeline, function: OverTime | Quantiles | Compare, steps: Steps) -> OfMinutes | None:
    """The query as one that minutes answer; None if they do not."""
    wanted: list[tuple[Field, Literal]] = []
    for stage in source.stages:
        if isinstance(stage, Filter) and (asked := _equalities(stage.condition)) is not None:
            wanted += asked
        elif not isinstance(stage, Select):
            return None
    whole_minutes = steps.start_ns % MINUTE_NS == 0 and steps.step_ns % MINUTE_NS == 0
    if isinstance(function, Compare) or not whole_minutes or any(field not in _SIDES for field in function.by):
        return None
    if isinstance(function, Quantiles):
        of_durations = function.field is Intrinsic.DURATION and all(
            field is not Intrinsic.STATUS for field, _ in wanted
        )
        return OfMinutes(function, tuple(wanted), steps) if of_durations else None
    counts = function.function in (MetricsFunction.RATE, MetricsFunction.COUNT)
    return OfMinutes(function, tuple(wanted), steps) if counts else None


def _equalities(condition: Expression) -> list[tuple[Field, Literal]] | None:
    """Which fields have to have which values; None where the condition says more than that."""
    match condition:
        case Literal() if condition == TRUE:
            return []
        case Junction(Logic.AND, operands):
            found = [_equalities(operand) for operand in operands]
            return [pair for pairs in found for pair in pairs or ()] if None not in found else None
        case Comparison(Comparator.EQUAL, (Attribute() | Intrinsic()) as field, Literal() as value):
            return [(field, value)] if _is_told(field, value) else None
    return None


def _is_told(field: Field, value: Literal) -> bool:
    if field in (_SERVICE, Intrinsic.NAME):
        return value.type is ValueType.TEXT and (field is Intrinsic.NAME or bool(value.value))
    return field is Intrinsic.KIND or (field is Intrinsic.STATUS and value == _FAILED)


def _only(values: Sequence[_T]) -> Sequence[_T] | None:
    """What they have in common, being all wanted at once; None where nothing is wanted."""
    if not values:
        return None
    return values[:1] if len(set(values)) == 1 else ()


def _seconds(duration_ns: float | None) -> float | None:
    return None if duration_ns is None else duration_ns / SECOND_NS


_VALUES: dict[Field, Callable[[Traffic], LabelValue]] = {
    _SERVICE: lambda row: Literal(ValueType.TEXT, row.service),
    Intrinsic.NAME: lambda row: Literal(ValueType.TEXT, row.operation),
    Intrinsic.KIND: lambda row: Literal(ValueType.KIND, row.kind),
}
