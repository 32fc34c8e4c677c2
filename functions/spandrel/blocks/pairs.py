"""Key-value pairs of many spans, flat in Arrow: what lists of attributes are before they are columns and after."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from . import otlp_messages
from .naming import ATTRIBUTE_TYPES, AttributeType
from .schema import KEY_VALUE

NO_COLUMN = len(ATTRIBUTE_TYPES)  # the type code of what no column can hold
_SCALARS: tuple[AttributeType, ...] = ("string", "int", "double", "bool", "bytes")
# AnyValue's fields, by KEY_VALUE's
_MESSAGE_FIELDS = {
    "string": "string_value",
    "int": "int_value",
    "double": "double_value",
    "bool": "bool_value",
    "bytes": "bytes_value",
    "array": "array_value",
    "kvlist": "kvlist_value",
}


@dataclass(frozen=True, slots=True)
class Pairs:
    """`structs` are KEY_VALUEs, `row` the row of each, `type_code` its type as an index of ATTRIBUTE_TYPES.

    `elements` are the values that are lists; pair i has the one at `element_index[i]`. None where no value is a list.
    """

    row: pa.Array
    structs: pa.StructArray
    type_code: pa.Array
    elements: pa.ListArray | None
    element_index: pa.Array | None

    def __len__(self) -> int:
        return len(self.structs)

    @property
    def key(self) -> pa.Array:
        return self.structs.field("key")

    def values(self, of: pa.Array, attribute_type: AttributeType) -> pa.Array:
        """The values of the pairs at the places `of`, which are all of that type; null where a place is null."""
        if not attribute_type.endswith("[]"):
            return self.structs.field(attribute_type).take(of)
        assert self.elements is not None and self.element_index is not None
        scalars = _message_field(pc.list_flatten(self.elements), attribute_type.removesuffix("[]"))
        return list_of(scalars, pc.list_value_length(self.elements)).take(self.element_index.take(of))


def pairs_of(structs: pa.StructArray, row: pa.Array) -> Pairs:
    """KEY_VALUEs and their rows -> Pairs; where a row is null, the pair is left out."""
    if row.null_count:
        kept = row.is_valid()
        row, structs = row.filter(kept), structs.filter(kept)
    serialized = structs.field("array")
    if serialized.null_count == len(serialized):
        return Pairs(row, structs, _scalar_code(structs), None, None)
    elements = otlp_messages.arrays_to_arrow(serialized.drop_null())
    present = serialized.is_valid()
    counted = pc.subtract(pc.cumulative_sum(present.cast(pa.int64())), 1)
    index = pc.if_else(present, counted, pa.scalar(None, pa.int64()))
    code = pc.coalesce(_list_code(elements).take(index), _scalar_code(structs))
    return Pairs(row, structs, code, elements, index)


def key_value_structs(messages: pa.StructArray) -> pa.StructArray:
    """KeyValue messages, as ptars gives them -> KEY_VALUEs."""
    value = pc.struct_field(messages, "value")
    fields = [messages.field("key"), *(_message_field(value, name) for name in _MESSAGE_FIELDS)]
    return pa.StructArray.from_arrays(fields, fields=list(KEY_VALUE))


def key_value_lists(lists: pa.ListArray) -> pa.ListArray:
    """Lists of KeyValue messages -> the same lists of KEY_VALUEs."""
    return list_of(key_value_structs(pc.list_flatten(lists)), pc.list_value_length(lists))


def structs_of(key: str, values: pa.Array, attribute_type: AttributeType) -> pa.StructArray:
    """Values of one key and type, none null -> KEY_VALUEs."""
    field = "array" if attribute_type.endswith("[]") else attribute_type
    held = otlp_messages.arrays_from_arrow(values) if field == "array" else values
    filled = {"key": pa.repeat(pa.scalar(key), len(values)), field: held}
    columns = [filled.get(each.name, pa.nulls(len(values), each.type)) for each in KEY_VALUE]
    return pa.StructArray.from_arrays(columns, fields=list(KEY_VALUE))


def list_of(values: pa.Array, lengths: pa.Array) -> pa.ListArray:
    """Values that lie in order -> one list a length; a null length is an empty list."""
    ends = pc.cumulative_sum(lengths.cast(pa.int32()).fill_null(0))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, values)


def scattered(values: pa.Array, row: pa.Array, rows: int) -> pa.Array:
    """values[i] at row[i] of an array of `rows`, null elsewhere."""
    return pc.scatter(values, row, max_index=rows - 1)


def _message_field(value: pa.StructArray, name: str) -> pa.Array:
    return pc.struct_field(value, _MESSAGE_FIELDS[name])


def _scalar_code(structs: pa.StructArray) -> pa.Array:
    return _code([structs.field(name).is_valid() for name in _SCALARS])


def _code(valid: list[pa.Array]) -> pa.Array:
    """Which of the scalar types is there, by the first that is valid; NO_COLUMN where none is."""
    codes = [pa.scalar(ATTRIBUTE_TYPES.index(name), pa.int32()) for name in _SCALARS]
    return pc.case_when(pc.make_struct(*valid), *codes, pa.scalar(NO_COLUMN, pa.int32()))


def _list_code(elements: pa.ListArray) -> pa.Array:
    """A list type where all elements of a list have one scalar type; a list of nothing counts as one of text."""
    values = pc.list_flatten(elements)
    code = _code([_message_field(values, name).is_valid() for name in _SCALARS])
    grouped = (
        pa.table({"list": pc.list_parent_indices(elements).cast(pa.int64()), "code": code})
        .group_by("list")
        .aggregate([("code", "min"), ("code", "max")])
    )
    least, most = (grouped[f"code_{end}"].combine_chunks() for end in ("min", "max"))
    to_list_code = pa.array([*map(_list_code_of, ATTRIBUTE_TYPES), NO_COLUMN], pa.int32())
    uniform = pc.if_else(pc.equal(least, most), to_list_code.take(least), pa.scalar(NO_COLUMN, pa.int32()))
    of_text = pa.scalar(ATTRIBUTE_TYPES.index("string[]"), pa.int32())
    return scattered(uniform, grouped["list"].combine_chunks(), len(elements)).fill_null(of_text)


def _list_code_of(element_type: str) -> int:
    names: tuple[str, ...] = ATTRIBUTE_TYPES
    return names.index(f"{element_type}[]") if f"{element_type}[]" in names else NO_COLUMN
