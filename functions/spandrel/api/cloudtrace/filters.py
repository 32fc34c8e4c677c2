"""The filter language of Cloud Trace's ListTraces -> TraceQL (docs/apis/cloudtrace.md, "Filters").

Terms have to hold of a trace, each of any span of it, but those of roots, which have to hold of one root together.
What comes out of the query is the root, so that times, durations and names of an answer are those of roots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spandrel.model import cloudtrace
from spandrel.model.errors import Rejected
from spandrel.model.spans import STATUSES
from spandrel.traceql.composing import begins_with, compared, every, some
from spandrel.traceql.expressions import (
    Attribute,
    Comparator,
    Comparison,
    Expression,
    Field,
    Literal,
    Logic,
    Not,
    Presence,
    Scope,
    Written,
)
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.metrics import Query
from spandrel.traceql.spansets import Filter, Pipeline, Select, SpansetJunction

from .numbers import numbers_that_begin

TERMS_MAX = 32  # of a filter; each is a condition over many columns
PROJECT = Attribute(Scope.RESOURCE, cloudtrace.PROJECT)
_LABELS = {"method": "/http/method", "url": "/http/url"}  # words that stand for a label
_NOT_ASKED_BY_VALUE = (cloudtrace.STACKTRACE,)  # which is made of what v2 says otherwise
_SCOPES = (Scope.SPAN, Scope.RESOURCE)

_QUOTED = r'"(?:[^"\\]|\\["\\])*"'
_term = re.compile(
    rf'\s*(?P<signs>[+^]{{0,2}})(?:(?P<key>{_QUOTED}|[^\s":+^][^\s":]*):)?(?P<value>{_QUOTED}|[^\s"]*)(?=\s|$)'
).match
_latency = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,9}))?(ns|us|ms|s)?").fullmatch
_UNITS_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}

_IS_ROOT = compared(Intrinsic.NESTED_SET_PARENT, Comparator.LESS, 0)  # as Grafana asks for roots
_HAS_NO_ROOT = Not(Comparison(Comparator.MATCHES, Intrinsic.ROOT_NAME, Literal(ValueType.TEXT, ".*")))
_STANDS_FOR_TRACE = some([_IS_ROOT, _HAS_NO_ROOT])


@dataclass(frozen=True, slots=True)
class _Term:
    """`said` is the term as it was written; `key` is empty where there is none."""

    said: str
    key: str
    value: str
    exact: bool
    of_root: bool


def query_of(text: str) -> Query:
    """The traces that a filter finds. Of a trace its root comes out; of one whose root is not there, all spans.

    Rejected says which term cannot be answered, and why.
    """
    terms = list(_terms(text))
    if len(terms) > TERMS_MAX:
        raise Rejected(f"filter takes {TERMS_MAX} terms, not {len(terms)}")
    roots = [_condition(term) for term in terms if term.of_root]
    others = [Filter(_condition(term)) for term in terms if not term.of_root]
    head = Filter(every([_IS_ROOT, *roots]) if roots else _STANDS_FOR_TRACE)
    stages = (SpansetJunction(Logic.AND, (head, *others)), head) if others else (head,)
    return Query(Pipeline((*stages, Select((PROJECT,)))))


def _terms(text: str) -> Iterator[_Term]:
    place = 0
    while text[place:].strip():
        found = _term(text, place)
        if found is None or not found[0].strip():
            raise Rejected(f"filter: no term can be read from {text[place:].strip()[:80]!r} on")
        place = found.end()
        yield _term_of(found[0].strip(), found["signs"], _unquoted(found["key"] or ""), _unquoted(found["value"]))


def _term_of(said: str, signs: str, key: str, value: str) -> _Term:
    if signs in ("++", "^^"):
        raise _unfit(said, f"{signs[0]} stands there twice")
    if not value:
        raise _unfit(said, "there is no value")
    if key == "latency" and signs:
        raise _unfit(said, "a latency is taken as it is, without + and ^")
    return _Term(said, key, value, exact="+" in signs, of_root="^" in signs or key in ("root", "latency", ""))


def _unquoted(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text[1:-1]) if text.startswith('"') else text


def _condition(term: _Term) -> Expression:
    match term.key:
        case "root" | "span" | "":
            return _text(Intrinsic.NAME, term)
        case "latency":
            return compared(Intrinsic.DURATION, Comparator.GREATER_OR_EQUAL, _latency_ns(term))
        case "label":
            return _has_label(term.value)
        case word:
            return _label(_LABELS.get(word, word), term)


def _latency_ns(term: _Term) -> int:
    found = _latency(term.value)
    if found is None:
        raise _unfit(term.said, "a latency is a number with ns, us, ms or s; without a unit it is of ms")
    unit_ns = _UNITS_NS[found[3] or "ms"]
    fraction = found[2] or ""
    return int(found[1]) * unit_ns + int(fraction or "0") * unit_ns // 10 ** len(fraction)


def _text(field: Field, term: _Term) -> Expression:
    if term.exact:
        return compared(field, Comparator.EQUAL, term.value)
    return begins_with(field, term.value)


def _has_label(label: str) -> Expression:
    there: list[Expression] = [Presence(field, present=True) for field in _fields(label)]
    if label == cloudtrace.ERROR_MESSAGE:
        there.append(_failed())
    if label == cloudtrace.STACKTRACE:
        there.append(Presence(Attribute(Scope.SPAN, cloudtrace.STACK_TRACE), present=True))
    return some(there)


def _label(label: str, term: _Term) -> Expression:
    if label in _NOT_ASKED_BY_VALUE:
        raise _unfit(term.said, f"the text of {label} cannot be asked for; label:{label} finds spans that have it")
    conditions = [_written(field, term) for field in _fields(label)]
    if label == cloudtrace.ERROR_MESSAGE:
        conditions.append(every([_failed(), _text(Intrinsic.STATUS_MESSAGE, term)]))
    return some(conditions)


def _fields(label: str) -> Sequence[Attribute]:
    """The attributes that are shown as the label."""
    spellings = [label, *filter(None, [cloudtrace.TODAY.get(label)])]
    return [Attribute(scope, key) for key in spellings for scope in _SCOPES]


def _written(field: Attribute, term: _Term) -> Expression:
    """The attribute's value as text equals the term's, or begins with it: a text, a number, true or false."""
    if term.exact:
        return Written(field.scope, field.key, term.value)
    booleans = [Literal(ValueType.BOOLEAN, value) for value in (True, False) if _word(value).startswith(term.value)]
    return some(
        [
            begins_with(field, term.value),
            *(Comparison(Comparator.EQUAL, field, value) for value in booleans),
            *numbers_that_begin(field, term.value),
        ]
    )


def _word(value: bool) -> str:
    return "true" if value else "false"


def _failed() -> Expression:
    return compared(Intrinsic.STATUS, Comparator.EQUAL, STATUSES["error"])


def _unfit(said: str, why: str) -> Rejected:
    return Rejected(f"filter: the term {said[:80]!r} cannot be answered: {why}")
