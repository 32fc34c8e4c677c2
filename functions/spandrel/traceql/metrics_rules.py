"""The rules for metrics functions and what follows them, one method a rule of grammar.lark."""

from __future__ import annotations

from typing import Any

from lark import Token

from .expressions import Literal
from .intrinsics import ValueType
from .kinds import FirstStage, SecondStage
from .literals import number
from .metrics import Compare, MetricsFunction, OverTime, Quantiles, Rank, Ranked
from .parts import Part, converted, part, refusal
from .stage_rules import StageRules, nodes


class QueryRules(StageRules):
    """All the rules of the grammar. A tree becomes a Query; UnparsableQuery, wrapped in lark's VisitError."""

    def over_time(self, children: list[Any]) -> Part:
        name, *field, by = children
        function = OverTime(MetricsFunction(name), field[0].node if field else None, by or ())
        return part(FirstStage(function), name)

    def quantiles(self, children: list[Any]) -> Part:
        name, field, *quantiles, by = children
        numbers = tuple(float(_plain(token).value) for token in quantiles)
        return part(FirstStage(Quantiles(field.node, numbers, by or ())), name)

    def compare(self, children: list[Any]) -> Part:
        name, selection, top, start, end = children
        numbers = [_whole(token) for token in (top, start, end) if token is not None]
        return part(FirstStage(Compare(selection.node, *numbers)), name, selection)

    def ranked(self, children: list[Token]) -> Part:
        name, limit = children
        return part(SecondStage((Ranked(Rank(name), _whole(limit)),)), name)

    def groups(self, children: list[Any]) -> tuple[Any, ...]:
        return nodes(children[1])


def _plain(token: Token) -> Literal:
    found = converted(number, token)
    if found.type is ValueType.DURATION:
        raise refusal("a number stands here, not a duration", token)
    return found


def _whole(token: Token) -> int:
    found = converted(number, token)
    if found.type is not ValueType.INTEGER:
        raise refusal("a whole number stands here", token)
    return int(found.value)
