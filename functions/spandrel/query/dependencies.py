"""Which service calls which, counted from spans and their parents.

A call is a span whose parent belongs to another service, or to the same one where the two are the ends of a remote call
(client and server, producer and consumer). It counts once, in the range in which the span starts, and has failed if the
span's status is an error; its parent may start earlier. So adjacent ranges add up, whatever came how often and into
which block. Spans without a service, or whose parent is not there, call nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from spandrel.blocks.database import Row
from spandrel.blocks.reader import OpenBlocks
from spandrel.model.links import Link
from spandrel.model.spans import KINDS, STATUSES

from .condition import ALWAYS, Condition, every, starts_in
from .copies import ONE_COPY
from .extents import MARGIN_NS
from .reading import Reading, check_range

_CALLING = (KINDS["client"], KINDS["producer"])
_CALLED = (KINDS["server"], KINDS["consumer"])
_TANGLED_MAX = 10_000  # traces that are told apart from the others; if there are more, all are taken for intricate
_PART_SPANS = 2_000_000  # joined at once, which takes about half a GB

# Traces in which an id is several rows: copies of a span, or client and server under one id (Zipkin).
_TANGLED = """
SELECT DISTINCT trace_id FROM (
    SELECT trace_id, span_id FROM spans WHERE {chosen} GROUP BY ALL HAVING count(*) > 1
)
"""

_ENDS = """
    caller.service AS caller, callee.service AS callee, caller.kind AS caller_kind, callee.kind AS callee_kind,
    callee.status_code, callee.start_time_unix_nano
"""
_COUNTED = f"""
SELECT caller, callee, count(*), count(*) FILTER (status_code = {STATUSES["error"]}) FROM calls
WHERE {{starts}} AND (caller <> callee OR caller_kind IN {_CALLING} AND callee_kind IN {_CALLED})
GROUP BY ALL
"""

# In the other traces, which are most, a join finds the caller.
_PLAIN = f"""
, plain AS NOT MATERIALIZED (
    SELECT trace_id, span_id, parent_span_id, kind, service, status_code, start_time_unix_nano
    FROM spans WHERE service IS NOT NULL AND {{chosen}}
), calls AS (
    SELECT {_ENDS} FROM plain AS callee
    JOIN plain AS caller ON caller.trace_id = callee.trace_id AND caller.span_id = callee.parent_span_id
)
{_COUNTED}
"""

# The caller of a server is the client under the same id, if there is one. Else it is a span with the parent's id: one
# of the same service rather than of another, and the server rather than the client.
_INTRICATE = f"""
, copies AS (
    SELECT trace_id, span_id, parent_span_id, kind, service, status_code, start_time_unix_nano
    FROM spans WHERE service IS NOT NULL AND {{chosen}} {ONE_COPY}
), pairs AS (
    SELECT callee, caller, 2 AS rank FROM copies AS callee
    JOIN copies AS caller ON caller.trace_id = callee.trace_id AND caller.span_id = callee.parent_span_id
    WHERE caller <> callee
    UNION ALL
    SELECT callee, caller, 1 FROM copies AS callee
    JOIN copies AS caller USING (trace_id, span_id)
    WHERE callee.kind = {KINDS["server"]} AND caller.kind = {KINDS["client"]}
), calls AS (
    SELECT {_ENDS} FROM pairs
    QUALIFY row_number() OVER (
        PARTITION BY callee
        ORDER BY rank, caller.service = callee.service DESC, caller.kind IN {_CALLED} DESC, caller
    ) = 1
)
{_COUNTED}
"""


def links(reading: Reading, start_ns: int, end_ns: int) -> list[Link]:
    """The links of the calls that start in [start_ns, end_ns), sorted."""
    check_range(start_ns, end_ns)
    blocks = reading.live(start_ns - MARGIN_NS, end_ns + MARGIN_NS)
    opened = reading.open(blocks)
    calls: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    for part in _parts(sum(block.spans for block in blocks)):
        for caller, callee, called, failed in _calls(opened, part, starts_in(start_ns, end_ns)):
            calls[caller, callee] += called
            errors[caller, callee] += failed
    return sorted(Link(*pair, calls[pair], errors[pair]) for pair in calls)


def _parts(spans: int) -> Iterator[Condition]:
    """Conditions that divide traces into parts of about _PART_SPANS spans."""
    parts = 1 + spans // _PART_SPANS
    if parts == 1:
        yield ALWAYS
        return
    for part in range(parts):
        yield Condition("hash(trace_id) % ? = ?", (parts, part))


def _calls(opened: OpenBlocks, part: Condition, starts: Condition) -> Iterable[Row]:
    """(caller, callee, calls, errors) of a part's traces; a pair may come twice."""
    statement = _TANGLED.format(chosen=part.sql)
    tangled = [trace_id for (trace_id,) in opened.select(statement, part.parameters, columns=("trace_id", "span_id"))]
    if not tangled:
        return _counted(opened, _PLAIN, part, starts)
    if len(tangled) > _TANGLED_MAX:
        return _counted(opened, _INTRICATE, part, starts)
    others = every([part, Condition("trace_id NOT IN (SELECT unnest(?::BLOB[]))", (tangled,))])
    these = Condition("trace_id IN (SELECT unnest(?::BLOB[]))", (tangled,))
    return chain(_counted(opened, _PLAIN, others, starts), _counted(opened, _INTRICATE, these, starts))


def _counted(opened: OpenBlocks, calls: str, chosen: Condition, starts: Condition) -> Iterable[Row]:
    statement = calls.format(chosen=chosen.sql, starts=starts.sql)
    return opened.select(statement, [*chosen.parameters, *starts.parameters])
