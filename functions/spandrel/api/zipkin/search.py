"""The parameters of Zipkin's search -> TraceQL.

In Zipkin each criterion may hold for another span of a trace, but where a service is named, for one of that service
(QueryRequest.java). So each becomes a filter of its own, and a trace has to have spans for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spandrel.api.parameters import Parameters
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model import zipkin
from spandrel.model.errors import Rejected
from spandrel.model.limits import SEARCH_LIMIT_MAX
from spandrel.model.spans import STATUSES
from spandrel.traceql.composing import compared, every, literally, some
from spandrel.traceql.expressions import (
    Attribute,
    Comparator,
    Expression,
    Field,
    Logic,
    Presence,
    Scope,
    Written,
)
from spandrel.traceql.intrinsics import Intrinsic
from spandrel.traceql.metrics import Query
from spandrel.traceql.spansets import Filter, Pipeline, SpansetJunction

from .parameters import DEFAULT_LIMIT, end_and_lookback_ms, positive
from .span_json import CALLING, REMOTE_NAMES

TERMS_MAX = 32  # of an annotation query; each is a condition over many columns
_US_NS, _MS_NS = 10**3, 10**6
_DURATION_MAX_US = 2**63 // _US_NS - 1
_ANY_NAME = ("all", "")
_SERVICE = Attribute(Scope.RESOURCE, SERVICE_NAME)

# What stands for tags that the API writes of fields. The others of these cannot be asked for.
_FIELD_OF_TAG: dict[str, Intrinsic] = {
    zipkin.SCOPE_NAME: Intrinsic.INSTRUMENTATION_NAME,
    zipkin.OLD_SCOPE_NAME: Intrinsic.INSTRUMENTATION_NAME,
    zipkin.SCOPE_VERSION: Intrinsic.INSTRUMENTATION_VERSION,
    zipkin.OLD_SCOPE_VERSION: Intrinsic.INSTRUMENTATION_VERSION,
}


@dataclass(frozen=True, slots=True)
class ZipkinSearch:
    """What is asked for: spans that start in [start_ns, end_ns), unix ns."""

    query: Query
    start_ns: int
    end_ns: int
    limit: int


def search_of(parameters: Parameters, now_ns: int) -> ZipkinSearch:
    """Rejected, in Zipkin's words, for what makes no sense there."""
    end_ms, lookback_ms = end_and_lookback_ms(parameters, now_ns)
    limit = positive(parameters, "limit") or DEFAULT_LIMIT
    if limit > SEARCH_LIMIT_MAX:
        raise Rejected(f"limit > {SEARCH_LIMIT_MAX}")
    end_ns = end_ms * _MS_NS
    return ZipkinSearch(query_of(parameters), end_ns - lookback_ms * _MS_NS, end_ns + 1, limit)


def query_of(parameters: Parameters) -> Query:
    """What must be in a trace; any trace will do where nothing is asked for."""
    service = [_is_name(_SERVICE, name) for name in _names(parameters, "serviceName")]
    filters = [Filter(every([*service, criterion])) for criterion in _criteria(parameters)]
    if not filters:
        filters = [Filter(every(service))]
    return Query(Pipeline((SpansetJunction(Logic.AND, tuple(filters)) if len(filters) > 1 else filters[0],)))


def spans_of(service: str) -> Query:
    """All spans of a service."""
    return Query(Pipeline((Filter(_is_name(_SERVICE, service)),)))


def calls_of(service: str) -> Query:
    """Those of its spans that call others."""
    kinds = [compared(Intrinsic.KIND, Comparator.EQUAL, kind) for kind in CALLING]
    return Query(Pipeline((Filter(every([_is_name(_SERVICE, service), some(kinds)])),)))


def _criteria(parameters: Parameters) -> Iterator[Expression]:
    for name in _names(parameters, "spanName"):
        yield _is_name(Intrinsic.NAME, name)
    for name in _names(parameters, "remoteServiceName"):
        yield _is_remote(name)
    yield from _duration(parameters)
    for key, value in _terms(parameters.text("annotationQuery") or ""):
        yield _tag(key, value) if value else _there(key)


def _names(parameters: Parameters, name: str) -> Iterator[str]:
    """The name that is asked for, if it is one."""
    text = (parameters.text(name) or "").lower()
    if text not in _ANY_NAME:
        yield text


