"""Which columns of a row say something of a span's resource, of its scope, or of the span itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spandrel.blocks.naming import SERVICE_NAME, AttributeScope, AttributeType, attribute_of_column

Values = dict[str, Any]
"""Some columns of a row, without its nulls."""


class Part:
    """One of the three. `attributes`: columns of attributes -> their keys and types; the others are in `rest`."""

    def __init__(self, scope: AttributeScope, columns: Sequence[str]) -> None:
        self.rest = f"{scope}_rest"
        self._columns = [(index, name) for index, name in enumerate(columns) if _scope_of(name) == scope]
        self.attributes: Mapping[str, tuple[str, AttributeType]] = {
            name: _attribute_of(name) for _, name in self._columns if _is_attribute(name)
        }

    def key(self, row: Sequence[Any]) -> str:
        """Equal where all these columns are equal."""
        return repr([row[index] for index, _ in self._columns])

    def values(self, row: Sequence[Any]) -> Values:
        return {name: row[index] for index, name in self._columns if row[index] is not None}


def _scope_of(column: str) -> AttributeScope:
    found = attribute_of_column(column)
    if found:
        return found[0]
    if column == "service" or column.startswith("resource_"):
        return "resource"
    return "scope" if column.startswith("scope_") else "span"


def _is_attribute(column: str) -> bool:
    return column == "service" or attribute_of_column(column) is not None


def _attribute_of(column: str) -> tuple[str, AttributeType]:
    found = attribute_of_column(column)
    return (found[1], found[2]) if found else (SERVICE_NAME, "string")
