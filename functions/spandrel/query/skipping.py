"""Blocks that cannot hold what is looked for, told by what the catalogue says of them."""

from __future__ import annotations

from spandrel.model.catalogue import Block, Operation
from spandrel.traceql.expressions import Comparator, Comparison, Expression, Junction, Literal, Logic
from spandrel.traceql.intrinsics import Intrinsic

from .sql.places import SERVICE

_PARTS: dict[Expression, int] = {SERVICE: 0, Intrinsic.NAME: 1, Intrinsic.KIND: 2}  # of an Operation


def may_match(block: Block, condition: Expression) -> bool:
    """Whether the block may have a span of which the condition is true."""
    return block.operations is None or any(_may(operation, condition) for operation in block.operations)


def _may(operation: Operation, condition: Expression) -> bool:
    match condition:
        case Literal(_, bool(truth)):
            return truth
        case Junction(Logic.AND, operands):
            return all(_may(operation, operand) for operand in operands)
        case Junction(_, operands):
            return any(_may(operation, operand) for operand in operands)
        case Comparison(Comparator.EQUAL, field, Literal(_, wanted)) if field in _PARTS:
            return operation[_PARTS[field]] == wanted
    return True
