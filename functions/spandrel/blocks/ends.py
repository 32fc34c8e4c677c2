"""The ends of calls, in SQL: of each span, whose it is, who its parent is, and whom it names as the other side.

The names of the other side come from attributes, which may be a column in one block and in the rest of another.
docs/dependencies.md lists them with their sources.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from spandrel.model.spans import KINDS, STATUSES

from .naming import ALWAYS, attribute_column

# A service that the span calls, or is called by: OpenTelemetry's name, its former one, and Zipkin's where a tag of
# OpenTelemetry's name was in the way.
_NAMED = ("zipkin.remoteEndpoint.serviceName", "service.peer.name", "peer.service")
_DATABASE = ("db.system.name", "db.system")
_BROKER = ("messaging.system",)
_HOST = ("server.address", "net.peer.name")
PEER_KEYS = (*_NAMED, *_DATABASE, *_BROKER, *_HOST)
_PEER_COLUMNS = {attribute_column("span", key, "string"): key for key in PEER_KEYS}

_ADDRESS = r"[0-9.]+|.*:.*"  # an IP address is nobody's name, and there is no end of them

INTERNAL, SERVER, CLIENT = KINDS["internal"], KINDS["server"], KINDS["client"]
PRODUCER, CONSUMER = KINDS["producer"], KINDS["consumer"]
UNSPECIFIED = KINDS["unspecified"]


def columns_of_ends(present: Collection[str]) -> list[str]:
    """The columns of blocks that ENDS needs, of those that any of them has."""
    optional = [name for name in (*_PEER_COLUMNS, "span_rest") if name in present]
    return [*ALWAYS, "status_code", *optional]


def ends_of(present: Collection[str], scope: str = "0") -> str:
    """A SELECT from `spans` of one row a span.

    Beside the span's identity: `owner` (its service, null for none), `failed`, `peer` (whom it names as the other side
    of a call, null for nobody), `via` (what that is), `client` (whether it is the calling side of a remote call).
    `scope` is an expression over columns of `spans`: spans of different scopes are never joined with one another.
    """
    return f"""
        SELECT *, kind = {CLIENT} OR (kind = {UNSPECIFIED} AND peer IS NOT NULL) AS client
        FROM (
            SELECT {scope} AS scope, trace_id, span_id, parent_span_id, name, kind, service, owner, failed,
                start_time_unix_nano, duration_nano, filename, file_row_number, {_PEER} AS peer, {_VIA} AS via
            FROM (
                SELECT * REPLACE (coalesce(kind, {UNSPECIFIED}) AS kind), nullif(service, '') AS owner,
                    coalesce(status_code = {STATUSES["error"]}, false) AS failed,
                    {_first(_NAMED, present)} AS named,
                    {_first(_DATABASE, present)} AS database,
                    {_first(_BROKER, present)} AS broker,
                    {_host(present)} AS host
                FROM {_with_loose_names(present)}
            )
        )
    """


_PEER = f"""
    CASE WHEN kind = {CLIENT} THEN coalesce(named, database, broker, host)
        WHEN kind IN {(PRODUCER, CONSUMER)} THEN coalesce(named, broker)
        WHEN kind <> {INTERNAL} THEN named END
"""
_VIA = f"""
    CASE WHEN kind IN {(PRODUCER, CONSUMER)} THEN 'message'
        WHEN kind = {CLIENT} AND database IS NOT NULL THEN 'database'
        WHEN kind = {CLIENT} AND broker IS NOT NULL THEN 'message' ELSE 'peer' END
"""


def _with_loose_names(present: Collection[str]) -> str:
    """`spans`, with those pairs of the rest that may name somebody."""
    if "span_rest" not in present:
        return "spans"
    keys = ", ".join(f"'{key}'" for key in PEER_KEYS)
    return f"""(SELECT *, list_filter(span_rest, lambda pair: pair."key" IN ({keys})) AS loose_names FROM spans)"""


def _first(keys: Iterable[str], present: Collection[str]) -> str:
    """The first of the attributes that is a text and not an empty one."""
    values = [value for key in keys for value in _values(key, present)]
    return f"coalesce({', '.join(values)}, NULL)" if values else "NULL::VARCHAR"


def _values(key: str, present: Collection[str]) -> Iterable[str]:
    column = attribute_column("span", key, "string")
    if column in present:
        yield f"nullif(\"{column}\", '')"
    if "span_rest" in present:
        yield f"""nullif(list_filter(loose_names, lambda pair: pair."key" = '{key}')[1]."string", '')"""


def _host(present: Collection[str]) -> str:
    host = _first(_HOST, present)
    return f"CASE WHEN NOT regexp_full_match({host}, '{_ADDRESS}') THEN {host} END"
