"""By what metrics are grouped: fields as columns of SQL, and rows of them as labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spandrel.traceql.expressions import Field, Literal
from spandrel.traceql.intrinsics import ValueType
from spandrel.traceql.printing import label

from .metrics_series import Labels, LabelValue
from .sql.expressions import value_of_span
from .sql.fragment import Fragment
from .sql.places import Place
from .sql.values import Kind, kinds


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one kind that a field has; null where the span has another or none."""

    field: str
    kind: Kind
    sql: Fragment


def columns_of(by: Sequence[Field], place: Place) -> list[Column]:
    """The columns of the fields; none for a field that no span has."""
    return [column for field in by for column in _columns(field, place)]


def labels_of(by: Sequence[Field], columns: Sequence[Column], row: Sequence[Any]) -> Labels:
    """Without the fields that have no value; where none has one, the first stands there without."""
    found: dict[str, LabelValue] = {}
    for column, value in zip(columns, row, strict=True):
        if value is not None:
            found[column.field] = _label_value(column.kind, value)
    names = [label(field) for field in by]
    return tuple((name, found[name]) for name in names if name in found) or tuple((name, None) for name in names[:1])


def values_of(columns: Sequence[Column], row: Sequence[Any]) -> list[Literal | tuple[Literal, ...]]:
    """The values that are there, in the order of the columns."""
    pairs = zip(columns, row, strict=True)
    return [_label_value(column.kind, value) for column, value in pairs if value is not None]


def literal_of(value_type: ValueType, value: Any) -> Literal:
    """A value as DuckDB gives it; there is one NaN, so that it is equal to itself where it stands in labels."""
    if value_type is ValueType.FLOAT and math.isnan(value):
        return Literal(value_type, math.nan)
    return Literal(value_type, value)


def _columns(field: Field, place: Place) -> list[Column]:
    value = value_of_span(field, place)
    found = [(kind, value.of(kind[0], is_list=kind[1])) for kind in kinds(value)]
    return [Column(label(field), kind, sql) for kind, sql in found if sql is not None]


def _label_value(kind: Kind, value: Any) -> Literal | tuple[Literal, ...]:
    value_type, is_list = kind
    if is_list:
        return tuple(literal_of(value_type, element) for element in value)
    return literal_of(value_type, value)
