"""What is known of a pipeline's answer without whole traces: which spans may come out, what a trace must have."""

from __future__ import annotations

from collections.abc import Iterator

from spandrel.traceql.composing import every, some
from spandrel.traceql.expressions import (
    TRUE,
    Comparator,
    Comparison,
    Expression,
    Junction,
    Literal,
    Logic,
    Presence,
)
from spandrel.traceql.intrinsics import Intrinsic
from spandrel.traceql.spansets import (
    Filter,
    Pipeline,
    ScalarFilter,
    Select,
    Side,
    SpansetJunction,
    Stage,
    Structure,
    Whole,
)

from .sql.expressions import needs_facts
from .sql.places import SERVICE

_IS_ROOT = Presence(Intrinsic.PARENT_ID, False)
_OF_ROOTS: dict[Expression, Expression] = {
    Intrinsic.ROOT_NAME: Intrinsic.NAME,
    Intrinsic.ROOT_SERVICE: SERVICE,
}


def may_come_out(one: Stage | Pipeline) -> Expression:
    """A condition that all spans that come out fulfil, and that needs nothing but the span."""
    match one:
        case Filter(condition):
            return _weakened(condition)
        case Pipeline(stages):
            return every(may_come_out(stage) for stage in stages)
        case SpansetJunction(_, operands):
            return some(may_come_out(operand) for operand in operands)
        case Structure(_, side, left, right):
            return some([may_come_out(left), may_come_out(right)]) if side is Side.BOTH else may_come_out(right)
    return TRUE


def comes_out_alone(pipeline: Pipeline) -> bool:
    """Whether `may_come_out` says it all: a span comes out if it is true of it, whatever else is in its trace."""
    chosen = [one for one in pipeline.stages if not isinstance(one, Select)]
    return all(isinstance(one, Filter) and not needs_facts(one.condition) for one in chosen)


def needed(one: Stage | Pipeline) -> list[Expression]:
    """Conditions for each of which a trace must have a span, so that anything comes out."""
    return list(dict.fromkeys(condition for condition in _needed(one) if condition != TRUE))


def _needed(one: Stage | Pipeline) -> Iterator[Expression]:
    match one:
        case Filter(condition):
            yield _weakened(condition)
            yield from _of_root(condition)
        case Pipeline(stages):
            for stage in stages:
                yield from _needed(stage)
        case SpansetJunction(Logic.AND, operands):
            for operand in operands:
                yield from _needed(operand)
        case SpansetJunction(_, operands):
            yield some(may_come_out(operand) for operand in operands)
        case Whole(operand, True):
            yield from _needed(operand)
        case Structure(_, side, left, right):
            yield from _needed(right)
            if side is not Side.NEITHER:
                yield from _needed(left)
        case ScalarFilter():
            pass


def _of_root(condition: Expression) -> Iterator[Expression]:
    """What is asked of the root's name, asked of any root."""
    match condition:
        case Junction(Logic.AND, operands):
            for operand in operands:
                yield from _of_root(operand)
        case Comparison(comparator, left, Literal() as wanted) if left in _OF_ROOTS:
            yield every([_IS_ROOT, Comparison(comparator, _OF_ROOTS[left], wanted)])


def _weakened(condition: Expression) -> Expression:
    """The condition without what only whole traces tell: true wherever the condition is."""
    if _asks_for_roots(condition):
        return _IS_ROOT
    if not needs_facts(condition):
        return condition
    match condition:
        case Junction(Logic.AND, operands):
            return every(_weakened(operand) for operand in operands)
        case Junction(_, operands):
            return some(_weakened(operand) for operand in operands)
    return TRUE


def _asks_for_roots(condition: Expression) -> bool:
    """`nestedSetParent < 0` and `= -1`, as Grafana writes it: the parent's number is negative for roots alone."""
    match condition:
        case Comparison(Comparator.LESS, Intrinsic.NESTED_SET_PARENT, Literal(_, 0)):
            return True
        case Comparison(Comparator.EQUAL, Intrinsic.NESTED_SET_PARENT, Literal(_, -1)):
            return True
    return False
