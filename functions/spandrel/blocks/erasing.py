"""Which rows of a block a deletion is about, by columns: all spans of some traces, all spans with some attribute."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .naming import ATTRIBUTE_SCOPES, ATTRIBUTE_TYPES, SERVICE_NAME, AttributeScope, attribute_column
from .schema import KEY_VALUE

Values = Mapping[Any, Sequence[Any]]
"""The typed values that an attribute's text stands for, by the name of their type (`spandrel.query.text_values`)."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Traces by their ids, and attributes by key and values, wherever a span has them:
    `spandrel.query.sql.written` finds the same spans by SQL.
    """

    trace_ids: Sequence[bytes] = ()
    attributes: Sequence[tuple[str, Values]] = ()

    def rows(self, table: pa.Table) -> pa.Array:
        """True for each row of the block's table that goes."""
        goes = pa.array([False] * len(table), pa.bool_()) if not self.trace_ids else self._of_traces(table)
        for key, values in self.attributes:
            for found in _with_attribute(table, key, values):
                goes = pc.or_(goes, found)
        return goes

    def columns(self, names: Sequence[str]) -> list[str]:
        """Those of a block's columns that it takes to tell."""
        wanted = {"trace_id"}
        if self.attributes:
            wanted |= {"events", "links", *(f"{scope}_rest" for scope in ATTRIBUTE_SCOPES)}
        wanted |= {
            name
            for key, values in self.attributes
            for scope in ATTRIBUTE_SCOPES
            for name, _ in _columns(scope, key, values)
        }
        return [name for name in names if name in wanted]

    def may_be_in(self, first: bytes, last: bytes) -> bool:
        """Whether rows of traces from `first` to `last` can be among them."""
        return bool(self.attributes) or any(first <= trace_id <= last for trace_id in self.trace_ids)

    def _of_traces(self, table: pa.Table) -> pa.Array:
        ids = table["trace_id"].combine_chunks()
        return pc.is_in(ids, pa.array(self.trace_ids, ids.type))


def _with_attribute(table: pa.Table, key: str, values: Values) -> Iterator[pa.Array]:
    for scope in ATTRIBUTE_SCOPES:
        yield from (
            _equal(table[name], some) for name, some in _columns(scope, key, values) if name in table.schema.names
        )
        rest = f"{scope}_rest"
        if rest in table.column_names:
            yield _in_pairs(_whole(table[rest]), key, values)
    for nested in ("events", "links"):
        if nested in table.column_names:
            lists = _whole(table[nested])
            pairs = pc.struct_field(pc.list_flatten(lists), "attributes")
            yield _any_in(lists, _in_pairs(pairs, key, values))


def _columns(scope: AttributeScope, key: str, values: Values) -> Iterator[tuple[str, Sequence[Any]]]:
    if scope == "resource" and key == SERVICE_NAME:
        yield "service", values["string"]
    for value_type in ATTRIBUTE_TYPES:
        if value_type in values:
            yield attribute_column(scope, key, value_type), values[value_type]


def _in_pairs(lists: pa.Array, key: str, values: Values) -> pa.Array:
    """True for each list of key-value pairs that has the key with one of the values."""
    pairs = pc.list_flatten(lists)
    of_key = pc.equal(pc.struct_field(pairs, "key"), key)
    found = pa.array([False] * len(pairs), pa.bool_())
    for field in KEY_VALUE:
        if field.name in values:
            found = pc.or_(found, _equal(pc.struct_field(pairs, field.name), values[field.name]))
    return _any_in(lists, pc.and_(of_key, found).fill_null(False))


def _any_in(lists: pa.Array, elements: pa.Array) -> pa.Array:
    """True for each list of which an element is true."""
    rows = pc.list_parent_indices(lists).filter(elements).cast(pa.int64())
    return pc.is_in(pa.array(range(len(lists)), pa.int64()), rows)


def _equal(column: pa.Array | pa.ChunkedArray, values: Sequence[Any]) -> pa.Array:
    """True where the column has one of the values; NaN equals itself, as in SQL."""
    whole = _whole(column)
    found = pa.array([False] * len(whole), pa.bool_())
    for value in values:
        found = pc.or_(found, _equals(whole, value).fill_null(False))
    return found


def _equals(column: pa.Array, value: Any) -> pa.Array:
    if isinstance(value, list):
        return _equal_lists(column, value)
    if isinstance(value, float) and math.isnan(value):
        return pc.is_nan(column)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return pc.equal(column, pa.scalar(value, kind))


def _equal_lists(column: pa.Array, value: Sequence[Any]) -> pa.Array:
    """Arrow cannot compare lists; few are as long as the one that is looked for, and those are compared one by one."""
    as_long = pc.equal(pc.list_value_length(column), len(value)).fill_null(False)
    rows = pc.indices_nonzero(as_long).cast(pa.int64())
    same = pa.array([_same(one, value) for one in column.take(rows).to_pylist()], pa.bool_())
    return pc.is_in(pa.array(range(len(column)), pa.int64()), rows.filter(same))


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
