"""What X-Ray's keywords say of one span, as conditions of the query model.

A span is asked by what X-Ray's documents are kept as (docs/wire/xray.md) and by the names that other SDKs use for the
same, today's of OpenTelemetry and those before: so a filter finds traces of any source.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from spandrel.model import xray
from spandrel.model.spans import KINDS, STATUSES
from spandrel.traceql.composing import every, literally, some
from spandrel.traceql.expressions import (
    FALSE,
    TRUE,
    Attribute,
    Comparator,
    Comparison,
    Expression,
    Field,
    Literal,
    Not,
    Presence,
    Scope,
)
from spandrel.traceql.intrinsics import Intrinsic, ValueType

from .filter_text import text as text_of
from .filter_tree import InvalidFilter, Operator, Test, Value

FLAGS = {name: xray.PREFIX + name for name in ("error", "fault", "throttle")}  # what a document says of itself
STATUS_KEYS = ("http.response.status_code", "http.status_code")
URL_KEYS = ("url.full", "http.url")
PATH_KEYS = ("url.path", "http.target")  # of spans that say no more of their URL
TEXT_KEYS: Mapping[str, tuple[str, ...]] = {
    "http.method": ("http.request.method", "http.method"),
    "http.useragent": ("user_agent.original", "http.user_agent"),
    "http.clientip": ("client.address", "http.client_ip"),
    "user": ("enduser.id", "user.id"),
}
RESOURCE_KEYS: Mapping[str, tuple[str, ...]] = {
    "availabilityzone": ("cloud.availability_zone",),
    "instance.id": ("host.id",),
    "resource.arn": (xray.PREFIX + "resource_arn", "cloud.resource_id"),
}

_S_NS = 10**9
_CODES = range(100, 600)
_COMPARATORS = {
    Operator.EQUAL: Comparator.EQUAL,
    Operator.UNEQUAL: Comparator.UNEQUAL,
    Operator.LESS: Comparator.LESS,
    Operator.LESS_OR_EQUAL: Comparator.LESS_OR_EQUAL,
    Operator.GREATER: Comparator.GREATER,
    Operator.GREATER_OR_EQUAL: Comparator.GREATER_OR_EQUAL,
}
_NUMBERS: Mapping[Operator, Callable[[float, float], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}
_TEXTS: Mapping[Operator, Callable[[str, str], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.CONTAINS: operator.contains,
    Operator.BEGINS_WITH: str.startswith,
    Operator.ENDS_WITH: str.endswith,
}


def negated(condition: Expression) -> Expression:
    """It is not true, which it is not either where the span lacks what is asked."""
    if condition in (TRUE, FALSE):
        return FALSE if condition == TRUE else TRUE
    return condition.operand if isinstance(condition, Not) else Not(condition)


def equal(field: Field, value: Value | int, of: ValueType = ValueType.TEXT) -> Expression:
    return Comparison(Comparator.EQUAL, field, Literal(of, value))


def on_span(key: str) -> Attribute:
    return Attribute(Scope.SPAN, key)


def on_resource(key: str) -> Attribute:
    return Attribute(Scope.RESOURCE, key)


def kind_of(*names: str) -> Expression:
    """The span is of one of these kinds."""
    return some(equal(Intrinsic.KIND, KINDS[name], ValueType.KIND) for name in names)


def text_test(fields: Sequence[Field], test: Test) -> Expression:
    """A text that any of the fields may have; without an operator, whether any has one."""
    if test.operator is None or (test.value == "" and _is_part(test)):
        return some(_present(field) for field in fields)
    wanted = test.value
    if not isinstance(wanted, str) or test.operator not in _TEXTS:
        raise invalid(test, "it is a text, and texts take =, !=, CONTAINS, BEGINSWITH and ENDSWITH")
    return some(_text(field, test.operator, wanted) for field in fields)


def says(test: Test, known: str) -> bool:
    """Whether what the test says of a text is true of this one."""
    if test.operator is None:
        return bool(known)
    if not isinstance(test.value, str) or test.operator not in _TEXTS:
        raise invalid(test, "it is a text, and texts take =, !=, CONTAINS, BEGINSWITH and ENDSWITH")
    return _TEXTS[test.operator](known, test.value)


def number_of(test: Test) -> float:
    """What a number is compared with."""
    if isinstance(test.value, bool) or not isinstance(test.value, (int, float)) or test.operator not in _COMPARATORS:
        raise invalid(test, "it is compared with a number, by =, !=, <, <=, > or >=")
    return test.value


def compared(left: Expression, test: Test, of: ValueType = ValueType.FLOAT, unit: int = 1) -> Expression:
    """A number of a span, which is counted in `unit` of what the test says."""
    value = number_of(test) * unit
    assert test.operator is not None
    return Comparison(_COMPARATORS[test.operator], left, Literal(of, round(value) if unit > 1 else value))


def seconds(field: Intrinsic, test: Test) -> Expression:
    """A duration, which X-Ray counts in seconds."""
    if abs(number_of(test)) >= 2**63 / _S_NS:
        raise invalid(test, "this is beyond any duration")
    return compared(field, test, ValueType.DURATION, _S_NS)


def status_test(test: Test) -> Expression:
    """The HTTP status, a number or, as Zipkin's clients send it, a text."""
    if test.operator is None:
        return some(_present(on_span(key)) for key in STATUS_KEYS)
    wanted = number_of(test)
    codes = [code for code in _CODES if _NUMBERS[test.operator](code, wanted)]
    return some(
        condition
        for key in STATUS_KEYS
        for condition in (compared(on_span(key), test), _written_code(on_span(key), codes))
    )


