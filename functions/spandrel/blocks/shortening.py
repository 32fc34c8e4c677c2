"""Attribute values over VALUE_MAX -> shorter ones that say so, without a Python step a span or a value.

Of a text its beginning is kept, then a marker with its length; a list or key-value list becomes a text that says what
was there, because to cut one it would have to be unfolded in memory first. Each counts as dropped where it was (span,
resource, scope, event, link): `dropped_attributes_count` is what OTLP's consumers know for losses of this kind.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from spandrel.model.limits import VALUE_MAX

from .pairs import list_of, scattered

KEPT = VALUE_MAX - 64  # a value with its marker is within the limit, so that it is not cut again where it is sent on
COUNT_MAX = 2**32 - 1

_TEXT, _BYTES = "string_value", "bytes_value"
_NESTED = {"array_value": "a list", "kvlist_value": "key-value pairs"}  # by what their marker calls them


def with_short_values(messages: pa.StructArray) -> pa.StructArray:
    """Messages with `attributes` and `dropped_attributes_count`, as ptars gives them -> the same within VALUE_MAX.

    The very same array where no value is over it, as nearly always.
    """
    lists = pc.struct_field(messages, "attributes")
    pairs = pc.list_flatten(lists)
    value = pc.struct_field(pairs, "value")
    too_long = {name: mask for name in (_TEXT, _BYTES, *_NESTED) if (mask := _too_long(value, name)) is not None}
    if not too_long:
        return messages
    pairs = _replaced(pairs, {"value": _replaced(value, _short_fields(value, too_long))})
    counts = pc.struct_field(messages, "dropped_attributes_count")
    changed = {
        "attributes": list_of(pairs, pc.list_value_length(lists)),
        "dropped_attributes_count": _counted(counts, lists, too_long),
    }
    return _replaced(messages, changed)


def _too_long(value: pa.StructArray, name: str) -> pa.Array | None:
    """Which values of one field are over the limit; None where none is. Texts count in characters, others in bytes."""
    column = pc.struct_field(value, name)
    mask = _over(pc.binary_length(column))
    if name == _TEXT and pc.any(mask).as_py():
        mask = _over(pc.utf8_length(column))
    return mask if pc.any(mask).as_py() else None


def _over(lengths: pa.Array) -> pa.Array:
    return pc.greater(lengths, VALUE_MAX).fill_null(False)


def _short_fields(value: pa.StructArray, too_long: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The fields of AnyValue that change."""
    text = pc.struct_field(value, _TEXT)
    changed = {}
    for name, mask in too_long.items():
        column = pc.struct_field(value, name)
        long = column.filter(mask)
        if name == _TEXT:
            text = pc.replace_with_mask(text, mask, _cut_text(long))
        elif name == _BYTES:
            changed[name] = pc.replace_with_mask(column, mask, _cut_bytes(long))
        else:
            told = _joined(f"[{_NESTED[name]} of ", pc.binary_length(long).cast(pa.string()), " bytes, left out]")
            text = pc.replace_with_mask(text, mask, told)
            changed[name] = pc.if_else(mask, pa.scalar(None, column.type), column)
    return changed | {_TEXT: text}


def _cut_text(long: pa.Array) -> pa.Array:
    lengths = pc.utf8_length(long).cast(pa.string())
    return _joined(pc.utf8_slice_codeunits(long, 0, KEPT), "…[cut from ", lengths, " characters]")


def _cut_bytes(long: pa.Array) -> pa.Array:
    marker = _joined("…[cut from ", pc.binary_length(long).cast(pa.string()), " bytes]").cast(pa.binary())
    return pc.binary_join_element_wise(pc.binary_slice(long, 0, KEPT), marker, pa.scalar(b"", pa.binary()))


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _counted(counts: pa.Array, lists: pa.ListArray, too_long: dict[str, pa.Array]) -> pa.Array:
    """The counts with each list's shortened values added."""
    parents = pc.list_parent_indices(lists)
    shortened = pa.concat_arrays([parents.filter(mask) for mask in too_long.values()]).value_counts()
    added = scattered(shortened.field("counts"), shortened.field("values"), len(lists)).fill_null(0)
    return pc.min_element_wise(pc.add(counts.cast(pa.int64()), added), COUNT_MAX).cast(counts.type)


def _replaced(structs: pa.StructArray, fields: dict[str, pa.Array]) -> pa.StructArray:
    """The structs with other values of some fields."""
    names = [field.name for field in structs.type]
    columns = [fields[name] if name in fields else pc.struct_field(structs, name) for name in names]
    return pa.StructArray.from_arrays(columns, names, mask=structs.is_null())
