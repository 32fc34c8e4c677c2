"""Attributes as OTLP sends them (a list of key-value pairs a span) -> columns, without a Python step a span or a pair.

Each pair gets a code (key and type); the most frequent codes become columns by one scatter each; what is left goes to
the rest, in the order in which it came.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from .naming import ATTRIBUTE_TYPES, SERVICE_NAME, AttributeScope, AttributeType, attribute_column, may_be_a_column
from .pairs import NO_COLUMN, Pairs, key_value_structs, list_of, pairs_of, scattered
from .schema import COLUMNS_MAX

_CODES = 16  # room for type codes below each key code

Attribute = tuple[str, AttributeType]
"""A key and a type: what one column holds."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where each output row (a span, a resource, a scope) finds its rows of a nested list.

    `position[i]` is the output row of input row i, null where the input row is left out; `rows` is how many come out.
    """

    position: pa.Array
    rows: int


@dataclass(frozen=True, slots=True)
class _Coded:
    """Pairs with their codes: `codes` is dictionary-encoded, `repeated` (None: never) where a row repeats the key."""

    pairs: Pairs
    keys: pa.Array
    codes: pa.DictionaryArray
    repeated: pa.Array | None


Placed = tuple[dict[str, pa.Array], pa.Array | None]
"""Columns by name, and the rest as lists of KEY_VALUE; None where nothing is left. Each pair is in exactly one."""


def attribute_columns(lists: pa.ListArray, placement: Placement, scope: AttributeScope) -> Placed:
    """Lists of KeyValue messages -> the columns that the most frequent attributes get, and the rest."""
    row = placement.position.take(pc.list_parent_indices(lists).cast(pa.int64()))
    pairs = pairs_of(key_value_structs(pc.list_flatten(lists)), row)
    if len(pairs) == 0:
        return {}, None
    coded = _coded(pairs)
    return _placed(coded, _most_frequent(coded, scope), placement.rows)


def columns_of(pairs: Pairs, rows: int, wanted: Mapping[Attribute, str]) -> Placed:
    """Pairs -> the wanted columns, by the names that they shall have, and the rest."""
    if len(pairs) == 0:
        return {}, None
    coded = _coded(pairs)
    return _placed(coded, _wanted(coded, wanted), rows)


def column_name(scope: AttributeScope, attribute: Attribute) -> str:
    """The column of an attribute; the service's name has one that every block has."""
    key, attribute_type = attribute
    if (scope, key, attribute_type) == ("resource", SERVICE_NAME, "string"):
        return "service"
    return attribute_column(scope, key, attribute_type)


def _coded(pairs: Pairs) -> _Coded:
    keys = pairs.key.dictionary_encode()
    codes = pc.add(pc.multiply(keys.indices, _CODES), pairs.type_code).dictionary_encode()
    return _Coded(pairs, keys.dictionary, codes, _repeated(pairs.row, keys.indices))


def _repeated(row: pa.Array, key_code: pa.Array) -> pa.Array | None:
    """Which pairs have a key that their row repeats; None where no row repeats any (the ordinary case)."""
    combined = pc.add(pc.multiply(row, pa.scalar(2**31, pa.int64())), key_code.cast(pa.int64()))
    if pc.count_distinct(combined).as_py() == len(combined):
        return None
    counted = combined.value_counts()
    several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    return pc.is_in(combined, value_set=several)


def _most_frequent(coded: _Coded, scope: AttributeScope) -> dict[int, str]:
    """Which codes get a column, by their index in the dictionary, with the column's name.

    Of equally frequent ones those that came first, so that the choice is deterministic.
    """
    counts = _counts(coded)
    chosen: dict[int, str] = {}
    for index in pc.sort_indices(counts, sort_keys=[("", "descending")]).to_pylist():
        if len(chosen) == COLUMNS_MAX[scope] or counts[index].as_py() == 0:
            break
        key_code, type_code = divmod(coded.codes.dictionary[index].as_py(), _CODES)
        key = coded.keys[key_code].as_py()
        if type_code != NO_COLUMN and may_be_a_column(key):
            chosen[index] = column_name(scope, (key, ATTRIBUTE_TYPES[type_code]))
    return chosen


def _counts(coded: _Coded) -> pa.Array:
    """How many pairs of each code could be in its column, in the order of the codes' dictionary."""
    indices = coded.codes.indices
    counted = (indices if coded.repeated is None else indices.filter(pc.invert(coded.repeated))).value_counts()
    at = counted.field("values").cast(pa.int64())
    return scattered(counted.field("counts"), at, len(coded.codes.dictionary)).fill_null(0)


def _wanted(coded: _Coded, wanted: Mapping[Attribute, str]) -> dict[int, str]:
    key_code = pc.index_in(pa.array([key for key, _ in wanted], pa.string()), value_set=coded.keys)
    type_code = pa.array([ATTRIBUTE_TYPES.index(kind) for _, kind in wanted], pa.int32())
    code = pc.add(pc.multiply(key_code, _CODES), type_code)
    index = pc.index_in(code, value_set=coded.codes.dictionary).to_pylist()
    return {at: name for at, name in zip(index, wanted.values(), strict=True) if at is not None}


def _placed(coded: _Coded, chosen: Mapping[int, str], rows: int) -> Placed:
    return _columns(coded, chosen, rows), _rest(coded, chosen.keys(), rows)


def _columns(coded: _Coded, chosen: Mapping[int, str], rows: int) -> dict[str, pa.Array]:
    codes, pairs = coded.codes, coded.pairs
    indices = codes.indices
    if coded.repeated is not None:  # a code of its own, that nobody chose
        indices = pc.if_else(coded.repeated, pa.scalar(len(codes.dictionary), indices.type), indices)
    order = pc.sort_indices(indices).cast(pa.int64())  # stable: within a code the pairs stay in order
    bounds = _bounds(indices.take(order))
    columns = {}
    for index, name in chosen.items():
        if index in bounds:
            of_code = order.slice(*bounds[index])
            source = scattered(of_code, pairs.row.take(of_code), rows)
            columns[name] = pairs.values(source, ATTRIBUTE_TYPES[codes.dictionary[index].as_py() % _CODES])
    return columns


def _bounds(sorted_codes: pa.Array) -> dict[int, tuple[int, int]]:
    """code -> (start, length) of its run."""
    runs = pc.run_end_encode(sorted_codes)
    ends = runs.run_ends.to_pylist()
    starts = [0, *ends[:-1]]
    return {code: (start, end - start) for code, start, end in zip(runs.values.to_pylist(), starts, ends, strict=True)}


def _rest(coded: _Coded, chosen: Collection[int], rows: int) -> pa.Array | None:
    indices = coded.codes.indices
    left = pc.invert(pc.is_in(indices, value_set=pa.array(sorted(chosen), indices.type)))
    if coded.repeated is not None:
        left = pc.or_(left, coded.repeated)
    if not pc.any(left).as_py():
        return None
    row = coded.pairs.row.filter(left)
    structs = coded.pairs.structs.filter(left).take(pc.sort_indices(row))
    counted = row.value_counts()
    return list_of(structs, scattered(counted.field("counts"), counted.field("values"), rows))
