"""Which attributes have a column in the blocks that a merge makes, and how rows of its sources come to have those."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from .attributes import Attribute, column_name, columns_of
from .naming import ATTRIBUTE_SCOPES, AttributeScope, attribute_of_column, may_be_a_column
from .pairs import Pairs, pairs_of, structs_of
from .schema import ARROW_TYPES, COLUMNS, COLUMNS_MAX, KEY_VALUE
from .source import Source

Choice = dict[str, tuple[AttributeScope, Attribute]]
"""The attribute columns of the merged blocks: name -> scope, key and type."""

TEXT = pa.dictionary(pa.int32(), pa.string())  # in memory: a name said a million times is kept once


def chosen_columns(sources: Sequence[Source]) -> Choice:
    """The most frequent attributes of all sources together, within COLUMNS_MAX."""
    counts: Counter[tuple[AttributeScope, Attribute]] = Counter()
    for source in sources:
        counts.update(source.attribute_counts())
    chosen: Choice = {}
    for scope in ATTRIBUTE_SCOPES:
        of_scope = [(a, n) for (s, a), n in counts.items() if s == scope and n > 0 and may_be_a_column(a[0])]
        of_scope.sort(key=lambda counted: (-counted[1], counted[0]))
        chosen |= {column_name(scope, a): (scope, a) for a, _ in of_scope[: COLUMNS_MAX[scope]]}
    chosen.pop("service", None)  # it is among the columns that every block has
    return chosen


def schema_of(sources: Sequence[Source], choice: Choice) -> pa.Schema:
    """All format columns that any source has, rests in any case, and the chosen attributes."""
    had = {name for source in sources for name in source.schema.names}
    rests = {f"{scope}_rest" for scope in ATTRIBUTE_SCOPES if _may_have_rest(scope, had, choice)}
    fields = [(name, kind) for name, kind in COLUMNS.items() if name in had | rests]
    attributes = [(name, ARROW_TYPES[attribute[1]]) for name, (_, attribute) in sorted(choice.items())]
    return pa.schema(fields + attributes)


def _may_have_rest(scope: AttributeScope, had: set[str], choice: Choice) -> bool:
    return f"{scope}_rest" in had or any(name.startswith(f"{scope}.") and name not in choice for name in had)


def settled(table: pa.Table, schema: pa.Schema, choice: Choice) -> pa.Table:
    """A block's rows with the schema's columns: attributes without a column go to the rest, others come out of it."""
    for scope in ATTRIBUTE_SCOPES:
        table = _settled_scope(table, scope, {n: a for n, (s, a) in choice.items() if s == scope})
    return pa.table({field.name: _column(table, field) for field in schema})


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    """The column, of nulls where the table has none; text always as a dictionary, so that all parts have one type."""
    kind = TEXT if field.type == pa.string() else field.type
    if field.name not in table.column_names:
        return pa.nulls(len(table), kind)
    column = table[field.name]
    if column.type == kind:
        return column
    return column.dictionary_encode() if kind == TEXT else column.cast(kind)  # a list's field may have another name


def _settled_scope(table: pa.Table, scope: AttributeScope, chosen: dict[str, Attribute]) -> pa.Table:
    demoted = {
        name: (found[1], found[2])
        for name in table.column_names
        if (found := attribute_of_column(name)) and found[0] == scope and name not in chosen
    }
    rest = f"{scope}_rest"
    if not demoted and rest not in table.column_names:
        return table
    pairs = _loose_pairs(table, rest, demoted)
    wanted = {attribute: name for name, attribute in chosen.items()}
    columns, left = columns_of(pairs, len(table), wanted)
    table = table.drop_columns([name for name in (*demoted, rest) if name in table.column_names])
    for name, column in columns.items():
        table = _filled(table, name, column)
    return table if left is None else table.append_column(rest, left)


def _loose_pairs(table: pa.Table, rest: str, demoted: dict[str, Attribute]) -> Pairs:
    """All pairs of the rows that have no column: those in the rest, and those that lose theirs."""
    rows, structs = [pa.array([], pa.int64())], [pa.array([], KEY_VALUE)]
    if rest in table.column_names:
        lists = table[rest].combine_chunks()
        rows.append(pc.list_parent_indices(lists).cast(pa.int64()))
        structs.append(pc.list_flatten(lists))
    for name, (key, kind) in demoted.items():
        column = decoded(table[name])
        row = pc.indices_nonzero(column.is_valid()).cast(pa.int64())
        rows.append(row)
        structs.append(structs_of(key, column.take(row), kind))
    return pairs_of(pa.concat_arrays(structs), pa.concat_arrays(rows))


def _filled(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    """A column that came out of the rest, where the table has it already: a row has a value in one of them at most."""
    if name not in table.column_names:
        return table.append_column(name, column)
    both = pc.coalesce(decoded(table[name]), column)
    return table.set_column(table.column_names.index(name), name, both)


def decoded(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole
