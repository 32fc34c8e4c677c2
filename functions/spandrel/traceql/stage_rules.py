"""The rules for pipelines, sets of spans and aggregates, one method a rule of grammar.lark.

Sets of spans, aggregates, numbers and metrics share operators and parentheses in the grammar; here and in `joining`
stands which of them an operator joins, and in `pipelines` what a pipeline in parentheses is.
"""

from __future__ import annotations

from typing import Any

from lark import Token

from . import joining, pipelines
from .expressions import TRUE, Literal
from .field_rules import FieldRules, expression, negative, steps
from .kinds import Stages, named
from .literals import number
from .metrics import Hint, Query
from .parts import Part, converted, part, refusal
from .spansets import Aggregate, AggregateFunction, Coalesce, Filter, GroupBy, Select


class StageRules(FieldRules):
    """Children come as lark has them: parts of rules below, tokens, None for what is left out."""

    def start(self, children: list[Any]) -> Query:
        hints = tuple(hint for found in children[1:] for hint in found)
        return Query(pipelines.whole(children[0]), hints)

    def pipeline(self, children: list[Part]) -> Part:
        return part(Stages(tuple(children)), children[0].at, *children)

    def parenthesised(self, children: list[Any]) -> Part:
        return pipelines.inner(children[1])

    def stage(self, children: list[Any]) -> Part:
        return _folded(joining.junction, children)

    def relation(self, children: list[Any]) -> Part:
        return _folded(joining.relation, children)

    def power(self, children: list[Any]) -> Part:
        return _folded(joining.calculation, children)

    sum = product = power

    def negative(self, children: list[Any]) -> Part:
        sign, operand = children
        if not isinstance(operand.node, Literal):
            raise refusal(f"only a number has a sign here, not {named(operand.node)}", sign)
        return part(negative(operand.node, sign), sign, operand)

    negative_number = negative

    def number(self, children: list[Token]) -> Part:
        return Part(converted(number, children[0]), children[0])

    def filter(self, children: list[Any]) -> Part:
        brace, condition = children
        if condition is None:
            return Part(Filter(TRUE), brace)
        return part(Filter(expression(condition).node), brace, condition)

    def group_by(self, children: list[Any]) -> Part:
        return part(GroupBy(expression(children[1]).node), children[0], children[1])

    def select(self, children: list[Any]) -> Part:
        return part(Select(nodes(children[1])), children[0])

    def coalesce(self, children: list[Token]) -> Part:
        return Part(Coalesce(), children[0])

    def aggregate(self, children: list[Any]) -> Part:
        function = AggregateFunction(children[0])
        if len(children) == 1:
            return Part(Aggregate(function, None), children[0])
        return part(Aggregate(function, expression(children[1]).node), children[0], children[1])

    def references(self, children: list[Part]) -> list[Part]:
        return children

    def hints(self, children: list[Hint]) -> list[Hint]:
        return children

    def hint(self, children: list[Any]) -> Hint:
        name, _equal, value = children
        return Hint(str(name), value.node)


def _folded(join: Any, children: list[Any]) -> Part:
    left: Part = children[0]
    for at, right in steps(children):
        left = join(left, at, right)
    return left


def nodes(references: list[Part]) -> tuple[Any, ...]:
    """The fields of a list of references."""
    return tuple(reference.node for reference in references)
