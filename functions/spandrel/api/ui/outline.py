"""A trace as columns, without attributes: what a waterfall of tens of thousands of spans is drawn from (docs/ui.md).

A tenth of Jaeger's JSON in bytes, and read by a browser without making an object a span. Names are told once, parents
are rows, times are microseconds from the trace's start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spandrel.query.trace import Spans

ROOT, MISSING = -1, -2
"""In the place of a parent's row: there is none; there should be one, but it is not in the trace."""

FINE_BELOW_NS = 100_000  # shorter times are told with their nanoseconds
SERVER, CLIENT, ERROR = 2, 3, 2  # of OTLP's SpanKind and StatusCode

COLUMNS = (
    *("trace_id", "span_id", "parent_span_id", "service", "name", "kind", "status_code"),
    *("start_time_unix_nano", "duration_nano", "events", "links"),
)
"""All that an outline is made of."""


def outline(spans: Spans) -> Mapping[str, Any]:
    """Spans of one trace, at least one, in the order of their starts -> what JSON takes."""
    columns = _columns(spans)
    starts_ns, ids = columns["start_time_unix_nano"], columns["span_id"]
    begin_ns = min((start_ns for start_ns in starts_ns if start_ns), default=0)  # 0: a part that came without a start
    services, service = _coded(value or "" for value in columns["service"])
    names, name = _coded(value or "" for value in columns["name"])
    return {
        "trace_id": columns["trace_id"][0].hex(),
        "start_unix_nano": str(begin_ns),
        "services": services,
        "names": names,
        "ids": b"".join(ids).hex(),
        "parent": _parents(columns),
        "service": service,
        "name": name,
        "kind": [kind or 0 for kind in columns["kind"]],
        "start": _us(max(0, start_ns - begin_ns) for start_ns in starts_ns),
        "duration": _us(columns["duration_nano"]),
        "errors": [row for row, code in enumerate(columns["status_code"]) if code == ERROR],
        "events": _events(columns["events"], begin_ns),
        "links": [[row, len(links)] for row, links in enumerate(columns["links"]) if links],
    }


def _columns(spans: Spans) -> Mapping[str, Sequence[Any]]:
    """The columns that an outline needs; of nulls where no block has it."""
    had = dict(zip(spans.columns, zip(*spans.rows, strict=True), strict=True))
    return {name: had.get(name, (None,) * len(spans.rows)) for name in COLUMNS}


def _coded(values: Iterable[str]) -> tuple[list[str], list[int]]:
    """The distinct values in the order in which they come, and each value's place among them."""
    places: dict[str, int] = {}
    codes = [places.setdefault(value, len(places)) for value in values]
    return list(places), codes


def _us(times_ns: Iterable[int]) -> list[float]:
    """Microseconds; whole ones where nobody could see the difference."""
    return [ns / 1000 if -FINE_BELOW_NS < ns < FINE_BELOW_NS else (ns + 500) // 1000 for ns in times_ns]


def _parents(columns: Mapping[str, Sequence[Any]]) -> list[int]:
    """Each span's parent as a row. Of several spans of the parent's id (Zipkin's client and server share one) it is
    the one of the same service, or else the server; the server's own parent is then its client.
    """
    ids, parent_ids = columns["span_id"], columns["parent_span_id"]
    row_of = dict(zip(ids, range(len(ids)), strict=True))
    if len(row_of) == len(ids):
        return [ROOT if parent_id is None else row_of.get(parent_id, MISSING) for parent_id in parent_ids]
    return _parents_among_shared(columns)


def _parents_among_shared(columns: Mapping[str, Sequence[Any]]) -> list[int]:
    rows_of: dict[bytes, list[int]] = {}
    for row, span_id in enumerate(columns["span_id"]):
        rows_of.setdefault(span_id, []).append(row)
    service, kind = columns["service"], columns["kind"]
    parents = []
    for row, (span_id, parent_id) in enumerate(zip(columns["span_id"], columns["parent_span_id"], strict=True)):
        clients = [at for at in rows_of[span_id] if kind[at] == CLIENT and at != row] if kind[row] == SERVER else ()
        if clients:
            parents.append(clients[0])
        elif parent_id is None:
            parents.append(ROOT)
        else:
            found = [at for at in rows_of.get(parent_id, ()) if at != row]
            nearest = [at for at in found if service[at] == service[row]] or [at for at in found if kind[at] == SERVER]
            parents.append((nearest or found or [MISSING])[0])
    return parents


def _events(events: Sequence[Sequence[Mapping[str, Any]] | None], begin_ns: int) -> list[list[Any]]:
    """Rows that have events, and when these were."""
    return [
        [row, _us((event["time_unix_nano"] or begin_ns) - begin_ns for event in some)]
        for row, some in enumerate(events)
        if some
    ]
