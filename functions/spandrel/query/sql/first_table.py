"""The table with which every pipeline begins: each span of some traces once, with all that is asked of single spans.

`copies` are the copies that count, `base` adds to them what only whole traces tell. Columns of blocks are read for
what is asked and for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from spandrel.blocks.reader import quoted
from spandrel.query.copies import ONE_COPY
from spandrel.traceql.expressions import Expression

from .expressions import columns_of, fields_of, holds, needs_facts, value_of_span
from .facts import COLUMNS, facts_about
from .fragment import Fragment, combined, joined
from .places import Place
from .prepared import Prepared
from .tables import Tables
from .values import ValueColumns

# What identity, structure and the short form of a trace are made of.
ALWAYS_READ = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "service",
    "name",
    "start_time_unix_nano",
    "duration_nano",
    "status_code",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query wants to know of single spans, each once."""

    conditions: tuple[Expression, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The spans that are `chosen` from blocks with the columns of `place`; `lists`: what `known_lists` has of them."""

    place: Place
    chosen: Fragment
    lists: Fragment | None = None


@dataclass(frozen=True, slots=True)
class FirstTable:
    """The columns of `base` that answer it."""

    marks: Mapping[Expression, str]
    values: Mapping[Expression, ValueColumns]


def first_table(asked: Asked, source: Source, tables: Tables) -> FirstTable:
    """Adds `copies` and `base`."""
    prepared = Prepared()
    place = replace(source.place, with_facts=True, with_lists=source.lists is not None, prepared=prepared)
    marks: dict[Expression, str] = {}
    values: dict[Expression, ValueColumns] = {}
    early: list[Fragment] = []
    late: list[Fragment] = []
    for number, condition in enumerate(asked.conditions):
        marks[condition] = f"mark_{number}"
        column = combined(f"(({{}}) IS TRUE) AS mark_{number}", holds(condition, place))
        (late if needs_facts(condition) else early).append(column)
    for number, expression in enumerate(asked.values):
        value = value_of_span(expression, place)
        values[expression] = ValueColumns.named(f"value_{number}", value)
        (late if needs_facts(expression) else early).extend(values[expression].selected(value))
    everything = (*asked.conditions, *asked.values)
    of_traces = [one for one in everything if needs_facts(one)]
    raw = set(ALWAYS_READ).union(*(columns_of(one, place.columns) for one in of_traces))
    kept = [Fragment(quoted(name)) for name in sorted(raw)] + [Fragment(name) for name in prepared.names if late]
    numbered = Fragment("row_number() OVER () AS id")
    spans = joined(", ", [Fragment("spans"), *_lists(source)])
    made = prepared.added_to(combined("{} WHERE {}", spans, source.chosen))
    select = combined(f"SELECT {{}} FROM ({{}}) {ONE_COPY}", joined(", ", [numbered, *kept, *early]), made)
    tables.add(select, name="copies")
    facts = {field for one in of_traces for field in fields_of(one) if field in COLUMNS}
    about = facts_about(facts, tables) if facts else Fragment("copies")
    base = [Fragment("*, min(id) OVER (PARTITION BY trace_id) AS spanset, spanset AS spanset_of_trace"), *late]
    all_spans = [combined("{} AS all_spans", about), *(_lists(source) if late else [])]
    tables.add(combined("SELECT {} FROM {}", joined(", ", base), joined(", ", all_spans)), name="base")
    return FirstTable(marks, values)


def _lists(source: Source) -> list[Fragment]:
    return [] if source.lists is None else [source.lists]
