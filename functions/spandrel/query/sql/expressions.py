"""What stands between the braces of a filter, as SQL over one row a span. How to use it:

    opened = reading.open(blocks)
    place = Place(opened.columns)
    condition = holds(filter.condition, place)          # a Condition: `WHERE {condition.sql}`, condition.parameters
    value = value_of_span(field, place)                 # a Value: for `by`, aggregates, metrics
    value.of(ValueType.DURATION)                        # Fragment of nanoseconds, or None where it never is one
    opened.select(f"SELECT … FROM spans WHERE {condition.sql}", condition.parameters)

Both take a checked tree (`check(parse(text))`). Conditions may be null, which is not true: negate with `untrue`.
`kinds(value)` are the types that a value may have in these blocks; for a span at most one of them is not null. Of
several columns put together (`combined`, `joined`) the parameters come in the order of their `?`. Fields that only a
whole trace knows (`needs_facts`: rootName, traceDuration, childCount, nestedSet…) need the columns of `facts`, and so
`Place(…, with_facts=True)`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from spandrel.query.condition import ALWAYS, NEVER, Condition, every, some, untrue
from spandrel.traceql.expressions import (
    TRUE,
    Attribute,
    Calculation,
    Comparison,
    Expression,
    Field,
    Junction,
    Literal,
    Logic,
    Negative,
    Not,
    Operator,
    Presence,
    Scope,
    Written,
)
from spandrel.traceql.intrinsics import OF_EVENTS, OF_LINKS, Intrinsic, ValueType

from . import facts, intrinsics, places
from .calculations import calculated
from .comparisons import compared
from .fragment import Fragment, combined
from .intrinsics import intrinsic
from .places import ABSENT, SERVICE, Place, attribute
from .values import Value, boolean, constant
from .written import written

_EVENT, _LINK = Fragment("event"), Fragment("link")  # how the one that is looked at is called
_ZERO = Literal(ValueType.INTEGER, 0)


def holds(condition: Expression, place: Place) -> Condition:
    """Whether a filter's condition is true of a span, with one event and one link of it where it has some."""
    free, bound = _apart(condition)
    if free and isinstance(condition, Junction):
        return _junction(condition.logic, [*(is_true(one, place) for one in free), holds(bound, place)])
    if reads_events(condition) and place.event is None and "events" in place.columns:
        chosen, absent = replace(place, event=_EVENT), replace(place, event=ABSENT)
        return _with_one("events", condition, (_EVENT, chosen), absent)
    if reads_links(condition) and place.link is None and "links" in place.columns:
        chosen, absent = replace(place, link=_LINK), replace(place, link=ABSENT)
        return _with_one("links", condition, (_LINK, chosen), absent)
    return is_true(condition, place)


def value_of_span(expression: Expression, place: Place) -> Value:
    """Outside of a filter: with the first event and the first link for which there is a value."""
    if reads_events(expression) and place.event is None and "events" in place.columns:
        chosen = value_of_span(expression, replace(place, event=_EVENT)).present
        return value_of_span(expression, replace(place, event=_first("events", _EVENT, chosen)))
    if reads_links(expression) and place.link is None and "links" in place.columns:
        chosen = value_of_span(expression, replace(place, link=_LINK)).present
        return value_of_span(expression, replace(place, link=_first("links", _LINK, chosen)))
    return value(expression, place)


def value(expression: Expression, place: Place) -> Value:
    """What it is worth with the event and the link of the place."""
    match expression:
        case Literal():
            return constant(expression)
        case Attribute():
            return attribute(expression, place)
        case Intrinsic():
            return intrinsic(expression, place)
        case Negative(operand):
            return calculated(Operator.MINUS, constant(_ZERO), value(operand, place))
        case Calculation(operator, left, right):
            return calculated(operator, value(left, place), value(right, place))
    return boolean(is_true(expression, place))


