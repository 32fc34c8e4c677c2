"""Calls between services, in SQL over the ends of them. docs/dependencies.md has the rules as a table.

A call counts once: at the span that is called, where that was sent; else at the one that calls and names whom. Only
spans of one trace whose starts are an hour or less apart have to do with one another, so that it depends on spans
alone, and not on the blocks that they lie in, what a call is.
"""

from __future__ import annotations

from collections.abc import Collection

from .ends import CLIENT, CONSUMER, PRODUCER, SERVER, ends_of

REACH_NS = 3600 * 10**9
"""How far apart the starts of two spans may be that are taken for the ends of a call."""

ONE_COPY = """
    QUALIFY row_number() OVER (
        PARTITION BY scope, trace_id, span_id, kind, service, start_time_unix_nano
        ORDER BY duration_nano DESC, filename, file_row_number
    ) = 1
"""
"""The end of a SELECT of ends: one row a span, the one that `query/copies.py` chooses too."""

_NEAR = """greatest(caller.start_time_unix_nano, callee.start_time_unix_nano)
    - least(caller.start_time_unix_nano, callee.start_time_unix_nano)"""
_IS_NEAR = f"{_NEAR} <= {REACH_NS}"
_SAME_TRACE = "caller.scope = callee.scope AND caller.trace_id = callee.trace_id"
_PARENT = f"{_SAME_TRACE} AND caller.span_id = callee.parent_span_id AND {_IS_NEAR}"
# A server that took over the id of its client (Zipkin); a producer can stand for the client.
_SHARED = f"{_SAME_TRACE} AND caller.span_id = callee.span_id AND {_IS_NEAR}"
_SHARES = f"callee.kind = {SERVER} AND caller.kind IN {(CLIENT, PRODUCER)}"

# The callee's own row: somebody who sent spans called it, or a client that only it can name.
_ENTERED = f"""
    SELECT callee.start_time_unix_nano AS start_ns,
        coalesce(caller.owner, callee.peer) AS parent, callee.owner AS child,
        CASE WHEN caller.owner IS NULL THEN 'peer' WHEN callee.kind = {SERVER} OR callee.client THEN 'call'
            ELSE 'unmarked' END AS via,
        callee.failed AND NOT callee.client
            OR coalesce(caller.client AND caller.failed AND {{direct}}, false) AS failed
"""
_IS_ENTERED = f"""
    callee.owner IS NOT NULL AND CASE
        WHEN caller.owner IS NULL THEN callee.kind = {SERVER} AND callee.peer IS NOT NULL
        ELSE (caller.owner <> callee.owner
                OR caller.kind IN {(CLIENT, PRODUCER)} AND callee.kind IN {(SERVER, CONSUMER)})
            AND NOT (callee.kind = {CONSUMER} AND callee.peer IS NOT NULL)
    END
"""
# The calling side's row, where it names the other one, which sent nothing; and both sides of a broker.
_NAMED = f"""
    SELECT start_time_unix_nano AS start_ns, if(kind = {CONSUMER}, peer, owner) AS parent,
        if(kind = {CONSUMER}, owner, peer) AS child, via, failed
"""
_NAMES = f"peer IS NOT NULL AND kind <> {SERVER}"
# Who is a parent already was answered by its children's service, which knows its own name better.
_ANSWERED = f"""
    caller.client AND caller.peer IS NOT NULL
    AND (caller.kind = {CLIENT} OR callee.owner IS DISTINCT FROM caller.owner)
"""

# Traces in which an id is several rows (copies of a span; client and server under one id), or a span has no service.
_TANGLED = """
    SELECT DISTINCT scope, trace_id FROM (
        SELECT scope, trace_id, span_id FROM ends GROUP BY ALL HAVING count(*) > 1 OR count(owner) = 0
    )
"""

