"""Checked metrics queries, drawn so that they often have to do with drawn spans."""

from __future__ import annotations

from random import Random

from spandrel.traceql.checking import check
from spandrel.traceql.errors import InvalidQuery
from spandrel.traceql.expressions import Attribute, Comparator, Field, Literal, Operator, Scope
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.metrics import (
    Compare,
    Metrics,
    MetricsCalculation,
    MetricsFunction,
    MetricsPipeline,
    OverTime,
    Quantiles,
    Query,
    Rank,
    Ranked,
    Refined,
    Threshold,
)
from spandrel.traceql.parser import parse
from spandrel.traceql.printing import text
from spandrel.traceql.spansets import Filter, Pipeline

from . import drawn

_FUNCTIONS = (*MetricsFunction, Quantiles, Quantiles, Compare)
_COUNTS = (MetricsFunction.RATE, MetricsFunction.COUNT)
_COMPARATORS = [one for one in Comparator if "~" not in one.value]
_OPERATORS = (Operator.PLUS, Operator.MINUS, Operator.TIMES, Operator.DIVIDED_BY)


def query(draw: Random) -> Query:
    """Metrics that make sense, as their text says them."""
    while True:
        try:
            return check(parse(text(Query(_metrics(draw, 1)))))
        except InvalidQuery:
            continue


def _metrics(draw: Random, depth: int) -> Metrics:
    choice = draw.random()
    if depth and choice < 0.15:
        sides = [_metrics(draw, 0), _metrics(draw, 0) if draw.random() < 0.6 else _number(draw)]
        draw.shuffle(sides)
        return MetricsCalculation(draw.choice(_OPERATORS), *sides)
    if depth and choice < 0.4:
        return Refined(_metrics(draw, 0), tuple(_stage(draw) for _ in range(draw.randint(1, 2))))
    return MetricsPipeline(_source(draw), _function(draw))


def _source(draw: Random) -> Pipeline:
    found = drawn.query(draw).expression
    assert isinstance(found, Pipeline)
    return found


def _function(draw: Random) -> OverTime | Quantiles | Compare:
    by = tuple(_field(draw) for _ in range(draw.choice((0, 1, 1, 2))))
    match draw.choice(_FUNCTIONS):
        case MetricsFunction() as name:
            return OverTime(name, None if name in _COUNTS else _field(draw), by)
        case kind if kind is Quantiles:
            return Quantiles(_field(draw), tuple(draw.choice((0.0, 0.3, 0.5, 0.99, 1.0)) for _ in range(2)), by)
    selection = drawn.query(draw).expression
    first = selection.stages[0] if isinstance(selection, Pipeline) else None
    times = draw.choice(((0, 0), (1_790_000_040_500_000_000, 1_790_000_042_000_000_000)))
    return Compare(first if isinstance(first, Filter) else Filter(Literal(ValueType.BOOLEAN, True)), 2, *times)


def _field(draw: Random) -> Field:
    if draw.random() < 0.4:
        return Attribute(draw.choice(list(Scope)), draw.choice((*drawn.KEYS, "service.name")))
    return draw.choice([one for one in Intrinsic if one is not Intrinsic.PARENT])


def _stage(draw: Random) -> Ranked | Threshold:
    if draw.random() < 0.5:
        return Ranked(draw.choice(list(Rank)), draw.randint(1, 3))
    return Threshold(draw.choice(_COMPARATORS), _number(draw))


def _number(draw: Random) -> Literal:
    value = draw.choice((0, 1, 2, 0.5, -3))
    return Literal(ValueType.FLOAT if isinstance(value, float) else ValueType.INTEGER, value)
