"""The rows of an answer: the spans that come out of a pipeline, with their traces in short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from spandrel.blocks.database import Row
from spandrel.model.search import ServiceCount, TraceSummary
from spandrel.query.candidates import RANKS
from spandrel.query.condition import ALWAYS, Condition
from spandrel.query.copies import END
from spandrel.query.found import FieldValue, FoundTrace, MatchedSpan, Page, Spanset
from spandrel.traceql.expressions import Literal

from .fragment import Fragment, combined, parameter
from .pipelines import Evaluated
from .tables import Tables
from .values import ValueColumns

_BEST = """
    SELECT trace_id, {rank} AS rank FROM came_out GROUP BY trace_id
    HAVING {{}} ORDER BY rank {direction}, trace_id LIMIT {{}}
"""
_SERVICES = f"""
    SELECT trace_id, coalesce(service, '') AS owner, count(*) AS spans,
        count(*) FILTER (status_code = 2) AS errors, min(start_time_unix_nano) AS start_ns, max({END}) AS end_ns,
        min(row(start_time_unix_nano, span_id, name, coalesce(service, ''))) FILTER (parent_span_id IS NULL) AS root,
        count(*) FILTER (parent_span_id IS NOT NULL AND NOT parent_there) AS orphans
    FROM (
        SELECT copies.*, (trace_id, parent_span_id) IN (SELECT (trace_id, span_id) FROM copies) AS parent_there
        FROM copies JOIN best USING (trace_id)
    ) GROUP BY ALL
"""
_SUMMARIES = """
    SELECT trace_id, min(root) AS root, min(start_ns) AS start_ns, max(end_ns) AS end_ns,
        sum(spans)::BIGINT AS spans, sum(errors)::BIGINT AS errors, sum(orphans)::BIGINT AS orphans,
        list(struct_pack(service := owner, spans := spans, errors := errors) ORDER BY owner) AS services
    FROM services GROUP BY trace_id
"""
_ROWS = """
    SELECT trace_id, best.rank, root[4], root[3], start_ns, end_ns, summaries.spans, errors, orphans, services, spanset,
        count(*) OVER (PARTITION BY spanset) AS matched, span_id, name, coalesce(service, ''), start_time_unix_nano,
        duration_nano {columns}
    FROM came_out JOIN best USING (trace_id) JOIN summaries USING (trace_id)
    QUALIFY row_number() OVER (PARTITION BY spanset ORDER BY start_time_unix_nano, span_id, id) <= {{}}
    ORDER BY best.rank {direction}, trace_id, spanset, start_time_unix_nano, span_id, id
"""
_SUMMARY_COLUMNS, _COLUMNS = 10, 17


def answer(evaluated: Evaluated, tables: Tables, starts: Condition, page: Page) -> Fragment:
    """The statement for the traces of a page, of the spans that come out and start in the range."""
    direction = "DESC" if page.order.descending else "ASC"
    best = _BEST.format(rank=RANKS[page.order], direction=direction)
    tables.add(combined(f"SELECT * FROM {evaluated.table} WHERE {{}}", starts), name="came_out")
    tables.add(combined(best, _behind(page), parameter(page.limit)), name="best")
    tables.add(Fragment(_SERVICES), name="services")
    tables.add(Fragment(_SUMMARIES), name="summaries")
    columns = "".join(f", {name}" for one in _columns(evaluated) for name in one.names)
    return tables.then(combined(_ROWS.format(columns=columns, direction=direction), parameter(page.spans_per_spanset)))


def _behind(page: Page) -> Condition:
    """Of the traces of an order those behind the page before."""
    if page.after is None:
        return ALWAYS
    rank, trace_id = page.after
    beyond = "<" if page.order.descending else ">"
    return Condition(f"(rank {beyond} ? OR rank = ? AND trace_id > ?)", (rank, rank, trace_id))


def found_traces(rows: Iterable[Row], evaluated: Evaluated) -> list[FoundTrace]:
    """The answer's rows as traces, in their order."""
    by_trace = (list(group) for _, group in groupby(rows, key=lambda row: row[0]))
    return [_trace(group, evaluated) for group in by_trace]


def _columns(evaluated: Evaluated) -> list[ValueColumns]:
    return [*(evaluated.columns[field] for field in evaluated.fields), *(value.columns for value in evaluated.values)]


def _trace(rows: Sequence[Row], evaluated: Evaluated) -> FoundTrace:
    trace_id, rank, service, operation, start_ns, end_ns, spans, errors, orphans, services = rows[0][:_SUMMARY_COLUMNS]
    summary = TraceSummary(
        trace_id=trace_id,
        root_service=service or "",
        root_operation=operation or "",
        start_ns=start_ns,
        end_ns=end_ns,
        spans=spans,
        errors=errors,
        orphans=orphans,
        services=tuple(ServiceCount(**one) for one in services),
    )
    by_set = (list(group) for _, group in groupby(rows, key=lambda row: row[_SUMMARY_COLUMNS]))
    return FoundTrace(summary, tuple(_spanset(group, evaluated) for group in by_set), rank)


def _spanset(rows: Sequence[Row], evaluated: Evaluated) -> Spanset:
    widths = [len(columns.names) for columns in _columns(evaluated)]
    of_fields = len(evaluated.fields)
    values = _values(rows[0], _columns(evaluated), widths)[of_fields:]
    labels = [value.label for value in evaluated.values]
    return Spanset(rows[0][11], tuple(_span(row, evaluated) for row in rows), tuple(zip(labels, values, strict=True)))


def _span(row: Row, evaluated: Evaluated) -> MatchedSpan:
    span_id, name, service, start_ns, duration_ns = row[12:_COLUMNS]
    columns = [evaluated.columns[field] for field in evaluated.fields]
    values = _values(row, columns, [len(one.names) for one in columns])
    named = zip(evaluated.fields, values, strict=True)
    attributes = tuple((field, value) for field, value in named if value is not None)
    return MatchedSpan(span_id, name, service, start_ns, duration_ns, attributes)


def _values(row: Row, columns: Sequence[ValueColumns], widths: Sequence[int]) -> list[FieldValue | None]:
    """The values that stand in a row behind what it always has."""
    found, at = [], _COLUMNS
    for one, width in zip(columns, widths, strict=True):
        found.append(_value(row[at : at + width], one))
        at += width
    return found


def _value(cells: Sequence[Any], columns: ValueColumns) -> FieldValue | None:
    for cell, (kind, is_list) in zip(cells, columns.kinds, strict=True):
        if cell is not None:
            return tuple(Literal(kind, one) for one in cell) if is_list else Literal(kind, cell)
    return None
