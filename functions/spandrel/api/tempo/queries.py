"""The queries that a search's parameters say: TraceQL as `q`, or what Tempo took before it had TraceQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from spandrel.api.parameters import Parameters
from spandrel.api.time_text import duration_ns
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model.errors import Rejected
from spandrel.model.spans import STATUSES
from spandrel.traceql.expressions import (
    TRUE,
    Attribute,
    Comparator,
    Comparison,
    Expression,
    Field,
    Junction,
    Literal,
    Logic,
    Scope,
    Written,
)
from spandrel.traceql.intrinsics import Intrinsic, ValueType, type_of
from spandrel.traceql.metrics import Metrics, MetricsPipeline, Query, Refined
from spandrel.traceql.parser import parse
from spandrel.traceql.spansets import Filter, Pipeline, SpansetJunction

TAGS_MAX = 32  # of one search; each is a condition over many columns
EVERYTHING = "{ }"
_MS_NS = 10**6
# Of a search that says nothing else and no time, each other parameter is a tag: so Grafana's first Tempo asked.
_NO_TAGS = frozenset({"q", "tags", "minDuration", "maxDuration", "limit", "spss", "start", "end"})

# logfmt: key=value, key="a \"quoted\" value", and a key alone, which has no text.
_PAIR = re.compile(r'\s*([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s="]*)))?(?=\s|$)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def query_of(parameters: Parameters) -> Query:
    """What is searched for. Rejected for what Tempo refuses."""
    written, tags = parameters.text("q"), parameters.text("tags")
    if written and tags:
        raise Rejected("invalid request: can't specify tags and q in the same query")
    if written:
        return found_by(parse(written))
    pairs = _logfmt(tags) if tags else _other_parameters(parameters)
    if len(pairs) > TAGS_MAX:
        raise Rejected(f"invalid tags: a search takes {TAGS_MAX} of them, not {len(pairs)}")
    return _query_of_tags(pairs, list(_duration(parameters)))


def found_by(query: Query) -> Query:
    """The query that finds the spans; of one that makes metrics of them the search before that, as in Tempo."""
    return Query(_source(query.expression), query.hints)


def _source(expression: Pipeline | Metrics) -> Pipeline:
    match expression:
        case Pipeline():
            return expression
        case MetricsPipeline(source, _):
            return source
        case Refined(source, _):
            return _source(source)
    raise Rejected("invalid TraceQL query: series are calculated with each other, and a search finds traces")


def _query_of_tags(pairs: Sequence[tuple[str, str]], of_trace: list[Expression]) -> Query:
    """Each tag may hold of another span of the trace; what holds of the trace holds of each span."""
    filters = [Filter(_every([_tag(key, value), *of_trace])) for key, value in pairs] or [Filter(_every(of_trace))]
    return Query(Pipeline((SpansetJunction(Logic.AND, tuple(filters)) if len(filters) > 1 else filters[0],)))


def _logfmt(text: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        pair = _PAIR.match(text, at)
        if pair is None:
            raise Rejected(f'invalid tags: key=value or key="a value" is needed at pos {at}')
        key, quoted, plain = pair.groups()
        if key in found:
            raise Rejected(f"invalid tags: tag {key} has been set twice")
        found[key] = _unescaped(quoted) if quoted is not None else plain or ""
        at = pair.end()
    return list(found.items())


def _unescaped(quoted: str) -> str:
    return _ESCAPED.sub(lambda escaped: _ESCAPES.get(escaped[1], escaped[1]), quoted)


def _other_parameters(parameters: Parameters) -> list[tuple[str, str]]:
    if parameters.text("start") or parameters.text("end"):
        return []
    return [(name, value) for name in parameters.names if name not in _NO_TAGS and (value := parameters.text(name))]


def _duration(parameters: Parameters) -> Iterator[Expression]:
    """The trace's duration in whole milliseconds, of which it has begun or ended so many; less than one is no bound."""
    shortest_ms, longest_ms = _milliseconds(parameters, "minDuration"), _milliseconds(parameters, "maxDuration")
    if shortest_ms and longest_ms and shortest_ms > longest_ms:
        raise Rejected("invalid maxDuration: must be greater than minDuration")
    for bound_ms, comparator in (
        (shortest_ms, Comparator.GREATER_OR_EQUAL),
        (longest_ms, Comparator.LESS_OR_EQUAL),
    ):
        if bound_ms:
            limit = Literal(ValueType.DURATION, bound_ms * _MS_NS)
            yield Comparison(comparator, Intrinsic.TRACE_DURATION, limit)


def _milliseconds(parameters: Parameters, name: str) -> int | None:
    length_ns = parameters.parsed(duration_ns, name)
    if length_ns is not None and length_ns < 0:
        raise Rejected(f"malformed parameter {name}: takes a duration from 0 up")
    return length_ns // _MS_NS if length_ns else None


def _tag(key: str, value: str) -> Expression:
    """Names are found by a part of them, attributes by their whole text."""
    if key in _NAMES:
        return _contains(_NAMES[key], value)
    if key in _WORDS:
        return _WORDS[key](key, value)
    return _attribute(key, value)


def _attribute(key: str, text: str) -> Expression:
    """One of the span or of its resource, whose value is written so, of whatever type it is."""
    return Junction(Logic.OR, (Written(Scope.SPAN, key, text), Written(Scope.RESOURCE, key, text)))


def _contains(field: Field, part: str) -> Expression:
    pattern = "(?s).*" + _SPECIAL.sub(r"\\\g<0>", part) + ".*"
    return Comparison(Comparator.MATCHES, field, Literal(ValueType.TEXT, pattern))


def _status(key: str, word: str) -> Expression:
    if word not in STATUSES:
        raise Rejected(f"invalid tags: {key} is one of {', '.join(STATUSES)}, not {word[:80]!r}")
    return Comparison(Comparator.EQUAL, Intrinsic.STATUS, Literal(type_of(Intrinsic.STATUS), STATUSES[word]))


def _failed(key: str, word: str) -> Expression:
    """`true` and `false` say whether the span failed; any other text is that of an attribute."""
    if word not in ("true", "false"):
        return _attribute(key, word)
    comparator = Comparator.EQUAL if word == "true" else Comparator.UNEQUAL
    return Comparison(comparator, Intrinsic.STATUS, Literal(type_of(Intrinsic.STATUS), STATUSES["error"]))


_NAMES: dict[str, Field] = {
    SERVICE_NAME: Attribute(Scope.RESOURCE, SERVICE_NAME),
    "name": Intrinsic.NAME,
    "root.name": Intrinsic.ROOT_NAME,
    "root.service.name": Intrinsic.ROOT_SERVICE,
}
_WORDS: dict[str, Callable[[str, str], Expression]] = {"status.code": _status, "error": _failed}


def _every(conditions: Sequence[Expression]) -> Expression:
    return Junction(Logic.AND, tuple(conditions)) if len(conditions) > 1 else conditions[0] if conditions else TRUE
