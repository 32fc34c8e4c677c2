"""Pipelines as tables: each stage makes one of the table before it.

The first table has a row for each span of the traces; `spanset` says which set it is in. A stage drops rows (filters,
structure), drops whole sets (aggregates) or says anew which set they are in (`by`, `coalesce`). What is asked of single
spans is a column of the first table already, so that blocks are read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from spandrel.traceql.expressions import Expression, Field, Literal, Logic
from spandrel.traceql.printing import scalar, stage
from spandrel.traceql.spansets import (
    Aggregate,
    Coalesce,
    Filter,
    GroupBy,
    Pipeline,
    ScalarFilter,
    Select,
    SpansetJunction,
    Spansets,
    Stage,
    Structure,
    Whole,
)

from .aggregates import aggregated
from .comparisons import compared
from .expressions import fields_of
from .first_table import Asked, FirstTable, Source, first_table
from .fragment import Fragment, combined, joined
from .structure import related
from .tables import Tables
from .values import ValueColumns, constant


@dataclass(frozen=True, slots=True)
class SpansetValue:
    """What a stage found out about each set: the label of an answer, and its columns, equal in all rows of a set."""

    label: str
    columns: ValueColumns


@dataclass(frozen=True, slots=True)
class Evaluated:
    """`table` has a row for each span that comes out, with the columns of blocks that make its identity and times.

    `columns` are those of what was asked, `fields` what the query itself names, `values` what it found out about sets.
    """

    table: str
    columns: Mapping[Expression, ValueColumns]
    fields: tuple[Field, ...]
    values: tuple[SpansetValue, ...]


def evaluated(pipeline: Pipeline, source: Source, tables: Tables, also: Sequence[Expression] = ()) -> Evaluated:
    """Adds the tables that lead to the pipeline's spans. `source`: whole traces. `also`: what else is asked of spans.

    tables = Tables()
    result = evaluated(pipeline, Source(Place(opened.columns), chosen), tables, also=[field])
    number = result.columns[field].value.of(ValueType.DURATION)  # a Fragment, or None where it never is one
    statement = tables.then(Fragment(f"SELECT … FROM {result.table}"))
    opened.select(statement.sql, statement.parameters)
    """
    asked = asked_by(pipeline)
    first = first_table(replace(asked, values=tuple(dict.fromkeys([*asked.values, *also]))), source, tables)
    stages = _Stages(first, tables)
    table = stages.through(pipeline, "base", "spanset_of_trace")
    return Evaluated(table, first.values, tuple(_fields(pipeline)), tuple(stages.found))


def asked_by(pipeline: Pipeline) -> Asked:
    """What the pipeline wants to know of single spans."""
    conditions = [one.condition for one in _parts(pipeline) if isinstance(one, Filter)]
    values: list[Expression] = list(_fields(pipeline))
    for one in _parts(pipeline):
        if isinstance(one, GroupBy):
            values.append(one.expression)
        elif isinstance(one, ScalarFilter) and isinstance(one.left, Aggregate) and one.left.operand is not None:
            values.append(one.left.operand)
    return Asked(tuple(dict.fromkeys(conditions)), tuple(dict.fromkeys(values)))


def _fields(pipeline: Pipeline) -> list[Field]:
    """The fields that conditions and select() name, each once."""
    found: dict[Field, None] = {}
    for one in _parts(pipeline):
        if isinstance(one, Filter):
            found |= dict.fromkeys(fields_of(one.condition))
        elif isinstance(one, Select):
            found |= dict.fromkeys(one.fields)
    return list(found)


def _parts(one: Stage | Pipeline) -> Iterator[Stage]:
    """The stages, and what is inside of them."""
    match one:
        case Pipeline(stages):
            for part in stages:
                yield from _parts(part)
        case SpansetJunction(_, operands):
            for operand in operands:
                yield from _parts(operand)
        case Whole(operand):
            yield from _parts(operand)
        case Structure(_, _, left, right):
            yield from _parts(left)
            yield from _parts(right)
        case _:
            yield one


class _Stages:
    """Makes the tables of stages, each of the one before. `found`: what they found out about the sets."""

    def __init__(self, first: FirstTable, tables: Tables) -> None:
        self._first = first
        self._tables = tables
        self._columns = 0
        self.found: list[SpansetValue] = []

    def through(self, pipeline: Pipeline, table: str, outer: str) -> str:
        """The table that comes out; `outer` is the column of the sets in which coalesce() joins those of a trace."""
        for one in pipeline.stages:
            table = self._stage(one, table, outer)
        return table

    def _stage(self, one: Stage, table: str, outer: str) -> str:
        match one:
            case Select():
                return table
            case GroupBy():
                return self._grouped(one, table)
            case Coalesce():
                self.found.clear()
                return self._added(f"SELECT * REPLACE ({outer} AS spanset) FROM {table}")
            case ScalarFilter(_, Aggregate(), Literal()):
                return self._aggregated(one, table)
            case ScalarFilter():
                raise AssertionError("checking refuses it")
        table, mark = self._marked(one, table)
        return self._added(f"SELECT * FROM {table} WHERE {mark}")

    def _grouped(self, one: GroupBy, table: str) -> str:
        columns = self._first.values[one.expression]
        self.found.append(SpansetValue(stage(one), columns))
        partition = ", ".join(["spanset", *columns.names])
        return self._added(f"SELECT * REPLACE (min(id) OVER (PARTITION BY {partition}) AS spanset) FROM {table}")

    def _aggregated(self, one: ScalarFilter, table: str) -> str:
        assert isinstance(one.left, Aggregate)
        assert isinstance(one.right, Literal)
        operand = {} if one.left.operand is None else self._first.values[one.left.operand].by_kind
        number = aggregated(one.left, operand)
        columns = ValueColumns.named(self._column(), number)
        self.found.append(SpansetValue(scalar(one.left), columns))
        passes = compared(one.comparator, columns.value, constant(one.right))
        numbers = joined(", ", [Fragment("*"), *columns.selected(number)])
        return self._tables.add(combined(f"SELECT * FROM (SELECT {{}} FROM {table}) WHERE {{}}", numbers, passes))

    def _marked(self, one: Spansets, table: str) -> tuple[str, str]:
        """A table of the same spans, and its column that says which of them the expression finds."""
        match one:
            case Filter(condition):
                return table, self._first.marks[condition]
            case Pipeline():
                return self._in_parentheses(one, table)
            case SpansetJunction(logic, operands):
                marks = []
                for operand in operands:
                    table, mark = self._marked(operand, table)
                    marks.append(mark)
                return self._with_mark(Fragment(_together(logic, marks)), table)
            case Whole(operand, found):
                table, mark = self._marked(operand, table)
                some = f"coalesce(bool_or({mark}) OVER (PARTITION BY spanset), false)"
                return self._with_mark(Fragment(some if found else f"NOT {some}"), table)
            case Structure(relation, side, left_operand, right_operand):
                table, left = self._marked(left_operand, table)
                table, right = self._marked(right_operand, table)
                return self._with_mark(related(relation, side, (table, left, right), self._tables), table)

    def _in_parentheses(self, pipeline: Pipeline, table: str) -> tuple[str, str]:
        outer = self._column()
        found = list(self.found)
        inner = self._added(f"SELECT *, spanset AS {outer} FROM {table}")
        result = self.through(pipeline, inner, outer)
        self.found = found  # what is found out in parentheses stays there
        return self._with_mark(Fragment(f"id IN (SELECT id FROM {result})"), table)

    def _with_mark(self, condition: Fragment, table: str) -> tuple[str, str]:
        mark = self._column()
        return self._added(f"SELECT *, ({condition.sql}) AS {mark} FROM {table}"), mark

    def _added(self, select: str) -> str:
        return self._tables.add(Fragment(select))

    def _column(self) -> str:
        self._columns += 1
        return f"column_{self._columns}"


def _together(logic: Logic, marks: list[str]) -> str:
    """The spans of all operands; for && only where each has some."""
    some = " OR ".join(marks)
    if logic is Logic.OR:
        return some
    each = " AND ".join(f"bool_or({mark}) OVER (PARTITION BY spanset)" for mark in marks)
    return f"({some}) AND {each}"
