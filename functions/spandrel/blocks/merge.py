"""Blocks of one tenant -> fewer and larger ones: sorted, each span once, the common attributes of all of them as
columns.

Memory is bounded whatever the blocks hold: they are merged range by range of span keys (`ranges`), each range read from
those row groups that can hold it, and written in row groups of bounded size. What is written is all in memory until
the block is whole, compressed; a job's bytes bound it (`spandrel.model.levels`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from spandrel.model.catalogue import Block
from spandrel.model.levels import BLOCK_BYTES
from spandrel.model.limits import MIB

from .ranges import Range, overlaps, ranges_of, within
from .settling import Choice, chosen_columns, decoded, schema_of, settled
from .source import RowGroup, Source
from .writer import ROW_GROUP_SPANS, BlockWriter, WrittenBlock

ROW_GROUP_BYTES = 64 * MIB  # of values in a row group, before they are encoded
KEPT_BYTES = 256 * MIB  # of row groups that were read and that a later range needs too

_IDENTITY = ("trace_id", "span_id", "kind", "service", "start_time_unix_nano")


def merged(
    sources: Sequence[Source], draft: Callable[[int], Block], cuts: Sequence[bytes] = ()
) -> Iterator[WrittenBlock]:
    """Sources of one tenant -> blocks in the order of trace ids; `draft(n)` begins the entry of the n-th of them.

    Each of `cuts`, in order, begins another block if there are spans on both sides of it. Nothing comes out where
    nothing is left.
    """
    sources = sorted(sources, key=lambda source: source.entry.block_id)
    choice = chosen_columns(sources)
    schema = schema_of(sources, choice)
    return blocks_of(_tables(sources, schema, choice, cuts), schema, draft, cuts)


def blocks_of(
    tables: Iterable[pa.Table], schema: pa.Schema, draft: Callable[[int], Block], cuts: Sequence[bytes] = ()
) -> Iterator[WrittenBlock]:
    """Tables of spans that follow one another in the order of trace ids -> blocks of BLOCK_BYTES and a little more.

    A block ends between two tables, never within a trace.
    """
    writer: BlockWriter | None = None
    written = 0
    for table in tables:
        if writer is not None and _ends(writer, table["trace_id"][0].as_py(), cuts):
            yield writer.finished()
            writer, written = None, written + 1
        if writer is None:
            writer = BlockWriter(schema, draft(written), thorough=True)
        for rows in _row_groups(table):
            writer.add(rows.cast(schema))  # plain text again: a written dictionary would be that of the whole table
    if writer is not None:
        yield writer.finished()


def _ends(writer: BlockWriter, next_id: bytes, cuts: Sequence[bytes]) -> bool:
    """Whether the block is whole before the span of trace `next_id`."""
    last_id = writer.last_trace_id
    full = writer.size_bytes >= BLOCK_BYTES
    return last_id != next_id and (full or bisect_right(cuts, last_id) != bisect_right(cuts, next_id))


def _row_groups(table: pa.Table) -> Iterator[pa.Table]:
    """The table in parts of at most ROW_GROUP_SPANS and, unless a span alone has more, ROW_GROUP_BYTES."""
    for at in range(0, len(table), ROW_GROUP_SPANS):
        yield from _halved(table.slice(at, ROW_GROUP_SPANS))


def _halved(table: pa.Table) -> Iterator[pa.Table]:
    if len(table) == 1 or sum(map(_value_bytes, table.columns)) <= ROW_GROUP_BYTES:
        yield table
        return
    half = len(table) // 2
    yield from _halved(table.slice(0, half))
    yield from _halved(table.slice(half))


def _value_bytes(column: pa.ChunkedArray) -> int:
    """What the column takes with each text said in full."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(each).as_py() or 0 for each in lengths)


class _Decoded:
    """Reads row groups, and keeps those that a later range needs too as long as there is room."""

    def __init__(self) -> None:
        self._kept: dict[RowGroup, pa.Table] = {}
        self._kept_bytes = 0

    def part(self, group: RowGroup, part: Range) -> pa.Table:
        """The group's spans in the range. Ranges are asked for in order."""
        table = self._kept.pop(group, None)
        if table is None:
            table = group.read()
        else:
            self._kept_bytes -= table.nbytes
        high = part[1]
        if high is not None and overlaps(group, (high, None)) and self._kept_bytes + table.nbytes <= KEPT_BYTES:
            self._kept[group] = table
            self._kept_bytes += table.nbytes
        return within(table, part)


def _tables(sources: Sequence[Source], schema: pa.Schema, choice: Choice, cuts: Sequence[bytes]) -> Iterator[pa.Table]:
    """The sources' spans, sorted and each once, in tables that follow one another in the order of trace ids."""
    groups = [group for source in sources for group in source.row_groups()]
    decoded_groups = _Decoded()
    for part in ranges_of(groups, cuts):
        found = (decoded_groups.part(group, part) for group in groups if overlaps(group, part))
        tables = [settled(table, schema, choice) for table in found if len(table)]
        if tables:
            yield _once(pa.concat_tables(tables).unify_dictionaries())


def _once(table: pa.Table) -> pa.Table:
    """Each span once, of several copies the one that ended last; sorted by trace id and start."""
    keys = pa.table({name: decoded(table[name]) for name in (*_IDENTITY, "duration_nano")})
    identity = [(name, "ascending") for name in _IDENTITY]
    order = pc.sort_indices(keys, sort_keys=[*identity, ("duration_nano", "descending")]).cast(pa.int64())
    kept = order.filter(_first_of_each(keys.select(list(_IDENTITY)).take(order)))
    by_start = keys.select(["trace_id", "start_time_unix_nano"]).take(kept)
    final = pc.sort_indices(by_start, sort_keys=[(name, "ascending") for name in by_start.column_names])
    return table.take(kept.take(final.cast(pa.int64())))


def _first_of_each(ordered: pa.Table) -> pa.Array:
    """Where a row differs from the one before it in any column."""
    differs = pa.array([False] * (len(ordered) - 1), pa.bool_())
    for column in ordered.columns:
        values = column.combine_chunks()
        now, before = values.slice(1), values.slice(0, len(values) - 1)
        same = pc.or_(pc.equal(now, before).fill_null(False), pc.and_(now.is_null(), before.is_null()))
        differs = pc.or_(differs, pc.invert(same))
    return pa.concat_arrays([pa.array([True]), differs])


def draft_of(sources: Sequence[Block], level: int, name: str, number: int, deletions: int = 0) -> Block:
    """The entry with which an output begins: where and when its sources were, what it is called, and the number of the
    last deletion that was carried out on it.
    """
    newest = max(sources, key=lambda block: block.received_ns)
    block_id = f"{name}-{number}"
    folder = newest.key.rpartition("/")[0]
    return replace(
        newest,
        block_id=block_id,
        key=f"{folder}/{block_id}.parquet",
        level=level,
        spans=0,
        size_bytes=0,
        crc32=0,
        first_received_ns=min(block.first_received_ns for block in sources),
        deletions=deletions,
    )
