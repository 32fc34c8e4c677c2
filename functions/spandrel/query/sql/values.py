"""What an expression is worth for a span, in SQL.

A span decides of which type the value of an attribute is, SQL wants one type for each expression. So a value is several
alternatives, one for each type that some span may have; for one span at most one of them is not null. Comparisons stay
comparisons of one column with one parameter that way, for which Parquet's statistics and dictionaries are used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from spandrel.query.condition import ALWAYS, Condition, every, some
from spandrel.traceql.expressions import Literal
from spandrel.traceql.intrinsics import ValueType

from .fragment import Fragment, combined, first_of, parameter

SQL_TYPES = {
    ValueType.TEXT: "VARCHAR",
    ValueType.INTEGER: "BIGINT",
    ValueType.FLOAT: "DOUBLE",
    ValueType.BOOLEAN: "BOOLEAN",
    ValueType.DURATION: "BIGINT",
    ValueType.STATUS: "INTEGER",
    ValueType.KIND: "INTEGER",
}
"""DuckDB's types of values of the query. Durations are nanoseconds; those of traces may have more than 64 bits."""


@dataclass(frozen=True, slots=True)
class IdColumn:
    """The column of bytes behind the text of an id; `of_trace`: leading zeros are left out of the text."""

    column: Fragment
    of_trace: bool


@dataclass(frozen=True, slots=True)
class Alternative:
    """`sql` is of the type, or a list of it that is never empty; null where the value is of another type or missing.

    `guard` has to be true as well (of `.x`: the span has no x, so that its resource's counts). `default` is what null
    means of a column that leaves out OTLP's default; such a column is never missing. `literal`: it is from the query.
    """

    type: ValueType
    sql: Fragment
    is_list: bool = False
    guard: Condition | None = None
    default: int | str | None = None
    id_column: IdColumn | None = None
    literal: Literal | None = None

    @property
    def filled(self) -> Fragment:
        """The value, null where it does not count."""
        filled = self.sql if self.default is None else combined("coalesce({}, {})", self.sql, parameter(self.default))
        return filled if self.guard is None else combined("CASE WHEN {} THEN {} END", self.guard, filled)

    @property
    def unguarded(self) -> Fragment:
        """The value, whatever the guard says."""
        return replace(self, guard=None).filled


@dataclass(frozen=True, slots=True)
class Value:
    """The alternatives. `there` are the conditions of which one is true where there is any value, comparable or not;
    None: where one of the alternatives is not null.
    """

    alternatives: tuple[Alternative, ...] = ()
    there: tuple[Condition, ...] | None = None

    @property
    def present(self) -> Condition:
        """There is a value."""
        if self.there is not None:
            return some(self.there)
        if any(one.guard is None and (one.default is not None or one.literal) for one in self.alternatives):
            return ALWAYS
        return some(every([*guards(one), combined("{} IS NOT NULL", one.unguarded)]) for one in self.alternatives)

    @property
    def true(self) -> Condition:
        """It is the boolean `true`."""
        found = (one for one in self.alternatives if one.type is ValueType.BOOLEAN and not one.is_list)
        return some(every([*guards(one), one.sql]) for one in found)

    def of(self, value_type: ValueType, *, is_list: bool = False) -> Fragment | None:
        """The value where it is of that type, else null; None where it never is."""
        found = (one for one in self.alternatives if one.type is value_type and one.is_list is is_list)
        return first_of(one.filled for one in found)

    def guarded(self, guard: Condition) -> Value:
        """The value where the guard is true."""
        alternatives = tuple(replace(one, guard=every([guard, *guards(one)])) for one in self.alternatives)
        return Value(alternatives, (every([guard, self.present]),))


NOTHING = Value()

Kind = tuple[ValueType, bool]
"""A type, and whether the value is a list of it."""


def kinds(value: Value) -> list[Kind]:
    """The types that the value may have, each once, in the order of ValueType."""
    found = {(one.type, one.is_list) for one in value.alternatives}
    return [(one, is_list) for one in ValueType for is_list in (False, True) if (one, is_list) in found]


def whole_value(values: Iterable[Value]) -> Value:
    """One value of several of which at most one is there."""
    found = list(values)
    return Value(tuple(one for value in found for one in value.alternatives), tuple(value.present for value in found))


def boolean(condition: Condition) -> Value:
    """true or false."""
    return Value((Alternative(ValueType.BOOLEAN, combined("(({}) IS TRUE)", condition)),))


def constant(literal: Literal) -> Value:
    """A value from the query."""
    cast = SQL_TYPES[literal.type]
    return Value((Alternative(literal.type, Fragment(f"?::{cast}", (literal.value,)), literal=literal),))


def guards(one: Alternative) -> list[Condition]:
    """The guard, if it has one."""
    return [] if one.guard is None else [one.guard]


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
