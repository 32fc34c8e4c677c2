"""What the tags of a Zipkin span say in OpenTelemetry's words. docs/wire/zipkin.md has the tables and their sources."""

from __future__ import annotations

from typing import Any, NamedTuple

from spandrel.model.zipkin import (
    DROPPED,
    ERROR_TAG,
    OLD_SCOPE_NAME,
    OLD_SCOPE_VERSION,
    SCOPE_NAME,
    SCOPE_VERSION,
    STATUS_CODE,
    TODAY,
    TRACE_STATE,
)
from spandrel.wire.attributes import whole_number

from .span import Tag

NUMBERS = frozenset({"http.response.status_code", "http.request.body.size", "http.response.body.size"})

UNSET, OK, ERROR = 0, 1, 2  # OTLP's status codes

OPENTELEMETRY = {STATUS_CODE, TRACE_STATE, SCOPE_NAME, OLD_SCOPE_NAME, SCOPE_VERSION, OLD_SCOPE_VERSION, *DROPPED}
UINT32_MAX = 2**32 - 1


class Scope(NamedTuple):
    """OTLP's instrumentation scope."""

    name: str = ""
    version: str = ""


NO_SCOPE = Scope()


def take_opentelemetry(tags: dict[str, Tag]) -> tuple[Scope, dict[str, Any]]:
    """The scope and the fields of an OTLP span that the tags hold.

    Taken out of `tags` are those which follow from the fields; what an exporter would not have written so, stays.
    """
    if OPENTELEMETRY.isdisjoint(tags):
        return NO_SCOPE, _status(tags)
    scope = Scope(_scope(tags, SCOPE_NAME, OLD_SCOPE_NAME), _scope(tags, SCOPE_VERSION, OLD_SCOPE_VERSION))
    fields = _status(tags)
    if isinstance(tags.get(TRACE_STATE), str):
        fields["trace_state"] = tags.pop(TRACE_STATE)
    for tag in DROPPED.keys() & tags.keys():
        count = integer_of(tags[tag])
        if count is not None and 0 < count <= UINT32_MAX:
            fields[DROPPED[tag]] = count
            del tags[tag]
    return scope, fields


def with_todays_names(tags: dict[str, Tag]) -> tuple[dict[str, Tag], list[str]]:
    """The tags by today's names, and those of them that were renamed. None takes the place of another."""
    old_names = TODAY.keys() & tags.keys()
    if not old_names:
        return tags, []
    found: dict[str, Tag] = {}
    renamed: list[str] = []
    for tag, value in tags.items():
        name = TODAY[tag] if tag in old_names else tag
        named = integer_of(value) if name in NUMBERS else value
        if name is tag or named is None or name in tags or name in found:
            found[tag] = value
        else:
            found[name] = named
            renamed.append(tag)
    return found, renamed


def integer_of(value: Tag) -> int | None:
    """The number that a text says in just these digits: back from the number comes the same text."""
    number = whole_number(value)
    return number if str(number) == value else None


def _status(tags: dict[str, Tag]) -> dict[str, Any]:
    """Any `error` is one, whatever it says; `true` and nothing are no message. OpenTelemetry says the code besides."""
    error, code = tags.get(ERROR_TAG), tags.get(STATUS_CODE)
    if error is None or error is False:
        if code != "OK":
            return {"status": {"code": ERROR}} if code == "ERROR" else {}
        del tags[STATUS_CODE]
        return {"status": {"code": OK}}
    if code == "ERROR" and isinstance(error, str):
        del tags[ERROR_TAG], tags[STATUS_CODE]
        return {"status": {"code": ERROR, "message": error}}
    return {"status": {"code": ERROR, "message": error if isinstance(error, str) and error != "true" else ""}}


def _scope(tags: dict[str, Tag], name: str, old_name: str) -> str:
    """Exporters write both, for readers of either; one alone stays besides."""
    value, old_value = tags.get(name), tags.get(old_name)
    if value is not None and value == old_value:
        del tags[name], tags[old_name]
    found = old_value if value is None else value
    return found if isinstance(found, str) else ""
