"""The rules for what stands between braces: grammar.lark's `field` and below, one method a rule."""

from __future__ import annotations

from typing import Any

from lark import Token
from lark.visitors import Transformer_NonRecursive

from . import literals
from .expressions import (
    FALSE,
    TRUE,
    Calculation,
    Comparator,
    Comparison,
    Expression,
    Junction,
    Kind,
    Literal,
    Logic,
    Negative,
    Not,
    Operator,
    Presence,
    Status,
)
from .intrinsics import NUMERIC, SCOPED, Intrinsic, ValueType
from .metrics import Query
from .parts import Part, converted, part, refusal
from .spansets import SpansetJunction

CONSTANTS = (
    {"true": TRUE, "false": FALSE}
    | {status.name: Literal(ValueType.STATUS, int(status)) for status in Status}
    | {kind.name: Literal(ValueType.KIND, int(kind)) for kind in Kind}
)


class _Nil:
    """`nil`, which is no expression: it stands beside `=` or `!=` and nowhere else."""


_NIL = _Nil()
_NIL_ALONE = "`nil` stands beside `=` or `!=` and nowhere else"


def expression(found: Part) -> Part:
    """The part, which has to be an expression."""
    if found.node is _NIL:
        raise refusal(_NIL_ALONE, found.at)
    return found


class FieldRules(Transformer_NonRecursive[Token, Query]):
    """Children come as lark has them: parts of rules below, tokens, None for what is left out."""

    def literal(self, children: list[Token]) -> Part:
        return Part(_literal(children[0]), children[0])

    def attribute(self, children: list[Token]) -> Part:
        return Part(converted(literals.attribute, children[0]), children[0])

    def intrinsic(self, children: list[Token]) -> Part:
        return Part(converted(_intrinsic, children[0]), children[0])

    def nil(self, children: list[Token]) -> Part:
        return Part(_NIL, children[0])

    def bracketed(self, children: list[Any]) -> Part:
        return expression(children[1])

    def prefixed(self, children: list[Any]) -> Part:
        sign, operand = children[0], expression(children[1])
        if sign.type == "NOT":
            return part(Not(operand.node), sign, operand)
        return part(negative(operand.node, sign), sign, operand)

    def field_sum(self, children: list[Any]) -> Part:
        left = expression(children[0])
        for at, right in steps(children):
            node = Calculation(Operator(at), left.node, expression(right).node)
            left = part(node, at, left, right)
        return left

    field_term = field_product = field_power = field_open = field_sum

    def comparison(self, children: list[Any]) -> Part:
        left = children[0]
        for at, right in steps(children):
            left = part(_compared(left, at, right), at, left, right)
        return left

    def field(self, children: list[Any]) -> Part:
        left = expression(children[0])
        for at, right in steps(children):
            left = joined(Junction, left, at, expression(right))
        return left


def steps(children: list[Any]) -> list[tuple[Token, Part]]:
    """a + b - c: (+, b), (-, c)"""
    return list(zip(children[1::2], children[2::2], strict=True))


def joined(junction: type[Junction] | type[SpansetJunction], left: Part, at: Token, right: Part) -> Part:
    """One junction of both sides, whose operands are no junctions of the same logic: a chain is as deep as one `&&`."""
    logic = Logic(at)
    same = [isinstance(side.node, junction) and side.node.logic is logic for side in (left, right)]
    operands = [side.node.operands if flat else (side.node,) for side, flat in zip((left, right), same, strict=True)]
    shallower = [Part(None, at, side.depth - flat) for side, flat in zip((left, right), same, strict=True)]
    return part(junction(logic, (*operands[0], *operands[1])), at, *shallower)


def _literal(token: Token) -> Literal:
    if token.type == "STRING":
        return Literal(ValueType.TEXT, converted(literals.text, token))
    if token.type in ("NUMBER", "LIMIT"):
        return converted(literals.number, token)
    return CONSTANTS[token]


def _intrinsic(written: str) -> Intrinsic:
    scope, colon, name = written.partition(":")
    if not colon:
        return Intrinsic(written)
    known = SCOPED[scope]
    if name.strip() not in known:
        raise ValueError(f"`{scope}:` is followed by one of {', '.join(known)}")
    return known[name.strip()]


def _compared(left: Part, at: Token, right: Part) -> Expression:
    if _NIL not in (left.node, right.node):
        return Comparison(Comparator(at), left.node, right.node)
    if at.type not in ("EQUAL", "UNEQUAL"):
        raise refusal(_NIL_ALONE, at)
    if left.node is right.node:
        return FALSE  # nil compares with nothing, not even with nil
    return Presence(right.node if left.node is _NIL else left.node, at.type == "UNEQUAL")


def negative(operand: Expression, at: Token) -> Expression:
    """A number with the other sign, or the operation."""
    if not isinstance(operand, Literal) or operand.type not in NUMERIC:
        return Negative(operand)
    return converted(lambda _: _negated(operand), at)


def _negated(number: Literal) -> Literal:
    assert not isinstance(number.value, str)
    if number.type is ValueType.FLOAT:
        return Literal(ValueType.FLOAT, -number.value)
    return Literal(number.type, literals.within_64_bits(-int(number.value)))