def is_true(condition: Expression, place: Place) -> Condition:
    """Whether it is true with the event and the link of the place."""
    match condition:
        case Literal():
            return ALWAYS if condition == TRUE else NEVER
        case Not(operand):
            return untrue(is_true(operand, place))
        case Junction(logic, operands):
            return _junction(logic, [is_true(operand, place) for operand in operands])
        case Presence(operand, present):
            found = value(operand, place).present
            return found if present else untrue(found)
        case Comparison(comparator, left, right):
            return compared(comparator, value(left, place), value(right, place))
        case Written():
            return written(condition, place.columns)
    return value(condition, place).true


def fields_of(expression: Expression) -> Iterator[Field]:
    """The fields that it reads, as often as they stand there."""
    return (part for part in _parts(expression) if isinstance(part, Attribute | Intrinsic))


def _parts(expression: Expression) -> Iterator[Expression]:
    """The expression and all that it is made of."""
    yield expression
    match expression:
        case Not(operand) | Negative(operand) | Presence(operand):
            yield from _parts(operand)
        case Calculation(_, left, right) | Comparison(_, left, right):
            yield from _parts(left)
            yield from _parts(right)
        case Junction(_, operands):
            for operand in operands:
                yield from _parts(operand)


def columns_of(expression: Expression, columns: frozenset[str]) -> set[str]:
    """The columns that it is read from, of those that there are and those that there always are."""
    found: set[str] = set()
    for part in _parts(expression):
        match part:
            case Attribute():
                found |= places.columns_of(part, columns)
            case Intrinsic():
                found |= intrinsics.columns_of(part)
            case Written():
                found |= set(columns)  # a dialect of plain searches, which ask nothing about whole traces
    return found


def reads_only(expression: Expression, columns: Collection[str]) -> bool:
    """Whether it needs none but these columns, which are no attributes."""
    fields = [part for part in _parts(expression) if isinstance(part, Attribute | Intrinsic | Written)]
    return all(
        intrinsics.columns_of(field) <= set(columns) if isinstance(field, Intrinsic) else field == SERVICE
        for field in fields
    )


def needs_facts(expression: Expression) -> bool:
    """Whether it reads what only a whole trace tells."""
    return any(field in facts.COLUMNS for field in fields_of(expression))


def reads_events(expression: Expression) -> bool:
    return any(_reads(field, Scope.EVENT, OF_EVENTS) for field in fields_of(expression))


def reads_links(expression: Expression) -> bool:
    return any(_reads(field, Scope.LINK, OF_LINKS) for field in fields_of(expression))


def _reads(field: Field, scope: Scope, intrinsics: frozenset[Intrinsic]) -> bool:
    return field.scope is scope if isinstance(field, Attribute) else field in intrinsics


def _apart(condition: Expression) -> tuple[list[Expression], Expression]:
    """The operands of a junction that look at no event and no link, which are asked outside of them, and the others."""
    if not isinstance(condition, Junction):
        return [], condition
    free = [one for one in condition.operands if not reads_events(one) and not reads_links(one)]
    bound = [one for one in condition.operands if one not in free]
    if not bound:
        return [], condition
    return free, bound[0] if len(bound) == 1 else Junction(condition.logic, tuple(bound))


def _junction(logic: Logic, conditions: list[Condition]) -> Condition:
    return every(conditions) if logic is Logic.AND else some(conditions)


def _with_one(column: str, condition: Expression, chosen: tuple[Fragment, Place], absent: Place) -> Condition:
    """True with one of the list, or, where that is empty, without any."""
    name, place = chosen
    found = combined(f"len(list_filter({column}, lambda {name.sql}: {{}})) > 0", holds(condition, place))
    empty = Condition(f"coalesce(len({column}), 0) = 0")
    return some([found, every([empty, holds(condition, absent)])])


def _first(column: str, name: Fragment, chosen: Condition) -> Fragment:
    return combined(f"list_filter({column}, lambda {name.sql}: {{}})[1]", chosen)
