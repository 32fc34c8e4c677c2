"""What an operator between two stages makes of them. Each function takes a part, the operator's token, a part."""

from __future__ import annotations

from typing import Any

from lark import Token

from .expressions import Comparator, Literal, Operator
from .field_rules import joined
from .folding import OPERATORS, folded
from .intrinsics import ValueType
from .kinds import METRICS, SCALAR, SPANSETS, FirstStage, SecondStage, named
from .metrics import MetricsCalculation, Refined, Threshold
from .parts import Part, converted, part, refusal
from .spansets import Relation, ScalarCalculation, ScalarFilter, Side, SpansetJunction, Structure


def junction(left: Part, at: Token, right: Part) -> Part:
    """`&&` and `||`"""
    _both_spansets(left, at, right)
    return joined(SpansetJunction, left, at, right)


def relation(left: Part, at: Token, right: Part) -> Part:
    """A structural operator or a comparison; `>` and `<` are both."""
    spansets = isinstance(left.node, SPANSETS) and isinstance(right.node, SPANSETS)
    if at.type in ("STRUCTURE", "TILDE", "NOT_TILDE") or (spansets and at.type in ("LESS", "GREATER")):
        _both_spansets(left, at, right)
        return part(_structure(left.node, at, right.node), at, left, right)
    return _compared(left, at, right)


def calculation(left: Part, at: Token, right: Part) -> Part:
    """`+ - * / % ^`"""
    operator = Operator(at)
    kinds = [_kind(left.node), _kind(right.node)]
    if kinds == ["number", "number"]:
        return part(converted(lambda _: folded(operator, left.node, right.node), at), at, left, right)
    if "other" not in kinds and "metrics" not in kinds:
        return part(ScalarCalculation(operator, left.node, right.node), at, left, right)
    if "other" not in kinds and "scalar" not in kinds and operator in OPERATORS:
        _no_durations(left, right)
        return part(MetricsCalculation(operator, left.node, right.node), at, left, right)
    raise refusal(f"`{at}` does not join {named(left.node)} and {named(right.node)}", at)


def _both_spansets(left: Part, at: Token, right: Part) -> None:
    for side in (left, right):
        if not isinstance(side.node, SPANSETS):
            raise refusal(f"`{at}` joins sets of spans; this is {named(side.node)}", side.at)


def _structure(left: Any, at: Token, right: Any) -> Structure:
    side = Side(at[0]) if at[0] in "!&" else Side.RIGHT
    return Structure(Relation(at.removeprefix(side.value)), side, left, right)


def _compared(left: Part, at: Token, right: Part) -> Part:
    comparator = Comparator(at)
    metrics = (*METRICS, FirstStage, SecondStage)
    if isinstance(left.node, metrics) and isinstance(right.node, Literal):
        return part(_limited(left.node, Threshold(comparator, right.node)), at, left)
    kinds = [_kind(left.node), _kind(right.node)]
    if "scalar" in kinds and set(kinds) <= {"scalar", "number"}:
        return part(ScalarFilter(comparator, left.node, right.node), at, left, right)
    raise refusal(
        f"`{at}` compares an aggregate, or metrics on its left, with a number, "
        f"not {named(left.node)} with {named(right.node)}",
        at,
    )


def _limited(node: Any, threshold: Threshold) -> Any:
    if isinstance(node, FirstStage):
        return FirstStage(node.function, (*node.thresholds, threshold))
    if isinstance(node, SecondStage):
        return SecondStage((*node.stages, threshold))
    return refined(node, (threshold,))


def refined(source: Any, stages: tuple[Any, ...]) -> Any:
    """Metrics through further stages, which follow on those that it has."""
    if not stages:
        return source
    if isinstance(source, Refined):
        return Refined(source.source, (*source.stages, *stages))
    return Refined(source, stages)


def _no_durations(*sides: Part) -> None:
    for side in sides:
        if isinstance(side.node, Literal) and side.node.type is ValueType.DURATION:
            raise refusal("metrics are calculated with plain numbers, not with durations", side.at)


def _kind(node: Any) -> str:
    if isinstance(node, Literal):
        return "number"
    if isinstance(node, SCALAR):
        return "scalar"
    return "metrics" if isinstance(node, METRICS) else "other"
