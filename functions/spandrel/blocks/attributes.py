"""Attributes as OTLP sends them (a list of key-value pairs a span) -> columns, without a Python step a span or an
attribute.

The pairs of all spans lie flat in Arrow. Each gets a pair code (key and type); the most frequent codes become columns
by one scatter each; what is left goes to the rest, in the order in which it came.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from . import otlp_messages
from .naming import ATTRIBUTE_TYPES as TYPES
from .naming import SERVICE_NAME, AttributeScope, AttributeType, attribute_column, may_be_a_column
from .schema import COLUMNS_MAX, KEY_VALUE

_NO_COLUMN = len(TYPES)  # the type code of what no column can hold
_CODES = 16  # room for type codes below each key code

# AnyValue's fields -> the type that its values have as a column
_SCALARS: dict[str, AttributeType] = {
    "string_value": "string",
    "int_value": "int",
    "double_value": "double",
    "bool_value": "bool",
    "bytes_value": "bytes",
}
_VALUE_FIELDS = {"string": "string_value", "int": "int_value", "double": "double_value", "bool": "bool_value"} | {
    "bytes": "bytes_value",
    "array": "array_value",
    "kvlist": "kvlist_value",
}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where each output row (a span, a resource, a scope) finds its rows of a nested list.

    `position[i]` is the output row of input row i, null where the input row is left out; `rows` is how many come out.
    """

    position: pa.Array
    rows: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The flat key-value pairs that come out: their output row, key, AnyValue and type code; arrays decoded beside
    them.
    """

    row: pa.Array
    key: pa.Array
    value: pa.StructArray
    type_code: pa.Array
    arrays: _Arrays | None


@dataclass(frozen=True, slots=True)
class _Arrays:
    """The array values among the pairs: `index[i]` is the place of pair i's value in `elements`, null for other
    pairs.
    """

    index: pa.Array
    elements: pa.ListArray
    type_code: pa.Array


def attribute_columns(
    lists: pa.ListArray, placement: Placement, scope: AttributeScope
) -> tuple[dict[str, pa.Array], pa.Array | None]:
    """Lists of KeyValue messages -> columns by name, each `placement.rows` long, and the rest (None where nothing is
    left).

    Nothing is lost: each pair is in exactly one column or in the rest.
    """
    pairs = _pairs(lists, placement)
    if len(pairs.key) == 0:
        return {}, None
    keys = pairs.key.dictionary_encode()
    codes = pc.add(pc.multiply(keys.indices, _CODES), pairs.type_code).dictionary_encode()
    repeated = _repeated(pairs.row, keys.indices)
    counts = _counts(codes, repeated)
    chosen = _chosen(codes.dictionary, counts, keys.dictionary, scope)
    columns = _columns(pairs, codes, chosen, repeated, placement.rows)
    return columns, _rest(pairs, codes, chosen, repeated, placement.rows)


def key_values(lists: pa.ListArray) -> pa.ListArray:
    """Lists of KeyValue messages -> the same lists as the block's KEY_VALUE structs."""
    pairs = pc.list_flatten(lists)
    return list_of(_key_value_structs(pairs.field("key"), pc.struct_field(pairs, "value")), pc.list_value_length(lists))


def list_of(values: pa.Array, lengths: pa.Array) -> pa.ListArray:
    """Values that lie in order -> one list a length; a null length is an empty list."""
    ends = pc.cumulative_sum(lengths.cast(pa.int32()).fill_null(0))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, values)


def _pairs(lists: pa.ListArray, placement: Placement) -> _Pairs:
    row = placement.position.take(pc.list_parent_indices(lists).cast(pa.int64()))
    pairs = pc.list_flatten(lists)
    if row.null_count:
        kept = row.is_valid()
        row, pairs = row.filter(kept), pairs.filter(kept)
    value = pc.struct_field(pairs, "value")
    arrays = _arrays(pc.struct_field(value, "array_value"))
    return _Pairs(row, pairs.field("key"), value, _type_code(value, arrays), arrays)


def _type_code(value: pa.StructArray, arrays: _Arrays | None) -> pa.Array:
    """For each AnyValue the index of its type in TYPES, or _NO_COLUMN."""
    conditions = pc.make_struct(*(pc.struct_field(value, field).is_valid() for field in _SCALARS))
    codes = [pa.scalar(TYPES.index(name), pa.int32()) for name in _SCALARS.values()]
    code = pc.case_when(conditions, *codes, pa.scalar(_NO_COLUMN, pa.int32()))
    if arrays is None:
        return code
    return pc.coalesce(arrays.type_code.take(arrays.index), code)


def _arrays(serialized: pa.Array) -> _Arrays | None:
    present = serialized.is_valid()
    if serialized.null_count == len(serialized):
        return None
    elements = otlp_messages.arrays_to_arrow(serialized.drop_null())
    index = pc.if_else(
        present, pc.subtract(pc.cumulative_sum(present.cast(pa.int64())), 1), pa.scalar(None, pa.int64())
    )
    return _Arrays(index, elements, _array_type_code(elements))


def _array_type_code(elements: pa.ListArray) -> pa.Array:
    """A list type where all elements of a list have one scalar type; a list of nothing counts as one of text."""
    element_code = _type_code(pc.list_flatten(elements), None)
    grouped = (
        pa.table({"list": pc.list_parent_indices(elements).cast(pa.int64()), "code": element_code})
        .group_by("list")
        .aggregate([("code", "min"), ("code", "max")])
    )
    to_list_code = pa.array([*map(_list_type_code, TYPES), _NO_COLUMN], pa.int32())
    least, most = (grouped[f"code_{end}"].combine_chunks() for end in ("min", "max"))
    uniform = pc.if_else(pc.equal(least, most), to_list_code.take(least), pa.scalar(_NO_COLUMN, pa.int32()))
    at = grouped["list"].combine_chunks()
    of_text = pa.scalar(TYPES.index("string[]"), pa.int32())
    return _scattered(uniform, at, len(elements)).fill_null(of_text)


