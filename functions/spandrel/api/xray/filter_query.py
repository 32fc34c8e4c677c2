"""The tree of a filter expression -> the query model.

The query finds the spans by which a trace is placed in time, of traces that the filter is true of. What stands in
`ok AND http.url` is asked of one entry of the trace; what else a filter asks, of the trace's spans.
"""

from __future__ import annotations

from enum import Enum

from spandrel.traceql.expressions import TRUE
from spandrel.traceql.metrics import Query
from spandrel.traceql.spansets import Filter, Pipeline, SpansetJunction, Spansets, Structure, Whole

from .conditions import annotation_test, invalid
from .filter_text import text
from .filter_tree import (
    All,
    Annotation,
    AnyOf,
    Edge,
    InvalidFilter,
    Keyword,
    Negation,
    RootCause,
    RootCauseJson,
    Service,
    Term,
    Test,
)
from .keywords import OF_ANY_SPAN, OF_ROOTS, condition, only_of, plain
from .positions import any_of, each_of, entries, lacking, segments
from .root_causes import root_cause
from .services import edge, inferred_services, service


class TimeRange(Enum):
    """By which spans a trace is in a time range."""

    TRACE_ID = "TraceId"  # its entries
    EVENT = "Event"  # all of them
    SERVICE = "Service"  # its segments


_PLACES: dict[TimeRange, Filter | Structure | SpansetJunction] = {
    TimeRange.TRACE_ID: entries(),
    TimeRange.EVENT: Filter(TRUE),
    TimeRange.SERVICE: segments(),
}


def query_of(term: Term | None, by: TimeRange) -> Query:
    """The query for traces of which the filter is true, for all without one. InvalidFilter for what has no answer."""
    place = _PLACES[by]
    return Query(Pipeline((place,) if term is None else (Whole(_found(plain(term)), found=True), place)))


def _found(term: Term) -> Spansets:
    """Finds some spans of those traces of which the term is true, and none of others."""
    if only_of(term, OF_ROOTS):
        return entries(condition(term, OF_ROOTS, "of a trace"))
    match term:
        case Test(Annotation(key)):
            return Filter(annotation_test(key, term))
        case Test(Keyword("inferred")):
            return inferred_services()
        case Test(Keyword(name)) if name in OF_ANY_SPAN:
            return Filter(condition(term, OF_ANY_SPAN, "of a trace"))
        case Service():
            return service(term)
        case Edge():
            return edge(term)
        case RootCause():
            return root_cause(term)
        case Negation(operand):
            return lacking(_found(operand))
        case All(operands):
            return each_of([_found(one) for one in _with_roots_joined(operands)])
        case AnyOf(operands):
            return any_of([_found(one) for one in operands])
        case RootCauseJson():
            raise InvalidFilter(
                "Invalid filter expression: `rootcause.json` cannot be asked here; rootcause.fault.service { … } can"
            )
    raise _unknown(term)


def _with_roots_joined(operands: tuple[Term, ...]) -> list[Term]:
    """What is asked of entries is asked of the same one."""
    of_roots = [one for one in operands if only_of(one, OF_ROOTS)]
    others = [one for one in operands if one not in of_roots]
    return [*([All(tuple(of_roots)) if len(of_roots) > 1 else of_roots[0]] if of_roots else []), *others]


def _unknown(term: Term) -> InvalidFilter:
    if isinstance(term, Test):
        return invalid(term, "there is no such keyword, or it cannot be asked of a trace")
    return InvalidFilter(f"Invalid filter expression: `{text(term)[:160]}` cannot be asked of a trace")
