"""A metrics function over spans -> its series: a statement that groups, and its rows put together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from spandrel.model.errors import QueryTooBroad
from spandrel.model.limits import METRIC_POINTS_MAX
from spandrel.traceql.expressions import Literal
from spandrel.traceql.intrinsics import ValueType
from spandrel.traceql.metrics import MetricsFunction, OverTime, Quantiles

from .metrics_aggregates import BUCKET, BUCKET_SQL, Aggregate, aggregate_of, measure_of, scale_of
from .metrics_groups import Column, columns_of, labels_of
from .metrics_series import AllSeries, Exemplar, Labels, Points, Series, Steps
from .metrics_spans import Spans
from .sql.expressions import value_of_span
from .sql.fragment import Fragment, combined, joined

_COUNTS = (MetricsFunction.RATE, MetricsFunction.COUNT, MetricsFunction.HISTOGRAM)

# Of a point the span with the largest number stands for it; of equal ones the one with the larger ids.
_EXEMPLAR = "max(struct_pack(rank := {}, trace_id := trace_id, span_id := span_id, start_ns := start_time_unix_nano))"
_GROUPED = """{{}}
SELECT {keys}, {{}} AS part, {exemplar} AS exemplar
FROM (
    SELECT *, {bucket} AS bucket FROM (
        SELECT {{}}, trace_id, span_id, start_time_unix_nano, duration_nano FROM {table} WHERE {{}}
    ) WHERE isfinite(measure)
)
GROUP BY {keys} LIMIT {limit}
"""


@dataclass(frozen=True, slots=True)
class Counting:
    """A function over the spans of each step. `exemplars`: spans are wanted as examples of its points."""

    function: OverTime | Quantiles
    steps: Steps
    exemplars: bool = False

    def series(self, parts: Sequence[Spans]) -> AllSeries:
        """The series of all parts together. QueryTooBroad when they have too many points."""
        aggregate = aggregate_of(self.function, self.steps.step_ns, in_parts=len(parts) > 1)
        found = _Found(aggregate, self.steps, 0.0 if self._name in _COUNTS else None)
        if self._name in _COUNTS and self.function.field is None and not self.function.by:
            found.begin(())
        for spans in parts:
            columns = columns_of(self.function.by, spans.place)
            statement = self._statement(spans, columns, aggregate)
            for step, bucket, *group, part, exemplar in spans.opened.select(statement.sql, statement.parameters):
                labels = labels_of(self.function.by, columns, group) + self._bucket_label(bucket)
                found.add(labels, step, part, self._exemplar(exemplar))
        return found.series()

    @property
    def _name(self) -> MetricsFunction | None:
        return self.function.function if isinstance(self.function, OverTime) else None

    @property
    def _scale(self) -> int:
        return 1 if self.function.field is None else scale_of(self.function.field)

    def _statement(self, spans: Spans, columns: Sequence[Column], aggregate: Aggregate) -> Fragment:
        """One row a step and group: step, bucket, values of the columns, what the aggregate gives, exemplar."""
        groups = [f"group_{at}" for at in range(len(columns))]
        step = Fragment("(start_time_unix_nano - ?::UBIGINT) // ?::UBIGINT", (self.steps.start_ns, self.steps.step_ns))
        chosen = {"step": step, "measure": self._measure(spans)}
        chosen |= {name: column.sql for name, column in zip(groups, columns, strict=True)}
        grouped = _GROUPED.format(
            keys=", ".join(["step", "bucket", *groups]),
            exemplar=_EXEMPLAR.format(self._rank) if self.exemplars else "NULL",
            bucket=BUCKET_SQL if self._name is MetricsFunction.HISTOGRAM else "NULL",
            table=spans.table,
            limit=METRIC_POINTS_MAX + 1,
        )
        values = joined(", ", [combined(f"{{}} AS {name}", value) for name, value in chosen.items()])
        return combined(grouped, spans.before, aggregate.sql, values, spans.condition)

    def _measure(self, spans: Spans) -> Fragment:
        """Where spans are counted whatever their numbers, each has one."""
        if self.function.field is None:
            return Fragment("0.0::DOUBLE")
        return measure_of(value_of_span(self.function.field, spans.place))

    @property
    def _rank(self) -> str:
        if self.function.field is None:
            return "duration_nano::DOUBLE"
        return "-measure" if self._name is MetricsFunction.LEAST else "measure"

    def _exemplar(self, found: dict[str, Any] | None) -> Exemplar | None:
        if found is None:
            return None
        rank = -found["rank"] if self._name is MetricsFunction.LEAST else found["rank"]
        value = None if self.function.field is None else rank / self._scale
        return Exemplar(found["trace_id"], found["span_id"], found["start_ns"], value)

    def _bucket_label(self, bucket: float | None) -> Labels:
        return () if bucket is None else ((BUCKET, Literal(ValueType.FLOAT, bucket / self._scale)),)


@dataclass(slots=True)
class _Found:
    """What was found so far of each series: by step what the aggregate gave. `empty`: what a step without any has."""

    aggregate: Aggregate
    steps: Steps
    empty: float | None
    parts: dict[Labels, list[Any]] = field(default_factory=dict)
    exemplars: dict[Labels, list[Exemplar]] = field(default_factory=dict)

    def begin(self, labels: Labels) -> list[Any]:
        """A series, as long as there are steps; QueryTooBroad where there are too many."""
        if labels not in self.parts:
            if (len(self.parts) + 1) * self.steps.count > METRIC_POINTS_MAX:
                raise QueryTooBroad(
                    f"these are more than {METRIC_POINTS_MAX} points, series times steps: "
                    "group by less, or widen the step"
                )
            self.parts[labels] = [None] * self.steps.count
            self.exemplars[labels] = []
        return self.parts[labels]

    def add(self, labels: Labels, step: int, part: Any, exemplar: Exemplar | None) -> None:
        of_series = self.begin(labels)
        of_series[step] = part if of_series[step] is None else self.aggregate.add(of_series[step], part)
        if exemplar:
            self.exemplars[labels].append(exemplar)

    def series(self) -> AllSeries:
        """Each aggregate's numbers; a number that is infinite is none. Spans stand with the last series of a group."""
        found: AllSeries = {}
        for labels, parts in self.parts.items():
            numbers = [None if part is None else self.aggregate.numbers(part) for part in parts]
            for at, further in enumerate(self.aggregate.labels):
                points: Points = [self.empty if of_step is None else _finite(of_step[at]) for of_step in numbers]
                found[labels + further] = Series(points)
            exemplars = sorted(self.exemplars[labels], key=lambda one: one.start_ns)
            found[labels + further] = Series(points, tuple(exemplars))
        return found


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
