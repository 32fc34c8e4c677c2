"""Metrics over many traces: series of numbers, one for each step, None where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

from spandrel.traceql.expressions import Comparator, Field, Literal, Operator
from spandrel.traceql.intrinsics import Intrinsic, ValueType, type_of
from spandrel.traceql.metrics import (
    Compare,
    Metrics,
    MetricsCalculation,
    MetricsFunction,
    MetricsPipeline,
    OverTime,
    Quantiles,
    Rank,
    Ranked,
    Refined,
    Threshold,
)
from spandrel.traceql.printing import label

from .comparing import comparison
from .fields import group_of, real, value_for_span
from .spans import Span, Trace
from .spansets import matching
from .steps import SECOND_NS, Labels, Series, Steps
from .values import Value, as_text, compares, finite, number


def series(metrics: Metrics, traces: Iterable[Trace], steps: Steps) -> Series:
    match metrics:
        case MetricsPipeline(source, function):
            spans = [
                span
                for trace in traces
                for spanset in matching(source, trace)
                for span in spanset.spans
                if steps.start_ns <= span.start_ns < steps.end_ns
            ]
            return _function(function, spans, steps)
        case MetricsCalculation(operator, left, right):
            sides = [side if isinstance(side, Literal) else series(side, traces, steps) for side in (left, right)]
            return _calculated(operator, *sides)
        case Refined(of, stages):
            found = series(of, traces, steps)
            for stage in stages:
                found = _ranked(stage, found) if isinstance(stage, Ranked) else _above(stage, found)
            return found


def _function(function: OverTime | Quantiles | Compare, spans: list[Span], steps: Steps) -> Series:
    match function:
        case Compare():
            return comparison(function, spans, steps)
        case Quantiles(field, quantiles, by):
            groups = _grouped(spans, by, steps, partial(measured, field))
            return _not_empty(
                {
                    (*labels, ("p", Literal(ValueType.FLOAT, quantile))): [
                        shown(field, _quantile(quantile, found)) for found in values
                    ]
                    for labels, values in groups.items()
                    for quantile in quantiles
                }
            )
        case OverTime(MetricsFunction.HISTOGRAM, field, by):
            assert field is not None
            return _histogram(field, spans, by, steps)
        case OverTime(name, field, by):
            if field is None:
                counts = _grouped(spans, by, steps, lambda _: 1.0)
                per = steps.step_ns / SECOND_NS if name is MetricsFunction.RATE else 1.0
                return {labels: [len(found) / per for found in values] for labels, values in counts.items()}
            measures = _grouped(spans, by, steps, partial(measured, field))
            over_time = _OVER_TIME[name]
            return _not_empty(
                {
                    labels: [shown(field, over_time(found)) if found else None for found in values]
                    for labels, values in measures.items()
                }
            )


def measured(field: Field, span: Span) -> float | None:
    """The number of a field, durations in nanoseconds."""
    known = finite(value_for_span(field, span))
    return None if known is None else float(known)


def shown(field: Field, result: float | None) -> float | None:
    """A result of such numbers: seconds for durations, nothing where it is infinite."""
    if result is None or not math.isfinite(result):
        return None
    of_time = isinstance(field, Intrinsic) and type_of(field) is ValueType.DURATION
    return result / SECOND_NS if of_time else result


def _sum(found: list[float]) -> float:
    try:
        return math.fsum(found)
    except OverflowError:
        return math.inf


_OVER_TIME: dict[MetricsFunction, Callable[[list[float]], float]] = {
    MetricsFunction.LEAST: min,
    MetricsFunction.LARGEST: max,
    MetricsFunction.SUM: _sum,
    MetricsFunction.AVERAGE: lambda found: _sum(found) / len(found),
}


def _grouped(
    spans: list[Span], by: tuple[Field, ...], steps: Steps, measure: Callable[[Span], float | None]
) -> dict[Labels, list[list[float]]]:
    """The measures of each group and step. Without `by` there is always one group."""
    found: dict[Labels, list[list[float]]] = {}
    if not by:
        found[()] = [[] for _ in range(steps.count)]
    for span in spans:
        known = measure(span)
        if known is not None:
            values = found.setdefault(_labels(by, span), [[] for _ in range(steps.count)])
            values[steps.of(span)].append(known)
    return found


def _labels(by: tuple[Field, ...], span: Span) -> Labels:
    """Without those that the span has no value for; where it has none at all, the first one without a value."""
    all_labels = tuple((label(field), group_of(field, span)) for field in by)
    return tuple(pair for pair in all_labels if pair[1] is not None) or all_labels[:1]


def _not_empty(found: Series) -> Series:
    return {labels: values for labels, values in found.items() if any(value is not None for value in values)}


def _histogram(field: Field, spans: list[Span], by: tuple[Field, ...], steps: Steps) -> Series:
    """Counts by power of two: each number counts for the least, from 1 up, that is not below it."""
    found: Series = {}
    for span in spans:
        bucket = _bucket(value_for_span(field, span))
        if bucket is not None:
            labels = (*_labels(by, span), ("__bucket", Literal(ValueType.FLOAT, bucket)))
            values = found.setdefault(labels, [0.0] * steps.count)
            values[steps.of(span)] = (values[steps.of(span)] or 0.0) + 1
    return found


def _bucket(value: Value) -> float | None:
    """In seconds for durations, whose powers of two are of nanoseconds. Numbers are doubles here."""
    known = finite(value)
    if known is None or not isinstance(value, Literal):
        return None
    power = 1.0
    while power < float(known):
        power *= 2
    return power / SECOND_NS if value.type is ValueType.DURATION else power


def _quantile(quantile: float, found: list[float]) -> float | None:
    """Between the two nearest ranks, in proportion."""
    if not found:
        return None
    ordered = sorted(found)
    place = quantile * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _calculated(operator: Operator, left: Series | Literal, right: Series | Literal) -> Series:
    """Points of the same labels and step. One series without labels goes with each of the other side."""
    if isinstance(left, Literal) or isinstance(right, Literal):
        return _with_a_number(operator, left, right)
    wide = left if () in right else right
    found: Series = {}
    for labels in wide:
        a, b = left.get(labels, left.get(())), right.get(labels, right.get(()))
        if a is not None and b is not None:
            found[labels] = [_point(operator, x, y) for x, y in zip(a, b, strict=True)]
    return _not_empty(found)


def _with_a_number(operator: Operator, left: Series | Literal, right: Series | Literal) -> Series:
    if isinstance(left, Literal) and not isinstance(right, Literal):
        return _not_empty({k: [_point(operator, number(left), v) for v in values] for k, values in right.items()})
    assert not isinstance(left, Literal)
    assert isinstance(right, Literal)
    return _not_empty({k: [_point(operator, v, number(right)) for v in values] for k, values in left.items()})


def _point(operator: Operator, a: float | None, b: float | None) -> float | None:
    if a is None or b is None or (operator is Operator.DIVIDED_BY and b == 0):
        return None
    return real(operator, a, b)


def _ranked(stage: Ranked, found: Series) -> Series:
    """At each step the best; of equals those whose labels sort first."""
    sign = -1 if stage.rank is Rank.TOP else 1
    kept: Series = {labels: [None] * len(values) for labels, values in found.items()}
    for step in range(max((len(values) for values in found.values()), default=0)):
        points = [(value, labels) for labels, values in found.items() if (value := values[step]) is not None]
        points.sort(key=lambda point: (sign * point[0], _sortable(point[1])))
        for value, labels in points[: stage.limit]:
            kept[labels][step] = value
    return _not_empty(kept)


def _sortable(labels: Labels) -> list[tuple[str, str]]:
    return [(name, as_text(value)) for name, value in labels]


def _above(stage: Threshold, found: Series) -> Series:
    limit = number(stage.limit)
    assert limit is not None
    if stage.limit.type is ValueType.DURATION:
        limit = limit / SECOND_NS
    bound = Literal(ValueType.FLOAT, float(limit))
    return _not_empty(
        {
            labels: [value if _passes(stage.comparator, value, bound) else None for value in values]
            for labels, values in found.items()
        }
    )


def _passes(comparator: Comparator, value: float | None, bound: Literal) -> bool:
    return value is not None and compares(comparator, Literal(ValueType.FLOAT, value), bound)
