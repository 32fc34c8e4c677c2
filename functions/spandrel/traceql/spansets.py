"""A search: a pipeline whose stages turn sets of a trace's spans into others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .expressions import Comparator, Expression, Field, Literal, Logic, Operator


@dataclass(frozen=True, slots=True)
class Filter:
    """`{ condition }`: the spans of which it is true. `{ }` is `Filter(TRUE)`."""

    condition: Expression


class Relation(Enum):
    """How the spans on the right stand to those on the left."""

    CHILD = ">"
    PARENT = "<"
    DESCENDANT = ">>"
    ANCESTOR = "<<"
    SIBLING = "~"


class Side(Enum):
    """Which spans a relation gives, by the sign before its operator."""

    RIGHT = ""  # those on the right that stand in it to one on the left
    NEITHER = "!"  # those on the right that stand in it to none on the left
    BOTH = "&"  # those on both sides that stand in it to one on the other


@dataclass(frozen=True, slots=True)
class Structure:
    relation: Relation
    side: Side
    left: Spansets
    right: Spansets


@dataclass(frozen=True, slots=True)
class SpansetJunction:
    """`{a} && {b}`: the spans of all operands where each has some; `||`: the spans of all. Two or more operands, none
    of them a SpansetJunction of the same logic.
    """

    logic: Logic
    operands: tuple[Spansets, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """All spans of the sets in which `operand` finds some (`found`), or of those in which it finds none.

    For dialects that ask whether a trace has something, as X-Ray's filters do; no text of TraceQL says it, and none is
    read back from how it is printed.
    """

    operand: Spansets
    found: bool


class AggregateFunction(Enum):
    COUNT = "count"
    AVERAGE = "avg"
    LARGEST = "max"
    LEAST = "min"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number of a spanset. `operand` is None for COUNT and for it alone."""

    function: AggregateFunction
    operand: Expression | None


@dataclass(frozen=True, slots=True)
class ScalarCalculation:
    operator: Operator
    left: Scalar
    right: Scalar


@dataclass(frozen=True, slots=True)
class ScalarPipeline:
    """`({ } | count())`: one number of the spansets that come out of `source`."""

    source: Pipeline
    scalar: Scalar


Scalar = Literal | Aggregate | ScalarCalculation | ScalarPipeline


@dataclass(frozen=True, slots=True)
class ScalarFilter:
    """Keeps the spansets whose numbers compare so. Never a MATCHES."""

    comparator: Comparator
    left: Scalar
    right: Scalar


@dataclass(frozen=True, slots=True)
class GroupBy:
    """Splits each spanset by the value of an expression."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Coalesce:
    """Joins the spansets of a trace into one."""


@dataclass(frozen=True, slots=True)
class Select:
    """Adds fields to the answer; matches everything."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One stage or more; none is itself a Pipeline, and the first is no Coalesce."""

    stages: tuple[Stage, ...]


Spansets = Filter | Structure | SpansetJunction | Whole | Pipeline
Stage = Filter | Structure | SpansetJunction | Whole | ScalarFilter | GroupBy | Coalesce | Select
