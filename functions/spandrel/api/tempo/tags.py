"""Names and values of fields, for who writes a query."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from typing import TypeVar, get_args
from urllib.parse import unquote

from spandrel.api.literal_text import literal_text
from spandrel.api.parameters import Parameters, whole_number
from spandrel.api.question import Question, json_response
from spandrel.http.response import Response
from spandrel.model.errors import Rejected
from spandrel.model.spans import KINDS, STATUSES
from spandrel.query.tag_values import TAG_VALUES_MAX, TagValues, tag_type, tag_values
from spandrel.query.tags import TAG_NAMES_MAX, TagNames, TagScope, tag_names
from spandrel.traceql.checking import check
from spandrel.traceql.errors import InvalidQuery
from spandrel.traceql.expressions import Attribute, Field, Scope
from spandrel.traceql.intrinsics import SCOPED, Intrinsic
from spandrel.traceql.metrics import Query
from spandrel.traceql.parser import parse, parse_field

from .times import range_of

_Told = TypeVar("_Told")

INTRINSIC: TagScope = "intrinsic"
_ALL_SCOPES = ("", "none")
_COUNT_MAX = 2**32 - 1

# What nobody asks for by name; Tempo does not list it either.
_UNLISTED = {
    Intrinsic.PARENT,
    Intrinsic.CHILD_COUNT,
    Intrinsic.NESTED_SET_LEFT,
    Intrinsic.NESTED_SET_RIGHT,
    Intrinsic.NESTED_SET_PARENT,
}
# By both of their names, as Tempo lists them.
INTRINSICS = sorted(
    {one.value for one in Intrinsic if one not in _UNLISTED}
    | {f"{scope}:{name}" for scope, named in SCOPED.items() for name, one in named.items() if one not in _UNLISTED}
)
# Some other names that tags had before TraceQL.
_OLD_NAMES: dict[str, Field] = {
    "status.code": Intrinsic.STATUS,
    "root.name": Intrinsic.ROOT_NAME,
    "root.service.name": Intrinsic.ROOT_SERVICE,
}
_WORDS: dict[Field, tuple[str, ...]] = {Intrinsic.STATUS: tuple(STATUSES), Intrinsic.KIND: tuple(KINDS)}

# One set of spans, and its conditions: `&&` that is in no quotes.
_FILTER = re.compile(r"\s*\{(.*)\}\s*", re.DOTALL)
_AND = re.compile(r'&&(?=(?:[^"]*"[^"]*")*[^"]*\Z)')


def names(question: Question) -> Response:
    """GET /api/search/tags?scope&start&end&limit: names of attributes, whatever their scope."""
    scope = _scope(question.parameters)
    if scope == INTRINSIC:
        return json_response({"tagNames": INTRINSICS, "metrics": {}})
    found = {one.name for one in _names(question, scope).names if one.scope != INTRINSIC}
    return json_response({"tagNames": sorted(found)[: _limit(question.parameters, TAG_NAMES_MAX)], "metrics": {}})


def names_by_scope(question: Question) -> Response:
    """GET /api/v2/search/tags?scope&q&start&end&limit: the same by scope, intrinsics too; `limit` is of each scope."""
    scope = _scope(question.parameters)
    limit = _limit(question.parameters, TAG_NAMES_MAX)
    found = [] if scope == INTRINSIC else _names(question, scope).names
    scopes = [
        {"name": name, "tags": [one.name for one in of_scope][:limit]}
        for name, of_scope in groupby(found, key=lambda one: one.scope)
        if name != INTRINSIC
    ]
    if scope in (None, INTRINSIC):
        scopes.append({"name": INTRINSIC, "tags": INTRINSICS})
    return json_response({"scopes": scopes, "metrics": {}})


def values(question: Question) -> Response:
    """GET /api/search/tag/{tag}/values?start&end&limit: values of a tag as texts, by its name without a scope."""
    field = _field_of_tag(unquote(question.path["tag"]))
    if field in _WORDS:
        return json_response({"tagValues": sorted(_WORDS[field]), "metrics": {}})
    texts = {literal_text(one) for one in _values(question, field).values}
    return json_response({"tagValues": sorted(texts), "metrics": {}})


def typed_values(question: Question) -> Response:
    """GET /api/v2/search/tag/{tag}/values?q&start&end&limit: values of a field of TraceQL, with their types.

    Grafana escapes the name twice, and API Gateway undoes that once.
    """
    field = _field(unquote(question.path["tag"]))
    if field in _WORDS:
        found = [{"type": "keyword", "value": word} for word in sorted(_WORDS[field])]
    else:
        found = [{"type": tag_type(one), "value": literal_text(one)} for one in _values(question, field).values]
    return json_response({"tagValues": found, "metrics": {}})


def _names(question: Question, scope: TagScope | None) -> TagNames:
    times = range_of(question.parameters, question.now_ns)
    return _told(question.parameters, lambda query: tag_names(question.reading, *times, scope, query))


def _values(question: Question, field: Field) -> TagValues:
    times = range_of(question.parameters, question.now_ns)
    limit = _limit(question.parameters, TAG_VALUES_MAX)
    return _told(question.parameters, lambda query: tag_values(question.reading, field, *times, query, limit))


def _limit(parameters: Parameters, most: int) -> int:
    """0 is no limit."""
    return min(parameters.parsed(whole_number(0, _COUNT_MAX), "limit") or most, most)


def _scope(parameters: Parameters) -> TagScope | None:
    text = parameters.text("scope") or ""
    for scope in get_args(TagScope):
        if text == scope:
            return scope
    if text not in _ALL_SCOPES:
        raise Rejected(f"invalid scope: {text[:80]}")
    return None


def _field(name: str) -> Field:
    try:
        return parse_field(name)
    except InvalidQuery as error:
        raise Rejected(
            "please provide a valid tagName: an intrinsic, or an attribute with its scope or a dot before it like "
            f"span.http.route or .http.route, not {name[:80]!r}"
        ) from error


def _field_of_tag(name: str) -> Field:
    """An attribute by its name without a scope, unless the name is more than that."""
    if name in _OLD_NAMES:
        return _OLD_NAMES[name]
    try:
        return parse_field(name)
    except InvalidQuery:
        return Attribute(Scope.ANY, name)


def _told(parameters: Parameters, tell: Callable[[Query | None], _Told]) -> _Told:
    """What is told of the spans that `q` finds; of all, as in Tempo, if the query takes whole traces or is none."""
    query = _filter(parameters.text("q"))
    try:
        return tell(query)
    except InvalidQuery:
        return tell(None)


def _filter(text: str | None) -> Query | None:
    """A query, or of one that is still being written those of its conditions that are complete."""
    if text is None:
        return None
    try:
        return check(parse(text))
    except InvalidQuery:
        conditions = _complete(text)
    return check(parse(f"{{ {' && '.join(conditions)} }}")) if conditions else None


def _complete(text: str) -> list[str]:
    inside = _FILTER.fullmatch(text)
    return [one for one in _AND.split(inside[1]) if _is_condition(one)] if inside and "||" not in text else []


def _is_condition(text: str) -> bool:
    try:
        check(parse(f"{{ {text} }}"))
    except InvalidQuery:
        return False
    return bool(text.strip())
