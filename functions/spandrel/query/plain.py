"""Searches for single spans, as dialects without structure ask for them -> TraceQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from spandrel.model.errors import Rejected
from spandrel.model.search import Search
from spandrel.model.spans import KINDS, STATUSES
from spandrel.traceql.expressions import (
    TRUE,
    Comparator,
    Comparison,
    Expression,
    Junction,
    Literal,
    Logic,
    Scope,
    Written,
)
from spandrel.traceql.intrinsics import Intrinsic, ValueType, type_of
from spandrel.traceql.metrics import Query
from spandrel.traceql.spansets import Filter, Pipeline

from .sql.places import SERVICE

_Value = TypeVar("_Value")

_RESOURCE_PREFIX = "resource."
_BOOLEANS = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False}  # as Go parses them
_ERROR = STATUSES["error"]


def query_of(search: Search) -> Query:
    """The search as TraceQL: one filter. Rejected names an attribute whose value can never match."""
    conditions = tuple(_conditions(search))
    condition = Junction(Logic.AND, conditions) if len(conditions) > 1 else conditions[0] if conditions else TRUE
    return Query(Pipeline((Filter(condition),)))


def _conditions(search: Search) -> Iterator[Expression]:
    if search.service is not None:
        yield Comparison(Comparator.EQUAL, SERVICE, Literal(ValueType.TEXT, search.service))
    if search.operation is not None:
        yield _is(Intrinsic.NAME, search.operation)
    if search.kind is not None:
        yield _is(Intrinsic.KIND, search.kind)
    if search.min_duration_ns is not None:
        yield _is(Intrinsic.DURATION, search.min_duration_ns, Comparator.GREATER_OR_EQUAL)
    if search.max_duration_ns is not None:
        yield _is(Intrinsic.DURATION, search.max_duration_ns, Comparator.LESS_OR_EQUAL)
    for key, text in search.attributes:
        yield _attribute(key, text)


def _attribute(key: str, text: str) -> Expression:
    """As in Jaeger: `resource.KEY` is looked for in the resource alone; `error`, `span.kind`, `span.status`,
    `scope.name` and `scope.version` are not attributes but what they say. Unlike there, what can never match
    (`error=perhaps`) is refused.
    """
    match key:
        case "error":
            is_error = _named(key, text, _BOOLEANS)
            return _is(Intrinsic.STATUS, _ERROR, Comparator.EQUAL if is_error else Comparator.UNEQUAL)
        case "span.status":
            return _is(Intrinsic.STATUS, _named(key, text, STATUSES))
        case "span.kind":
            return _is(Intrinsic.KIND, _named(key, text, KINDS))
        case "scope.name":
            return _is(Intrinsic.INSTRUMENTATION_NAME, text)
        case "scope.version":
            return _is(Intrinsic.INSTRUMENTATION_VERSION, text)
    if key.startswith(_RESOURCE_PREFIX):
        return Written(Scope.RESOURCE, key.removeprefix(_RESOURCE_PREFIX), text)
    return Written(Scope.ANY, key, text)


def _is(field: Intrinsic, wanted: str | int, comparator: Comparator = Comparator.EQUAL) -> Comparison:
    return Comparison(comparator, field, Literal(type_of(field), wanted))


def _named(key: str, text: str, values: Mapping[str, _Value]) -> _Value:
    try:
        return values[text.lower()]
    except KeyError as error:
        raise Rejected(f"the attribute {key} is one of {', '.join(values)}, not {text[:80]!r}") from error
