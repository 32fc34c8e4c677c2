"""Expressions over one span: the plain evaluator that the compiler to SQL is held to."""

from __future__ import annotations

import math
import operator as operators
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from spandrel.traceql.expressions import (
    Attribute,
    Calculation,
    Comparator,
    Comparison,
    Expression,
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
from spandrel.traceql.literals import INTEGER_MAX, INTEGER_MIN

from .spans import Event, Link, NestedSet, Span
from .values import Opaque, Value, compares, number, text, truth


@dataclass(frozen=True)
class Place:
    """A span with one of its events and one of its links, or none where it has none."""

    span: Span
    event: Event | None = None
    link: Link | None = None


def holds(condition: Expression, span: Span) -> bool:
    """Whether it is true of the span, with one event and one link of it where it has some."""
    return any(_true(condition, place) for place in _places(condition, span))


def _places(condition: Expression, span: Span) -> Iterator[Place]:
    scopes = set(_scopes(condition))
    events = span.events if Scope.EVENT in scopes and span.events else (None,)
    links = span.links if Scope.LINK in scopes and span.links else (None,)
    for event, link in product(events, links):
        yield Place(span, event, link)


def _scopes(one: Expression) -> Iterator[Scope]:
    match one:
        case Attribute(scope):
            yield scope
        case Intrinsic():
            yield Scope.EVENT if one in OF_EVENTS else Scope.LINK if one in OF_LINKS else Scope.SPAN
        case Not(operand) | Negative(operand) | Presence(operand):
            yield from _scopes(operand)
        case Calculation(_, left, right) | Comparison(_, left, right):
            yield from _scopes(left)
            yield from _scopes(right)
        case Junction(_, operands):
            for operand in operands:
                yield from _scopes(operand)


def value_for_span(one: Expression, span: Span) -> Value:
    """Outside of a filter: with the first event and the first link for which there is a value."""
    values = (value(one, place) for place in _places(one, span))
    return next((found for found in values if found is not None), None)


def group_of(one: Expression, span: Span) -> Value:
    """The value by which the span is grouped: what compares with nothing groups as if it were not there."""
    found = value_for_span(one, span)
    return None if isinstance(found, Opaque) else found


def _true(condition: Expression, place: Place) -> bool:
    return value(condition, place) == truth(True)


def value(one: Expression, place: Place) -> Value:
    match one:
        case Literal():
            return one
        case Attribute():
            return _attribute(one, place)
        case Intrinsic():
            return _intrinsic(one, place)
        case Not(operand):
            return truth(not _true(operand, place))
        case Negative(operand):
            return _calculated(Operator.MINUS, Literal(ValueType.INTEGER, 0), value(operand, place))
        case Calculation(operator, left, right):
            return _calculated(operator, value(left, place), value(right, place))
        case Presence(operand, present):
            return truth((value(operand, place) is not None) is present)
        case Junction(logic, operands):
            results = [_true(operand, place) for operand in operands]
            return truth(all(results) if logic is Logic.AND else any(results))
        case Comparison():
            return truth(_compared(one, place))
        case Written():
            raise AssertionError("no text of TraceQL says it")


def _compared(one: Comparison, place: Place) -> bool:
    left, right = value(one.left, place), value(one.right, place)
    if one.comparator in (Comparator.EQUAL, Comparator.UNEQUAL):
        left, right = _as_id(left, beside=one.right), _as_id(right, beside=one.left)
    return compares(one.comparator, left, right)


def _as_id(found: Value, *, beside: Expression) -> Value:
    """A text as the id beside it is written: capitals and leading zeros mean nothing in an id."""
    if not isinstance(found, Literal) or not isinstance(found.value, str):
        return found
    if beside in (Intrinsic.TRACE_ID, Intrinsic.LINK_TRACE_ID):
        return text(found.value.lower().lstrip("0"))
    if beside in (Intrinsic.SPAN_ID, Intrinsic.PARENT_ID, Intrinsic.LINK_SPAN_ID):
        return text(found.value.lower().zfill(16))
    return found


def _attribute(one: Attribute, place: Place) -> Value:
    assert not one.of_parent  # checking refuses it
    span = place.span
    match one.scope:
        case Scope.SPAN:
            return span.attributes.get(one.key)
        case Scope.RESOURCE:
            return span.resource.get(one.key)
        case Scope.INSTRUMENTATION:
            return span.scope.get(one.key)
        case Scope.EVENT:
            return place.event.attributes.get(one.key) if place.event else None
        case Scope.LINK:
            return place.link.attributes.get(one.key) if place.link else None
        case Scope.ANY:
            found = (attributes.get(one.key) for attributes in (span.attributes, span.resource, span.scope))
            return next((found_value for found_value in found if found_value is not None), None)


def _intrinsic(one: Intrinsic, place: Place) -> Value:
    if one in OF_EVENTS:
        return _of_event(one, place.event) if place.event else None
    if one in OF_LINKS:
        return _of_link(one, place.link) if place.link else None
    return _of_span(one, place.span)


def _of_event(one: Intrinsic, event: Event) -> Value:
    return text(event.name) if one is Intrinsic.EVENT_NAME else Literal(ValueType.DURATION, event.since_start_ns)


def _of_link(one: Intrinsic, link: Link) -> Value:
    return text(link.trace_id.hex().lstrip("0")) if one is Intrinsic.LINK_TRACE_ID else text(link.span_id.hex())


def _of_span(one: Intrinsic, span: Span) -> Value:
    trace = span.trace
    nested = trace.nested_sets.get(span, NestedSet())
    root = trace.roots[0] if trace.roots else None
    values: dict[Intrinsic, Value] = {
        Intrinsic.NAME: text(span.name),
        Intrinsic.STATUS: Literal(ValueType.STATUS, span.status),
        Intrinsic.STATUS_MESSAGE: text(span.status_message),
        Intrinsic.DURATION: Literal(ValueType.DURATION, span.duration_ns),
        Intrinsic.KIND: Literal(ValueType.KIND, span.kind),
        Intrinsic.SPAN_ID: text(span.span_id.hex()),
        Intrinsic.PARENT_ID: text(span.parent_id.hex()) if span.parent_id else None,
        Intrinsic.CHILD_COUNT: Literal(ValueType.INTEGER, len(trace.children(span))),
        Intrinsic.NESTED_SET_LEFT: Literal(ValueType.INTEGER, nested.left),
        Intrinsic.NESTED_SET_RIGHT: Literal(ValueType.INTEGER, nested.right),
        Intrinsic.NESTED_SET_PARENT: Literal(ValueType.INTEGER, nested.parent),
        Intrinsic.TRACE_ID: text(trace.trace_id.hex().lstrip("0")),
        Intrinsic.TRACE_DURATION: Literal(ValueType.DURATION, trace.duration_ns),
        Intrinsic.ROOT_NAME: text(root.name) if root else None,
        Intrinsic.ROOT_SERVICE: root.resource.get("service.name") if root else None,
        Intrinsic.INSTRUMENTATION_NAME: text(span.scope_name),
        Intrinsic.INSTRUMENTATION_VERSION: text(span.scope_version),
    }
    return values[one]


def _calculated(operator: Operator, left: Value, right: Value) -> Value:
    """None where an operand is no number, or the result is beyond 64 bits, infinite or none at all."""
    a, b = number(left), number(right)
    if a is None or b is None or not isinstance(left, Literal) or not isinstance(right, Literal):
        return None
    try:
        if left.type is right.type is ValueType.INTEGER:
            whole = _whole(operator, int(a), int(b))
            return Literal(ValueType.INTEGER, whole) if INTEGER_MIN <= whole <= INTEGER_MAX else None
        result = real(operator, float(a), float(b))
    except (ArithmeticError, ValueError):
        return None
    return Literal(ValueType.FLOAT, result) if math.isfinite(result) else None


_ON_ANY_NUMBERS: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.PLUS: operators.add,
    Operator.MINUS: operators.sub,
    Operator.TIMES: operators.mul,
}


def _whole(operator: Operator, a: int, b: int) -> int:
    """Division towards zero; the remainder has the sign of what is divided; powers through floats, cut."""
    match operator:
        case Operator.DIVIDED_BY:
            return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        case Operator.MODULO:
            return abs(a) % abs(b) * (-1 if a < 0 else 1)
        case Operator.POWER:
            return math.trunc(math.pow(a, b))
        case _:
            return _ON_ANY_NUMBERS[operator](a, b)


def real(operator: Operator, a: float, b: float) -> float:
    """ArithmeticError or ValueError where there is no such number."""
    match operator:
        case Operator.DIVIDED_BY:
            return a / b
        case Operator.MODULO:
            return math.fmod(a, b)
        case Operator.POWER:
            return math.pow(a, b)
        case _:
            return _ON_ANY_NUMBERS[operator](a, b)
