"""Fields that take many words, as columns of a table before: an expression may name a field hundreds of times."""

from __future__ import annotations

from spandrel.query.condition import Condition
from spandrel.traceql.expressions import Field

from .fragment import Fragment, combined, joined
from .values import Value, ValueColumns


class Prepared:
    """Collects the fields that expressions name, and makes the columns that these are then read from."""

    def __init__(self) -> None:
        self._made: dict[Field, tuple[ValueColumns, str, Value]] = {}

    def columns(self, field: Field, value: Value) -> Value:
        """The value of a span's field, read from its columns."""
        name = f"field_{len(self._made)}"
        columns, there, _ = self._made.setdefault(field, (ValueColumns.named(name, value), f"{name}_there", value))
        return Value(columns.value.alternatives, (Condition(there),))

    @property
    def names(self) -> list[str]:
        """All columns so far."""
        return [name for columns, there, _ in self._made.values() for name in (*columns.names, there)]

    def added_to(self, spans: Fragment) -> Fragment:
        """A SELECT of the spans (what stands behind FROM) with these columns."""
        selected = [Fragment("*")]
        for columns, there, value in self._made.values():
            selected += [*columns.selected(value), combined(f"({{}}) AS {there}", value.present)]
        return combined("SELECT {} FROM {}", joined(", ", selected), spans)