def _list_type_code(element_type: str) -> int:
    names: tuple[str, ...] = TYPES
    return names.index(f"{element_type}[]") if f"{element_type}[]" in names else _NO_COLUMN


def _scattered(values: pa.Array, row: pa.Array, rows: int) -> pa.Array:
    """values[i] at row[i] of an array of `rows`, null elsewhere."""
    return pc.scatter(values, row, max_index=rows - 1)


def _repeated(row: pa.Array, key_code: pa.Array) -> pa.Array | None:
    """Which pairs have a key that their span repeats; None where no span repeats any (the ordinary case)."""
    combined = pc.add(pc.multiply(row, pa.scalar(2**31, pa.int64())), key_code.cast(pa.int64()))
    if pc.count_distinct(combined).as_py() == len(combined):
        return None
    counted = combined.value_counts()
    several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    return pc.is_in(combined, value_set=several)


def _counts(codes: pa.DictionaryArray, repeated: pa.Array | None) -> pa.Array:
    """How many pairs of each code could be in its column, in the order of the codes' dictionary."""
    indices = codes.indices if repeated is None else codes.indices.filter(pc.invert(repeated))
    counted = indices.value_counts()
    at = counted.field("values").cast(pa.int64())
    return _scattered(counted.field("counts"), at, len(codes.dictionary)).fill_null(0)


def _chosen(codes: pa.Array, counts: pa.Array, keys: pa.Array, scope: AttributeScope) -> dict[int, str]:
    """Which pair codes get a column, by their index in the dictionary, with the column's name.

    The most frequent win; of equally frequent ones those that sort first by code, so that the choice is deterministic.
    """
    order = pc.sort_indices(
        pa.table({"count": counts, "code": codes}), sort_keys=[("count", "descending"), ("code", "ascending")]
    )
    chosen: dict[int, str] = {}
    for index in order.to_pylist():
        if len(chosen) == COLUMNS_MAX[scope] or counts[index].as_py() == 0:
            break
        key_code, type_code = divmod(codes[index].as_py(), _CODES)
        key = keys[key_code].as_py()
        if type_code != _NO_COLUMN and may_be_a_column(key):
            chosen[index] = _column_name(scope, key, TYPES[type_code])
    return chosen


def _column_name(scope: AttributeScope, key: str, attribute_type: AttributeType) -> str:
    if (scope, key, attribute_type) == ("resource", SERVICE_NAME, "string"):
        return "service"
    return attribute_column(scope, key, attribute_type)


def _columns(
    pairs: _Pairs, codes: pa.DictionaryArray, chosen: dict[int, str], repeated: pa.Array | None, rows: int
) -> dict[str, pa.Array]:
    indices = codes.indices
    if repeated is not None:  # a code of its own, that nobody chose
        indices = pc.if_else(repeated, pa.scalar(len(codes.dictionary), indices.type), indices)
    order = pc.sort_indices(indices).cast(pa.int64())  # stable: within a code the pairs stay in order
    bounds = _bounds(indices.take(order))
    return {
        name: _column(pairs, order.slice(start, length), TYPES[codes.dictionary[index].as_py() % _CODES], rows)
        for index, name in chosen.items()
        for start, length in [bounds[index]]
    }


def _bounds(sorted_codes: pa.Array) -> dict[int, tuple[int, int]]:
    """code -> (start, length) of its run."""
    runs = pc.run_end_encode(sorted_codes)
    ends = runs.run_ends.to_pylist()
    starts = [0, *ends[:-1]]
    return {code: (start, end - start) for code, start, end in zip(runs.values.to_pylist(), starts, ends, strict=True)}


def _column(pairs: _Pairs, chosen: pa.Array, attribute_type: AttributeType, rows: int) -> pa.Array:
    source = _scattered(chosen, pairs.row.take(chosen), rows)
    if not attribute_type.endswith("[]"):
        return pc.struct_field(pairs.value, _VALUE_FIELDS[attribute_type]).take(source)
    assert pairs.arrays is not None
    elements = pairs.arrays.elements
    scalars = pc.struct_field(pc.list_flatten(elements), _VALUE_FIELDS[attribute_type.removesuffix("[]")])
    return list_of(scalars, pc.list_value_length(elements)).take(pairs.arrays.index.take(source))


def _rest(
    pairs: _Pairs, codes: pa.DictionaryArray, chosen: dict[int, str], repeated: pa.Array | None, rows: int
) -> pa.Array | None:
    left = pc.invert(pc.is_in(codes.indices, value_set=pa.array(sorted(chosen), codes.indices.type)))
    if repeated is not None:
        left = pc.or_(left, repeated)
    if not pc.any(left).as_py():
        return None
    row = pairs.row.filter(left)
    order = pc.sort_indices(row)
    structs = _key_value_structs(pairs.key.filter(left), pairs.value.filter(left)).take(order)
    counted = row.value_counts()
    return list_of(structs, _scattered(counted.field("counts"), counted.field("values"), rows))


def _key_value_structs(key: pa.Array, value: pa.StructArray) -> pa.StructArray:
    fields = [key, *(pc.struct_field(value, field) for field in _VALUE_FIELDS.values())]
    return pa.StructArray.from_arrays(fields, fields=list(KEY_VALUE))
