"""Parameters that several read APIs take, and the examples by which `/openapi.json` names one small shop."""

from __future__ import annotations

from spandrel.http.described import JSON, Answer, Parameter, in_path
from spandrel.http.schemas import TEXT, Schema
from spandrel.model.limits import SEARCH_LIMIT_MAX

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
SERVICE, OPERATION, CALLEE = "web", "POST /checkout", "pay"
TAG, TAG_VALUE = "user.id", "7"
TIME_S = 1_790_000_000  # when the shop's trace was: 2026-09-21T14:13:20Z
START, END = "2026-09-21T14:00:00Z", "2026-09-21T14:30:00Z"
START_S, END_S = TIME_S - 800, TIME_S + 1000

_UNREAD = {
    "spandrel-unread-blocks": "how many blocks the answer lacks because they cannot be read; else it is not there"
}

DURATION: Schema = {"type": "string", "pattern": "^[0-9]{1,6}(ns|us|ms|s|m|h)$"}
SEARCH_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": SEARCH_LIMIT_MAX}

TRACE_ID = in_path("trace_id", "The trace, by any system's spelling of its id (docs/querying.md)", TRACE)


def service(name: str = "service", *, required: bool = False, aliases: tuple[str, ...] = ()) -> Parameter:
    """The name of a service."""
    return Parameter(name, "The service", TEXT, required=required, aliases=aliases, example=SERVICE)


def limit(name: str, default: int, about: str = "How many traces at most", aliases: tuple[str, ...] = ()) -> Parameter:
    """How many traces a search may find."""
    return Parameter(name, about, {**SEARCH_LIMIT, "default": default}, aliases=aliases, example=20)


def answered(about: str, schema: Schema) -> Answer:
    """An answer of JSON, which says how many blocks it lacks."""
    return Answer(about, {JSON: schema}, headers=_UNREAD)
