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
from .facts import COLUMNS, EDGES, facts_about
from .fragment import Fragment, combined, joined
from .places import Place
from .tables import Tables
from .values import Alternative, Kind, Value, kinds

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
class ValueColumns:
    """The columns of a value, one for each type that it may have. For a span at most one is not null."""

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]

    @classmethod
    def named(cls, name: str, value: Value) -> ValueColumns:
        """Columns for the value, whose names begin so."""
        found = tuple(kinds(value))
        return cls(tuple(f"{name}_{index}" for index in range(len(found))), found)

    def selected(self, value: Value) -> list[Fragment]:
        """The value as these columns of a SELECT."""
        parts = [
            (value.of(kind, is_list=is_list), name)
            for name, (kind, is_list) in zip(self.names, self.kinds, strict=True)
        ]
        return [combined(f"{{}} AS {name}", part) for part, name in parts if part is not None]

    @property
    def by_kind(self) -> dict[Kind, str]:
        return dict(zip(self.kinds, self.names, strict=True))

    @property
    def value(self) -> Value:
        """The value, read from the columns."""
        found = zip(self.names, self.kinds, strict=True)
        return Value(tuple(Alternative(kind, Fragment(name), is_list) for name, (kind, is_list) in found))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query wants to know of single spans, each once."""

    conditions: tuple[Expression, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class FirstTable:
    """The columns of `base` that answer it."""

    marks: Mapping[Expression, str]
    values: Mapping[Expression, ValueColumns]


def first_table(asked: Asked, chosen: Fragment, place: Place, tables: Tables) -> FirstTable:
    """Adds `copies`, `edges` and `base`. `chosen`: the condition for the traces in question."""
    with_facts = replace(place, with_facts=True)
    marks: dict[Expression, str] = {}
    values: dict[Expression, ValueColumns] = {}
    early: list[Fragment] = []
    late: list[Fragment] = []
    raw = set(ALWAYS_READ)
    for number, condition in enumerate(asked.conditions):
        marks[condition] = f"mark_{number}"
        column = combined(f"({{}} IS TRUE) AS mark_{number}", holds(condition, with_facts))
        (late if needs_facts(condition) else early).append(column)
    for number, expression in enumerate(asked.values):
        value = value_of_span(expression, with_facts)
        values[expression] = ValueColumns.named(f"value_{number}", value)
        (late if needs_facts(expression) else early).extend(values[expression].selected(value))
    for expression in (*asked.conditions, *asked.values):
        if needs_facts(expression):
            raw |= columns_of(expression, place.columns)
    _add_copies([Fragment(quoted(name)) for name in sorted(raw)] + early, chosen, tables)
    tables.add(Fragment(EDGES), name="edges")
    facts = {field for one in (*asked.conditions, *asked.values) for field in fields_of(one) if field in COLUMNS}
    source = facts_about(facts, tables) if facts else Fragment("copies")
    base = [Fragment("*, min(id) OVER (PARTITION BY trace_id) AS spanset, spanset AS spanset_of_trace"), *late]
    tables.add(combined("SELECT {} FROM {} AS all_spans", joined(", ", base), source), name="base")
    return FirstTable(marks, values)


def _add_copies(columns: list[Fragment], chosen: Fragment, tables: Tables) -> None:
    numbered = Fragment("row_number() OVER () AS id")
    select = f"SELECT {{}} FROM spans WHERE {{}} {ONE_COPY}"
    tables.add(combined(select, joined(", ", [numbered, *columns]), chosen), name="copies")
