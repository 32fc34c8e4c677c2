"""Conditions that a span fulfils or not by itself, whatever else is in its trace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spandrel.traceql.errors import UnsupportedQuery, quote
from spandrel.traceql.expressions import (
    Comparator,
    Comparison,
    Expression,
    Junction,
    Literal,
    Logic,
    Not,
    Presence,
)
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.metrics import Query
from spandrel.traceql.printing import text
from spandrel.traceql.spansets import (
    Coalesce,
    Filter,
    GroupBy,
    Pipeline,
    Select,
    SpansetJunction,
    Spansets,
    Stage,
    Structure,
)

from .condition import ALWAYS, Condition, every, some
from .sql.expressions import holds, needs_facts
from .sql.places import Place

_IS_ROOT = Presence(Intrinsic.PARENT_ID, present=False)


def chosen_spans(query: Query | None, place: Place) -> Condition:
    """The condition of a query that only chooses spans; UnsupportedQuery for one of whole traces or metrics."""
    if query is None:
        return ALWAYS
    condition = condition_alone(query.expression, place) if isinstance(query.expression, Pipeline) else None
    if condition is None:
        raise UnsupportedQuery(f"{quote(text(query))}: names and values are told of spans that a filter finds")
    return condition


def condition_alone(one: Spansets | Stage, place: Place) -> Condition | None:
    """What holds of the spans that come out; None where it takes a whole trace to tell.

    Groups and selected fields make no difference to which spans these are.
    """
    match one:
        case Filter(written):
            condition = _without_sets_of_roots(written)
            return None if needs_facts(condition) else holds(condition, place)
        case Pipeline(stages):
            known = _conditions(stages, place)
            return None if known is None else every(known)
        case SpansetJunction(Logic.OR, operands):
            known = _conditions(operands, place)
            return None if known is None else some(known)
        case GroupBy() | Select() | Coalesce():
            return ALWAYS
    return None


def _conditions(parts: Iterable[Spansets | Stage], place: Place) -> list[Condition] | None:
    found = [condition_alone(part, place) for part in parts]
    known = [condition for condition in found if condition is not None]
    return known if len(known) == len(found) else None


def with_plain_roots(pipeline: Pipeline) -> Pipeline:
    """The same pipeline, which asks for roots without asking for numbers of places in traces."""
    return Pipeline(tuple(map(_with_plain_roots, pipeline.stages)))


def _with_plain_roots(one: Any) -> Any:
    """The same for any part of one, which becomes one of the same type."""
    match one:
        case Filter(condition):
            return Filter(_without_sets_of_roots(condition))
        case SpansetJunction(logic, operands):
            return SpansetJunction(logic, tuple(map(_with_plain_roots, operands)))
        case Structure(relation, side, left, right):
            return Structure(relation, side, _with_plain_roots(left), _with_plain_roots(right))
        case Pipeline():
            return with_plain_roots(one)
    return one


def _without_sets_of_roots(one: Expression) -> Expression:
    """`nestedSetParent < 0`, as Grafana asks for roots, says of a span no more than that it has no parent."""
    match one:
        case Comparison(Comparator.LESS, Intrinsic.NESTED_SET_PARENT, Literal(ValueType.INTEGER, 0)):
            return _IS_ROOT
        case Comparison(Comparator.EQUAL, Intrinsic.NESTED_SET_PARENT, Literal(ValueType.INTEGER, -1)):
            return _IS_ROOT
        case Not(operand):
            return Not(_without_sets_of_roots(operand))
        case Junction(logic, operands):
            return Junction(logic, tuple(map(_without_sets_of_roots, operands)))
    return one
