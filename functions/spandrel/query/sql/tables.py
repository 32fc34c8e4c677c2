"""The tables of one statement, each made of earlier ones."""

from __future__ import annotations

from spandrel.traceql.errors import UnsupportedQuery

from .fragment import Fragment, combined, joined

STATEMENT_CHARACTERS_MAX = 150_000  # DuckDB takes about a second to plan that many
TABLES_MAX = 60  # and as long for so many tables, each made of the one before


def bounded(statement: Fragment) -> Fragment:
    """The statement; UnsupportedQuery when planning it alone would take seconds."""
    if len(statement.sql) > STATEMENT_CHARACTERS_MAX:
        raise UnsupportedQuery("the query is made of too many parts: ask for less of it at once")
    return statement


class Tables:
    """Collects the tables of a WITH clause."""

    def __init__(self) -> None:
        self._made: dict[str, Fragment] = {}

    def add(self, select: Fragment, *, name: str | None = None) -> str:
        """The name of a new table of these rows, or of the one that has that name already. It is made once, however
        often it is read.
        """
        name = name or f"table_{len(self._made)}"
        self._made.setdefault(name, combined(f"{name} AS MATERIALIZED ({{}})", select))
        return name

    def then(self, select: Fragment) -> Fragment:
        """The statement behind `WITH spans AS (…)` that makes all tables and then selects. UnsupportedQuery for more
        than can be planned in reasonable time.
        """
        if len(self._made) > TABLES_MAX:
            raise UnsupportedQuery(f"the query takes more than {TABLES_MAX} steps")
        return bounded(combined(", {} {}", joined(", ", self._made.values()), select))
