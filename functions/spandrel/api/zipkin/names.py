"""Names and values that Zipkin Lens offers for choice, beside those of services and spans.

Zipkin keeps lists of them; here they are read off the newest blocks of the last day, which is as far back as its
searches look by default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spandrel.api.question import Question
from spandrel.api.values import text_of
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model import jaeger, zipkin
from spandrel.model.catalogue import FAR_AFTER_NS
from spandrel.query.tag_values import tag_values
from spandrel.query.tags import tag_names
from spandrel.traceql.expressions import Attribute, Scope
from spandrel.traceql.metrics import Query

from .parameters import DEFAULT_LOOKBACK_MS
from .search import calls_of, spans_of
from .span_json import REMOTE_NAMES

KEYS_MAX = 100  # Lens asks for the values of the one that is chosen, and lists all keys
_DAY_NS = DEFAULT_LOOKBACK_MS * 10**6
_SCOPES = (Scope.SPAN, Scope.RESOURCE)
_OWN = ("zipkin.", jaeger.ADDED)  # attributes that are no tags


def remote_services(question: Question, service: str) -> list[str]:
    """The services that those of a service call, or are called by."""
    named = _values(question, [Attribute(Scope.SPAN, zipkin.SERVICE_PEER)], spans_of(service))
    fields = [Attribute(Scope.SPAN, key) for key in REMOTE_NAMES]
    return sorted({value.lower() for value in [*named, *_values(question, fields, calls_of(service))] if value})


def keys(question: Question) -> list[str]:
    """The tags that spans and their resources have, under the names that a search takes."""
    found = tag_names(question.reading, *_last_day(question)).names
    known = {one.name for one in found if one.scope in ("span", "resource") and one.name != SERVICE_NAME}
    return sorted(key for key in known if not key.startswith(_OWN))[:KEYS_MAX]


def values(question: Question, key: str) -> list[str]:
    """The values of a tag, as text."""
    spellings = [key, *filter(None, [zipkin.TODAY.get(key)])]
    return sorted(set(_values(question, [Attribute(scope, name) for name in spellings for scope in _SCOPES])))


def _values(question: Question, fields: Sequence[Attribute], query: Query | None = None) -> Iterator[str]:
    for field in fields:
        found = tag_values(question.reading, field, *_last_day(question), query)
        yield from (text_of(value.value) for value in found.values)


def _last_day(question: Question) -> tuple[int, int]:
    """Until a little after now: some clocks are ahead."""
    return question.now_ns - _DAY_NS, question.now_ns + FAR_AFTER_NS
