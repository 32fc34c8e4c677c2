"""The tables of one statement, each made of earlier ones."""

from __future__ import annotations

from .fragment import Fragment, combined, joined


class Tables:
    """Collects the tables of a WITH clause."""

    def __init__(self) -> None:
        self._made: list[Fragment] = []

    def add(self, select: Fragment, *, name: str | None = None) -> str:
        """The name of a new table of these rows. It is made once, however often it is read."""
        name = name or f"table_{len(self._made)}"
        self._made.append(combined(f"{name} AS MATERIALIZED ({{}})", select))
        return name

    def then(self, select: Fragment) -> Fragment:
        """The statement behind `WITH spans AS (…)` that makes all tables and then selects."""
        return combined(", {} {}", joined(", ", self._made), select)
