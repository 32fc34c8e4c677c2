"""Segments of the trace index, made of blocks and of other segments, in columns (spandrel.blocks.trace_shards)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spandrel.model.errors import Corrupt
from spandrel.model.trace_index import HASH_BITS, ODD, ODD_TOO

from .trace_shards import HASH_BYTES, PLANES, packed, planes_of

_PLACE_BITS = 8

Entries = pa.Array
"""Of 64 bits each: a hash and, in the lowest byte, a place."""


def entries_of(body: bytes, place: int, where: str) -> pa.Array:
    """The traces of a block, each once: its hash and, in the lowest byte, the place. Corrupt when it is no block."""
    try:
        ids = pq.read_table(pa.BufferReader(body), columns=["trace_id"])["trace_id"].combine_chunks()
    except (pa.ArrowInvalid, OSError) as error:
        raise Corrupt(f"a block does not read: {error}", where) from error
    hashed = _hashes(_distinct(ids))
    return pc.bit_wise_or(pc.shift_left(hashed, _word(_PLACE_BITS)), _word(place))


def merged_entries(parts: Sequence[pa.Array]) -> pa.Array:
    """All entries of at least one part, sorted, each once."""
    together = pa.concat_arrays(parts)
    return _distinct(together.take(pc.sort_indices(together)))


def shards_of(entries: pa.Array, first: int, last: int, bits: int) -> Iterator[tuple[int, bytes, int]]:
    """Sorted entries -> the objects of the shards from `first` to `last`, of so many bits: number, bytes, entries."""
    shift = HASH_BITS - bits + _PLACE_BITS
    begin = bisect_left(range(len(entries)), first << shift, key=lambda at: entries[at].as_py())
    for shard in range(first, last + 1):
        end = bisect_left(range(len(entries)), (shard + 1) << shift, key=lambda at: entries[at].as_py())
        yield shard, _object(entries.slice(begin, end - begin)), end - begin
        begin = end


def entries_in(body: bytes, moved: int, where: str) -> pa.Array:
    """The entries of an object, their places moved by so many hours. Corrupt when it is no such object."""
    count, planes = planes_of(body, where)
    entries = pa.nulls(count, pa.uint64()).fill_null(0)
    for plane in range(PLANES):
        byte = pa.Array.from_buffers(pa.uint8(), count, [None, pa.py_buffer(planes).slice(plane * count, count)])
        entries = pc.bit_wise_or(pc.shift_left(entries, _word(8)), byte.cast(pa.uint64()))
    return pc.add(entries, _word(moved))


def _object(entries: pa.Array) -> bytes:
    shifts = range(8 * HASH_BYTES, -1, -8)
    bytes_of = [pc.bit_wise_and(pc.shift_right(entries, _word(shift)), _word(0xFF)) for shift in shifts]
    planes = [plane.cast(pa.uint8()).buffers()[1].to_pybytes()[: len(entries)] for plane in bytes_of]
    return packed(len(entries), b"".join(planes))


def _hashes(ids: pa.Array) -> pa.Array:
    """`spandrel.model.trace_index.trace_hash` of ids of 16 bytes; Arrow's arithmetic is modulo 2^64."""
    halves = pa.Array.from_buffers(pa.uint64(), 2 * len(ids), [None, ids.buffers()[1]], offset=2 * ids.offset)
    pairs = pa.FixedSizeListArray.from_arrays(halves, 2)
    mixed = pc.bit_wise_xor(pc.list_element(pairs, 1), pc.multiply(pc.list_element(pairs, 0), _word(ODD)))
    mixed = pc.multiply(pc.bit_wise_xor(mixed, pc.shift_right(mixed, _word(32))), _word(ODD_TOO))
    mixed = pc.bit_wise_xor(mixed, pc.shift_right(mixed, _word(32)))
    return pc.shift_right(mixed, _word(64 - HASH_BITS))


def _distinct(ordered: pa.Array) -> pa.Array:
    """Without what equals the one before it."""
    if len(ordered) < 2:
        return ordered
    differs = pc.not_equal(ordered.slice(1), ordered.slice(0, len(ordered) - 1))
    return ordered.filter(pa.concat_arrays([pa.array([True]), differs]))


def _word(value: int) -> pa.Scalar:
    return pa.scalar(value, pa.uint64())