# In the others, which are most, a join finds the caller.
_PLAIN_CALLS = f"""
    {_ENTERED.format(direct="true")}
    FROM plain AS callee LEFT JOIN plain AS caller ON {_PARENT} AND caller.span_id <> callee.span_id
    WHERE {_IS_ENTERED}
    UNION ALL
    {_NAMED} FROM plain WHERE {_NAMES} AND (NOT client OR (scope, trace_id, span_id) NOT IN (
        SELECT (caller.scope, caller.trace_id, caller.span_id) FROM plain AS caller JOIN plain AS callee
        ON {_PARENT} AND caller.span_id <> callee.span_id WHERE {_ANSWERED}
    ))
"""

# The caller of a server is the client under the same id, if there is one. Else it is a span with the parent's id: one
# of the same service rather than of another, and the server rather than the client. What has no service is passed on
# the way up.
_CALLERS = f"""
    knots AS MATERIALIZED (SELECT *, row_number() OVER () AS row FROM (
        SELECT ends.* FROM ends SEMI JOIN tangled USING (scope, trace_id) {ONE_COPY}
    )), pairs AS MATERIALIZED (
        SELECT callee, caller, 2 AS rank FROM knots AS callee JOIN knots AS caller ON {_PARENT}
        WHERE caller.row <> callee.row
        UNION ALL
        SELECT callee, caller, 1 FROM knots AS callee JOIN knots AS caller ON {_SHARED} WHERE {_SHARES}
    ), nearest AS MATERIALIZED (
        SELECT callee.row AS row, caller FROM pairs QUALIFY row_number() OVER (
            PARTITION BY callee.row
            ORDER BY rank, coalesce(caller.owner = callee.owner, false) DESC, caller.kind IN {(SERVER, CONSUMER)} DESC,
                caller.start_time_unix_nano, caller.kind, caller.owner NULLS LAST
        ) = 1
    ), callers AS MATERIALIZED (
        SELECT row, caller, direct FROM (
            WITH RECURSIVE above AS (
                SELECT row, caller, true AS direct FROM nearest
                UNION
                SELECT above.row, nearest.caller, false
                FROM above JOIN nearest ON nearest.row = above.caller.row WHERE above.caller.owner IS NULL
            ) SELECT * FROM above
        ) WHERE caller.owner IS NOT NULL
    ), met AS MATERIALIZED (
        SELECT callee, callers.caller AS caller, coalesce(direct, false) AS direct
        FROM knots AS callee LEFT JOIN callers ON callers.row = callee.row
    )
"""
_KNOTTED_CALLS = f"""
    {_ENTERED.format(direct="direct")} FROM (
        SELECT callee, if(coalesce({_IS_NEAR}, false), caller, NULL) AS caller, direct FROM met
    ) WHERE {_IS_ENTERED}
    UNION ALL
    {_NAMED} FROM (
        SELECT callee.start_time_unix_nano, callee.kind, callee.peer, callee.via, callee.failed, callee.client,
            callee.row, coalesce(callee.owner, if({_IS_NEAR}, caller.owner, NULL)) AS owner FROM met
    ) WHERE {_NAMES} AND owner IS NOT NULL AND (NOT client OR row NOT IN (
        SELECT caller.row FROM pairs WHERE {_ANSWERED}
    ))
"""


def calls_of(present: Collection[str], chosen: str = "true", scope: str = "0") -> str:
    """What follows `WITH spans AS (…)`: further tables, of which `calls` has one row a call: `start_ns` (when the span
    started that stands for it), `parent`, `child`, `via`, `failed`.

    `present` are the columns that `spans` has, `chosen` a condition on it that takes whole traces, `scope` as in
    `ends_of`.
    """
    return f"""
        , ends AS MATERIALIZED (SELECT * FROM ({ends_of(present, scope)}) WHERE {chosen} AND start_time_unix_nano > 0),
        tangled AS MATERIALIZED ({_TANGLED}),
        plain AS NOT MATERIALIZED (SELECT ends.* FROM ends ANTI JOIN tangled USING (scope, trace_id)),
        {_CALLERS},
        calls AS NOT MATERIALIZED ({_PLAIN_CALLS} UNION ALL {_KNOTTED_CALLS})
    """
