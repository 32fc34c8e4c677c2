"""Metrics: series of numbers by step, counted from spans. docs/traceql.md says what a query means."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from spandrel.model.errors import Rejected
from spandrel.model.limits import METRIC_STEPS_MAX
from spandrel.traceql import expressions
from spandrel.traceql.metrics import (
    Compare,
    Metrics,
    MetricsCalculation,
    MetricsPipeline,
    OverTime,
    Quantiles,
    Query,
    Refined,
)
from spandrel.traceql.spansets import Pipeline

from . import metrics_minutes
from .metrics_comparison import comparison, fields_compared
from .metrics_counting import Counting
from .metrics_minutes import of_minutes
from .metrics_series import AllSeries, Exemplar, Steps, calculated, order, refined
from .metrics_spans import Range
from .reading import Reading, check_range

EXEMPLARS = "exemplars"
EXEMPLARS_DEFAULT = 100  # where a query only says that it wants some
EXEMPLARS_MAX = 1000

Source = Literal["spans", "minutes", "spans and minutes"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The series, in the order of their labels, and what they were counted from: `minutes` are counts that were made
    when blocks were merged, whose quantiles are estimates (`metrics_minutes`).
    """

    steps: Steps
    series: AllSeries
    source: Source


def metrics(
    reading: Reading, query: Query, start_ns: int, end_ns: int, step_ns: int | None = None, exemplars: int = 0
) -> Answer:
    """The series of a checked metrics query over the spans that start in [start_ns, end_ns), unix nanoseconds.

    Without `step_ns` all is one step, which is what an instant query asks for. `exemplars`: how many spans are wanted
    as examples of all the points together; what the query says by `with(exemplars=…)` goes before. Rejected for a
    query that finds spans and for steps that cannot be; QueryTooBroad for what is too much.
    """
    check_range(start_ns, end_ns)
    if isinstance(query.expression, Pipeline):
        raise Rejected("this query finds spans; metrics need a function of them, as in { } | rate()")
    steps = _steps(start_ns, end_ns, step_ns)
    wanted = min(_hinted(query, exemplars), EXEMPLARS_MAX)
    asked = _Asked(Range(reading, steps), wanted > 0)
    found = asked.series(query.expression)
    in_order = {labels: found[labels] for labels in sorted(found, key=order)}
    return Answer(steps, _with_exemplars(in_order, steps, wanted), asked.source)


def _steps(start_ns: int, end_ns: int, step_ns: int | None) -> Steps:
    steps = Steps(start_ns, end_ns, end_ns - start_ns if step_ns is None else step_ns)
    if steps.step_ns < 1 or start_ns < 0:
        raise Rejected("a step is longer than nothing, and the first one begins in 1970 or later")
    if steps.count > METRIC_STEPS_MAX:
        raise Rejected(f"the range has {steps.count} steps; {METRIC_STEPS_MAX} can be told: widen the step")
    return steps


def _hinted(query: Query, exemplars: int) -> int:
    for hint in query.hints:
        if hint.name == EXEMPLARS and isinstance(hint.value.value, bool):
            return (exemplars or EXEMPLARS_DEFAULT) if hint.value.value else 0
        if hint.name == EXEMPLARS and isinstance(hint.value.value, int):
            return max(hint.value.value, 0)
    return exemplars


@dataclass(frozen=True)
class _Asked:
    """One query over the blocks of one range."""

    range: Range
    exemplars: bool
    sources: set[Source] = field(default_factory=set)

    @property
    def source(self) -> Source:
        return "spans and minutes" if len(self.sources) > 1 else next(iter(self.sources))

    def series(self, metrics: Metrics) -> AllSeries:
        match metrics:
            case MetricsPipeline(source, function):
                return self._of_spans(source, function)
            case MetricsCalculation(operator, left, right):
                return calculated(operator, self._side(left), self._side(right))
            case Refined(source_metrics, stages):
                found = self.series(source_metrics)
                for stage in stages:
                    found = refined(stage, found)
                return found

    def _side(self, side: Metrics | expressions.Literal) -> AllSeries | expressions.Literal:
        return side if isinstance(side, expressions.Literal) else self.series(side)

    def _of_spans(self, source: Pipeline, function: OverTime | Quantiles | Compare) -> AllSeries:
        if isinstance(function, Compare):
            self.sources.add("spans")
            (spans,) = self.range.spans(source, fields_compared(function), in_parts=False)
            return comparison(function, spans, self.range.steps)
        if not self.exemplars and self.range.spans_tallied > metrics_minutes.READ_SPANS_MAX:
            minutes = of_minutes(source, function, self.range.steps)
            if minutes and (found := minutes.series(self.range.reading)) is not None:
                self.sources.add("minutes")
                return found
        self.sources.add("spans")
        fields = [*function.by, *([function.field] if function.field else [])]
        return Counting(function, self.range.steps, self.exemplars).series(self.range.spans(source, fields))


def _with_exemplars(series: AllSeries, steps: Steps, wanted: int) -> AllSeries:
    """At most as many of the exemplars as are wanted, spread over all; none where the point is gone."""
    shown = {
        labels: [one for one in of_series.exemplars if of_series.points[steps.of(one.start_ns)] is not None]
        for labels, of_series in series.items()
    }
    every = max(1, -(-sum(map(len, shown.values())) // max(wanted, 1)))
    passed = 0
    kept: dict[object, tuple[Exemplar, ...]] = {}
    for labels, exemplars in shown.items():
        kept[labels] = tuple(one for at, one in enumerate(exemplars, passed) if at % every == 0)
        passed += len(exemplars)
    return {labels: replace(of_series, exemplars=kept[labels]) for labels, of_series in series.items()}
