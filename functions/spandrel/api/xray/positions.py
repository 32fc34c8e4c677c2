"""Where a span stands in its trace, as sets of spans of the query model.

An entry is a span whose parent is not there: a root, or what follows on one that nobody sent. Segments are entries and
what else takes requests; an inferred service is one that a call names and that sent no segment for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from spandrel.traceql.expressions import FALSE, TRUE, Expression, Logic
from spandrel.traceql.spansets import Filter, Relation, Side, SpansetJunction, Spansets, Structure, Whole

from .conditions import kind_of

SERVING = kind_of("server", "consumer")
CALLING = kind_of("client", "producer")
NOTHING = Filter(FALSE)

_EVERYTHING = Filter(TRUE)


@dataclass(frozen=True, slots=True)
class Position:
    """Makes of spans those that stand so, and those that do not."""

    chosen: Callable[[Spansets], Structure]
    others: Callable[[Spansets], Structure]


def entries(condition: Expression = TRUE) -> Structure:
    """The entries of which the condition is true."""
    return ENTRY.chosen(Filter(condition))


def segments() -> SpansetJunction:
    """Entries and what else takes requests."""
    return SpansetJunction(Logic.OR, (entries(), Filter(SERVING)))


def lowest_of(among: Expression) -> Position:
    """Stands above none of these, or above one."""
    return Position(
        lambda spans: Structure(Relation.PARENT, Side.NEITHER, Filter(among), spans),
        lambda spans: Structure(Relation.PARENT, Side.RIGHT, Filter(among), spans),
    )


def highest_of(among: Expression) -> Position:
    """Stands directly below none of these, or below one."""
    return Position(
        lambda spans: Structure(Relation.CHILD, Side.NEITHER, Filter(among), spans),
        lambda spans: Structure(Relation.CHILD, Side.RIGHT, Filter(among), spans),
    )


def placed(
    positions: Mapping[str, Position],
    spans: Callable[[Mapping[str, bool]], Expression],
    within: Callable[[Spansets], Spansets] = lambda spans: spans,
) -> Spansets:
    """Spans whose condition depends on where they stand: `spans` tells it from what is true of their positions.
    `within` makes of spans those that may come out at all.
    """
    found = []
    for truths in product((True, False), repeat=len(positions)):
        condition = spans(dict(zip(positions, truths, strict=True)))
        if condition == FALSE:
            continue
        one: Spansets = Filter(condition)
        for position, truth in zip(positions.values(), truths, strict=True):
            one = (position.chosen if truth else position.others)(one)
        found.append(within(one))
    return any_of(found)


def any_of(parts: Sequence[Spansets]) -> Spansets:
    """The spans of all parts."""
    return _joined(Logic.OR, [part for part in parts if part != NOTHING])


def each_of(parts: Sequence[Spansets]) -> Spansets:
    """The spans of all parts, where each has some."""
    return _joined(Logic.AND, parts)


def lacking(part: Spansets) -> Spansets:
    """All spans of traces that have none of these."""
    return Whole(part.operand, not part.found) if isinstance(part, Whole) else Whole(part, found=False)


def _joined(logic: Logic, parts: Sequence[Spansets]) -> Spansets:
    flat: list[Spansets] = []
    for part in parts:
        flat += part.operands if isinstance(part, SpansetJunction) and part.logic is logic else [part]
    return SpansetJunction(logic, tuple(flat)) if len(flat) > 1 else flat[0] if flat else NOTHING


ENTRY = highest_of(TRUE)