def url_test(test: Test) -> Expression:
    """The URL; of spans that say no more of it than its path, that."""
    no_url = [negated(_present(on_span(key))) for key in URL_KEYS]
    path = text_test([on_span(key) for key in PATH_KEYS], test)
    return some([text_test([on_span(key) for key in URL_KEYS], test), every([*no_url, path])])


def annotation_test(key: str, test: Test) -> Expression:
    """An attribute of the span, of whatever type. One that is false is not set, as far as its name alone is asked."""
    fields = [on_span(name) for name in (key, xray.ANNOTATION_PREFIX + key)]
    if test.operator is None:
        return some(every([_present(field), negated(equal(field, False, ValueType.BOOLEAN))]) for field in fields)
    if isinstance(test.value, bool):
        if test.operator not in (Operator.EQUAL, Operator.UNEQUAL):
            raise invalid(test, "true and false are compared by = and !=")
        return some(
            Comparison(_COMPARATORS[test.operator], field, Literal(ValueType.BOOLEAN, test.value)) for field in fields
        )
    if isinstance(test.value, str):
        return text_test(fields, test)
    return some(compared(field, test) for field in fields)


def partial() -> Expression:
    """The span is not over yet."""
    return equal(on_span(xray.IN_PROGRESS), True, ValueType.BOOLEAN)


def throttled() -> Expression:
    return some([_flag("throttle"), *_codes(range(429, 430))])


def erring() -> Expression:
    """The caller's fault: a status of 400 to 499, or what the document says."""
    return some([_flag("error"), _flag("throttle"), *_codes(range(400, 500))])


def faulty() -> Expression:
    """The service's fault: a status from 500 on, what the document says, or a failed span that is no error."""
    failed = equal(Intrinsic.STATUS, STATUSES["error"], ValueType.STATUS)
    return some([_flag("fault"), *_codes(range(500, 600)), every([failed, negated(erring())])])


def fine() -> Expression:
    """Neither error nor fault."""
    failed = equal(Intrinsic.STATUS, STATUSES["error"], ValueType.STATUS)
    return negated(some([failed, *map(_flag, FLAGS), *_codes(range(400, 600))]))


def invalid(test: Test, message: str) -> InvalidFilter:
    """Why a part of a filter expression makes no sense."""
    return InvalidFilter(f"Invalid filter expression, `{text_of(test)[:160]}`: {message}")


def _flag(name: str) -> Expression:
    return equal(on_span(FLAGS[name]), True, ValueType.BOOLEAN)


def _codes(codes: range) -> list[Expression]:
    """Ways in which a span says that its HTTP status is one of these."""
    return [
        condition
        for key in STATUS_KEYS
        for condition in (_number_in(on_span(key), codes), _written_code(on_span(key), codes))
    ]


def _number_in(field: Attribute, numbers: range) -> Expression:
    low, high = (Literal(ValueType.INTEGER, number) for number in (numbers[0], numbers[-1]))
    if low == high:
        return Comparison(Comparator.EQUAL, field, low)
    return every(
        [Comparison(Comparator.GREATER_OR_EQUAL, field, low), Comparison(Comparator.LESS_OR_EQUAL, field, high)]
    )


def _written_code(field: Attribute, codes: Sequence[int]) -> Expression:
    if not codes:
        return FALSE
    return Comparison(Comparator.MATCHES, field, Literal(ValueType.TEXT, "|".join(_patterns(codes))))


def _patterns(codes: Sequence[int]) -> Iterator[str]:
    """Regular expressions for these numbers, a whole hundred by one."""
    for hundred, of_it in groupby(codes, key=lambda code: code // 100):
        found = list(of_it)
        yield from [f"{hundred}[0-9]{{2}}"] if len(found) == 100 else map(str, found)


def _present(field: Field) -> Expression:
    return Presence(field, present=True)


def _is_part(test: Test) -> bool:
    return test.operator in (Operator.CONTAINS, Operator.BEGINS_WITH, Operator.ENDS_WITH)


def _text(field: Field, compares: Operator, wanted: str) -> Expression:
    quoted = literally(wanted)
    match compares:
        case Operator.CONTAINS:
            pattern = f".*{quoted}.*"
        case Operator.BEGINS_WITH:
            pattern = f"{quoted}.*"
        case Operator.ENDS_WITH:
            pattern = f".*{quoted}"
        case _:
            return Comparison(_COMPARATORS[compares], field, Literal(ValueType.TEXT, wanted))
    return Comparison(Comparator.MATCHES, field, Literal(ValueType.TEXT, pattern))
