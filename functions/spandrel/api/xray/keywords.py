"""Which keywords of a filter expression may stand where, and terms of them -> conditions of one span."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spandrel.traceql.composing import every, some
from spandrel.traceql.expressions import TRUE, Expression
from spandrel.traceql.intrinsics import Intrinsic

from . import conditions
from .conditions import negated, on_resource, on_span
from .filter_text import text
from .filter_tree import All, AnyOf, InvalidFilter, Keyword, Negation, Operator, Term, Test

Asked = Callable[[Test], Expression]
"""What a test of a keyword asks of a span."""

Keywords = Mapping[str, Asked]

BOOLEANS = frozenset({"ok", "error", "throttle", "fault", "partial", "inferred", "first", "last", "remote", "root"})
_TRUTHS = {"true": True, "false": False}


def flag(condition: Expression) -> Asked:
    """A keyword that is true or false; `plain` has made bare ones of all its tests."""

    def asked(test: Test) -> Expression:
        if test.operator is not None:
            raise conditions.invalid(test, "it is true or false")
        return condition

    return asked


def _texts(keys: tuple[str, ...]) -> Asked:
    return lambda test: conditions.text_test([on_span(key) for key in keys], test)


def _resource_texts(keys: tuple[str, ...]) -> Asked:
    return lambda test: conditions.text_test([on_resource(key) for key in keys], test)


OF_REQUESTS: Keywords = {
    "ok": flag(conditions.fine()),
    "error": flag(conditions.erring()),
    "throttle": flag(conditions.throttled()),
    "fault": flag(conditions.faulty()),
    "responsetime": lambda test: conditions.seconds(Intrinsic.DURATION, test),
    "http.status": conditions.status_test,
    "http.url": conditions.url_test,
    **{name: _texts(keys) for name, keys in conditions.TEXT_KEYS.items() if name != "user"},
}
"""What a request is asked: of a trace its first one, of a service or an edge each."""

OF_ANY_SPAN: Keywords = {
    "partial": flag(conditions.partial()),
    "user": _texts(conditions.TEXT_KEYS["user"]),
    **{name: _resource_texts(keys) for name, keys in conditions.RESOURCE_KEYS.items()},
}
"""What any span of a trace may say of it."""

OF_ROOTS: Keywords = {**OF_REQUESTS, "duration": lambda test: conditions.seconds(Intrinsic.TRACE_DURATION, test)}
OF_SERVICES: Keywords = {**OF_REQUESTS, **OF_ANY_SPAN, "duration": OF_REQUESTS["responsetime"]}


def plain(term: Term) -> Term:
    """The same, with `x = false` and the like as `!x` where x is true or false."""
    match term:
        case Test(Keyword(name), operator, value) if name in BOOLEANS and operator is not None:
            truth = _TRUTHS.get(value.lower()) if isinstance(value, str) else value
            if not isinstance(truth, bool) or operator not in (Operator.EQUAL, Operator.UNEQUAL):
                raise conditions.invalid(term, "it is true or false, and compared by = and !=")
            bare = Test(Keyword(name))
            return bare if truth is (operator is Operator.EQUAL) else Negation(bare)
        case Negation(operand):
            return Negation(plain(operand))
        case All(operands):
            return All(tuple(map(plain, operands)))
        case AnyOf(operands):
            return AnyOf(tuple(map(plain, operands)))
    return term


def condition(term: Term | None, keywords: Keywords, place: str) -> Expression:
    """What a term asks of one span. `place` is where it stands, for errors about what cannot stand there."""
    match term:
        case None:
            return TRUE
        case Test(Keyword(name)) if name in keywords:
            return keywords[name](term)
        case Negation(operand):
            return negated(condition(operand, keywords, place))
        case All(operands):
            return every(condition(operand, keywords, place) for operand in operands)
        case AnyOf(operands):
            return some(condition(operand, keywords, place) for operand in operands)
    raise InvalidFilter(f"Invalid filter expression: `{text(term)[:160]}` cannot be asked {place}")


def only_of(term: Term, keywords: Keywords) -> bool:
    """Whether the term is made of these keywords alone."""
    match term:
        case Test(Keyword(name)):
            return name in keywords
        case Negation(operand):
            return only_of(operand, keywords)
        case All(operands) | AnyOf(operands):
            return all(only_of(operand, keywords) for operand in operands)
    return False


def mentions(term: Term | None, name: str) -> bool:
    """Whether a keyword stands in the term."""
    match term:
        case Test(Keyword(mentioned)):
            return mentioned == name
        case Negation(operand):
            return mentions(operand, name)
        case All(operands) | AnyOf(operands):
            return any(mentions(operand, name) for operand in operands)
    return False
