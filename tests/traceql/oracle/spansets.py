"""Pipelines over one trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from spandrel.traceql.expressions import Expression, Literal, Logic
from spandrel.traceql.intrinsics import ValueType
from spandrel.traceql.printing import scalar, stage
from spandrel.traceql.spansets import (
    Aggregate,
    AggregateFunction,
    Coalesce,
    Filter,
    GroupBy,
    Pipeline,
    Relation,
    ScalarFilter,
    Select,
    Side,
    SpansetJunction,
    Spansets,
    Stage,
    Structure,
    Whole,
)

from .fields import group_of, holds, value_for_span
from .spans import Span, Trace
from .values import Value, compares, finite


@dataclass(frozen=True)
class Spanset:
    """Some spans of a trace, at least one, and what grouping and aggregates found out about them, by label."""

    spans: tuple[Span, ...]
    values: tuple[tuple[str, Value], ...] = ()


def matching(pipeline: Pipeline, trace: Trace) -> list[Spanset]:
    """The spansets of the trace that come out of the pipeline; none: the trace does not match."""
    return _through(pipeline, [Spanset(tuple(trace.spans))])


def _through(pipeline: Pipeline, spansets: list[Spanset]) -> list[Spanset]:
    for one in pipeline.stages:
        spansets = _stage(one, spansets)
    return spansets


def _stage(one: Stage, spansets: list[Spanset]) -> list[Spanset]:
    match one:
        case GroupBy(expression):
            return [group for spanset in spansets for group in _groups(stage(one), expression, spanset)]
        case Coalesce():
            spans = _each_once(span for spanset in spansets for span in spanset.spans)
            return [Spanset(spans)] if spans else []
        case Select():
            return spansets
        case ScalarFilter(comparator, Aggregate() as aggregate, Literal() as limit):
            found = [(spanset, _aggregate(aggregate, spanset.spans)) for spanset in spansets]
            return [
                Spanset(spanset.spans, (*spanset.values, (scalar(aggregate), result)))
                for spanset, result in found
                if compares(comparator, result, limit)
            ]
        case ScalarFilter():
            raise AssertionError("checking refuses it")
    chosen = (Spanset(_chosen(one, spanset), spanset.values) for spanset in spansets)
    return [spanset for spanset in chosen if spanset.spans]


def _groups(name: str, expression: Expression, spanset: Spanset) -> list[Spanset]:
    found: dict[Value, list[Span]] = {}
    for span in spanset.spans:
        found.setdefault(group_of(expression, span), []).append(span)
    return [Spanset(tuple(spans), (*spanset.values, (name, value))) for value, spans in found.items()]


def _chosen(one: Spansets, spanset: Spanset) -> tuple[Span, ...]:
    """Those of the spans that the expression finds."""
    match one:
        case Filter(condition):
            return tuple(span for span in spanset.spans if holds(condition, span))
        case Pipeline():
            return _each_once(span for result in _through(one, [spanset]) for span in result.spans)
        case SpansetJunction(logic, operands):
            sides = [_chosen(operand, spanset) for operand in operands]
            if logic is Logic.AND and not all(sides):
                return ()
            return _each_once(span for side in sides for span in side)
        case Whole(operand, found):
            return spanset.spans if bool(_chosen(operand, spanset)) is found else ()
        case Structure(relation, side, left_operand, right_operand):
            left, right = _chosen(left_operand, spanset), _chosen(right_operand, spanset)
            return _related(_RELATIONS[relation], side, left, right)


def _related(
    stands: Callable[[Span, Span], bool], side: Side, left: tuple[Span, ...], right: tuple[Span, ...]
) -> tuple[Span, ...]:
    """`stands(b, a)`: b on the right stands in the relation to a on the left."""
    pairs = [(a, b) for a in left for b in right if stands(b, a)]
    found = {b for _, b in pairs}
    match side:
        case Side.RIGHT:
            return tuple(b for b in right if b in found)
        case Side.NEITHER:
            return tuple(b for b in right if b not in found)
        case Side.BOTH:
            both = found | {a for a, _ in pairs}
            return tuple(span for span in _each_once((*left, *right)) if span in both)


def _is_child(b: Span, a: Span) -> bool:
    return a in b.trace.parents(b)


def _is_descendant(b: Span, a: Span) -> bool:
    return a in b.trace.ancestors(b)


def _is_sibling(b: Span, a: Span) -> bool:
    return a is not b and bool(a.parent_id) and a.parent_id == b.parent_id


_RELATIONS: dict[Relation, Callable[[Span, Span], bool]] = {
    Relation.CHILD: _is_child,
    Relation.PARENT: lambda b, a: _is_child(a, b),
    Relation.DESCENDANT: _is_descendant,
    Relation.ANCESTOR: lambda b, a: _is_descendant(a, b),
    Relation.SIBLING: _is_sibling,
}


def _aggregate(aggregate: Aggregate, spans: tuple[Span, ...]) -> Value:
    """None where no span has a number. A float as soon as one of the numbers is; else as they are."""
    if aggregate.operand is None:
        return Literal(ValueType.INTEGER, len(spans))
    found = [value_for_span(aggregate.operand, span) for span in spans]
    literals = [one for one in found if isinstance(one, Literal) and finite(one) is not None]
    if not literals:
        return None
    types = {one.type for one in literals}
    result = _FUNCTIONS[aggregate.function]([known for one in literals if (known := finite(one)) is not None])
    if aggregate.function is AggregateFunction.AVERAGE or len(types) > 1 or isinstance(result, float):
        return Literal(ValueType.FLOAT, float(result))
    return Literal(types.pop(), result)


def _average(numbers: list[int | float]) -> float:
    return sum(numbers) / len(numbers)


_FUNCTIONS: dict[AggregateFunction, Callable[[list[int | float]], int | float]] = {
    AggregateFunction.AVERAGE: _average,
    AggregateFunction.LARGEST: max,
    AggregateFunction.LEAST: min,
    AggregateFunction.SUM: sum,
}


def _each_once(spans: Iterable[Span]) -> tuple[Span, ...]:
    return tuple(dict.fromkeys(spans))
