"""`rootcause.fault.service { … }` of a filter expression -> sets of spans.

A root cause is a path down from an entry of which every span is at fault: has a fault, has an error, or lasts for half
of the trace or longer. X-Ray does not say how it finds its paths; this rule is ours (docs/apis/xray.md).
"""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.model import xray
from spandrel.traceql.composing import every, some
from spandrel.traceql.expressions import (
    FALSE,
    TRUE,
    Attribute,
    Calculation,
    Comparator,
    Comparison,
    Expression,
    Literal,
    Operator,
    Presence,
    Scope,
)
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.spansets import Filter, Relation, Side, Spansets, Structure

from .conditions import compared, equal, erring, faulty, kind_of, negated, text_test
from .filter_tree import Cause, Element, InvalidFilter, RootCause, Term, Test
from .keywords import Keywords, condition, flag, mentions, plain
from .positions import CALLING, ENTRY, SERVING, Position, any_of, lowest_of, placed
from .services import UNANSWERED, own_name, own_type, peer_name, peer_type

SLOW_SHARE = 0.5
"""Of a trace's duration: what lasts as long or longer is on the path of its response time's root cause."""

_COVERAGE = Calculation(Operator.DIVIDED_BY, Intrinsic.DURATION, Intrinsic.TRACE_DURATION)
_AT_FAULT: Mapping[Cause, Expression] = {
    Cause.FAULT: faulty(),
    Cause.ERROR: erring(),
    Cause.RESPONSE_TIME: Comparison(Comparator.GREATER_OR_EQUAL, _COVERAGE, Literal(ValueType.FLOAT, SLOW_SHARE)),
}
_SEGMENT = some([SERVING, negated(Presence(Intrinsic.PARENT_ID, present=True))])
_EXCEPTION = equal(Intrinsic.EVENT_NAME, "exception")
_WORKING = negated(CALLING)  # for its own service, not in the place of another


def root_cause(term: RootCause) -> Spansets:
    """The spans on paths of that cause of which the condition is true."""
    asked = None if term.condition is None else plain(term.condition)
    if mentions(asked, "index"):
        raise InvalidFilter("Invalid filter expression: `index` cannot be asked here; `first` and `last` can")
    if term.element is Element.EXCEPTION:
        return _path(term.cause, asked, _of_exceptions(), _EXCEPTION)
    if term.element is Element.ENTITY:
        return _path(term.cause, asked, _of_entities(term.cause))
    own = _path(term.cause, asked, _of_services(inferred=False), _WORKING)
    called = _path(term.cause, asked, _of_services(inferred=True), CALLING, UNANSWERED)
    return any_of([own, called])


def _path(
    cause: Cause, asked: Term | None, keywords: Keywords, spans: Expression = TRUE, position: Position | None = None
) -> Spansets:
    """Those of the spans that are at fault, with all that is above them."""
    at_fault = _AT_FAULT[cause]
    positions = {"first": ENTRY, "last": lowest_of(at_fault)}
    mentioned = {name: where for name, where in positions.items() if mentions(asked, name)}

    def on_path(found: Spansets) -> Spansets:
        chosen = found if position is None else position.chosen(found)
        return Structure(Relation.DESCENDANT, Side.NEITHER, Filter(negated(at_fault)), chosen)

    def asked_of(truths: Mapping[str, bool]) -> Expression:
        known = {name: flag(TRUE if truth else FALSE) for name, truth in truths.items()}
        return every([at_fault, spans, condition(asked, {**keywords, **known}, "of a root cause")])

    return placed(mentioned, asked_of, on_path)


def _of_services(*, inferred: bool) -> Keywords:
    return {
        "name": peer_name if inferred else own_name,
        "type": peer_type if inferred else own_type,
        "inferred": flag(TRUE if inferred else FALSE),
    }


def _of_entities(cause: Cause) -> Keywords:
    """Segments have the names of their services, what is in them its own."""
    common: Keywords = {
        "name": lambda test: some([text_test([Intrinsic.NAME], test), every([_SEGMENT, own_name(test)])]),
        "remote": flag(kind_of("client", "producer")),
    }
    return {**common, "coverage": _coverage} if cause is Cause.RESPONSE_TIME else common


def _coverage(test: Test) -> Expression:
    return compared(_COVERAGE, test)


def _of_exceptions() -> Keywords:
    return {
        "name": lambda test: text_test([_of_event("exception.type")], test),
        "message": lambda test: text_test([_of_event("exception.message")], test),
        "remote": flag(equal(_of_event(xray.EXCEPTION_PREFIX + "remote"), True, ValueType.BOOLEAN)),
    }


def _of_event(key: str) -> Attribute:
    return Attribute(Scope.EVENT, key)