def _duration(parameters: Parameters) -> Iterator[Expression]:
    """Microseconds, of which Zipkin knows whole ones: a longest one takes in what is begun of it."""
    shortest_us, longest_us = (_duration_us(parameters, name) for name in ("minDuration", "maxDuration"))
    if longest_us is not None and shortest_us is None:
        raise Rejected("maxDuration is only valid with minDuration")
    if shortest_us is None:
        return
    shortest = compared(Intrinsic.DURATION, Comparator.GREATER_OR_EQUAL, shortest_us * _US_NS)
    if longest_us is None:
        yield shortest
        return
    if longest_us < shortest_us:
        raise Rejected("maxDuration < minDuration")
    yield every([shortest, compared(Intrinsic.DURATION, Comparator.LESS, (longest_us + 1) * _US_NS)])


def _duration_us(parameters: Parameters, name: str) -> int | None:
    """No longer than a span can last: 292 years."""
    duration_us = positive(parameters, name)
    return None if duration_us is None else min(duration_us, _DURATION_MAX_US)


def _terms(text: str) -> list[tuple[str, str]]:
    """`key=value` and `key`, joined by ` and `. Of a key the last value counts, and a value more than none."""
    found: dict[str, str] = {}
    for term in filter(None, map(str.strip, text.split(" and "))):
        key, _, value = term.partition("=")
        found[key.strip()] = value.strip() or found.get(key.strip(), "")
    if len(found) > TERMS_MAX:
        raise Rejected(f"annotationQuery takes {TERMS_MAX} terms, not {len(found)}")
    return list(found.items())


def _tag(key: str, value: str) -> Expression:
    """A tag of that name has just that text."""
    if key in _FIELD_OF_TAG:
        return compared(_FIELD_OF_TAG[key], Comparator.EQUAL, value)
    if key == zipkin.STATUS_CODE:
        return some([_written(key, value), *_status(value.lower())])
    if key == zipkin.ERROR_TAG:
        failed = compared(Intrinsic.STATUS, Comparator.EQUAL, STATUSES["error"])
        message = compared(Intrinsic.STATUS_MESSAGE, Comparator.EQUAL, value)
        return some([_written(key, value), every([failed, message])])
    return some([_written(name, value) for name in _spellings(key)])


def _there(key: str) -> Expression:
    """An annotation that says this, or a tag of that name."""
    said = [
        compared(Intrinsic.EVENT_NAME, Comparator.EQUAL, key),
        compared(Attribute(Scope.EVENT, zipkin.ANNOTATION), Comparator.EQUAL, key),
    ]
    if key in _FIELD_OF_TAG:
        return some([*said, compared(_FIELD_OF_TAG[key], Comparator.UNEQUAL, "")])
    if key == zipkin.ERROR_TAG:
        said.append(compared(Intrinsic.STATUS, Comparator.EQUAL, STATUSES["error"]))
    if key == zipkin.STATUS_CODE:
        said.append(compared(Intrinsic.STATUS, Comparator.UNEQUAL, STATUSES["unset"]))
    scopes = (Scope.SPAN, Scope.RESOURCE)
    there = [Presence(Attribute(scope, name), present=True) for name in _spellings(key) for scope in scopes]
    return some([*said, *there])


def _spellings(key: str) -> list[str]:
    """A tag and the attribute that it is kept as. Rejected for those that are no attribute."""
    if key == zipkin.TRACE_STATE or key in zipkin.DROPPED:
        raise Rejected(f"annotationQuery cannot ask for {key}")
    return [key, zipkin.TODAY[key]] if key in zipkin.TODAY else [key]


def _written(key: str, value: str) -> Expression:
    return some([Written(scope, key, value) for scope in (Scope.SPAN, Scope.RESOURCE)])


def _status(name: str) -> list[Expression]:
    return [compared(Intrinsic.STATUS, Comparator.EQUAL, STATUSES[name])] if name in ("ok", "error") else []


def _is_remote(name: str) -> Expression:
    calling = some([compared(Intrinsic.KIND, Comparator.EQUAL, kind) for kind in CALLING])
    others = some([_is_name(Attribute(Scope.SPAN, key), name) for key in REMOTE_NAMES])
    return some([_is_name(Attribute(Scope.SPAN, zipkin.SERVICE_PEER), name), every([calling, others])])


def _is_name(field: Field, name: str) -> Expression:
    """Zipkin makes names small when it stores them; here they are as they were sent."""
    return compared(field, Comparator.MATCHES, "(?i)" + literally(name))
