"""A block -> the parts of its tally: counted once, by SQL over its columns, when it is written.

The counts are of the block's spans alone. `spandrel.query.tallies` puts them together with those of other blocks.
"""

from __future__ import annotations

import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spandrel.model.catalogue import Block
from spandrel.model.limits import MIB
from spandrel.model.tally import PARTS, TRACE_TAIL_BYTES, PartName, TallyPart
from spandrel.model.traffic import MINUTE_NS

from .block_cache import Fetched
from .buckets import BUCKET, FAILED
from .calls import calls_of
from .database import Database
from .ends import columns_of_ends
from .reader import OpenBlocks
from .writer import WrittenBlock, write_block

TALLIED_SPANS = 10_000  # a block of fewer is read itself: it is no larger than the objects of a tally would be worth
LOOSE_SHARE = 0.1  # of a block's spans; a block that covers a short time has nothing but loose ones, and keeps none
LOOSE_NS = 30 * 10**9  # nearer than this to the block's first or last arrival, a trace probably goes on elsewhere

_PART_SPANS = 500_000  # joined at once
_MEMORY_BYTES, _SPILL_BYTES = 512 * MIB, 256 * MIB
_SECONDS_MAX = 120  # of Lambda's 900; an ordinary block takes a few

_TAIL = pa.binary(TRACE_TAIL_BYTES)

_CALLS = f"""
    SELECT (start_ns // {MINUTE_NS})::UINTEGER AS minute, parent, child, via, count(*)::UINTEGER AS calls,
        (count(*) FILTER (failed))::UINTEGER AS errors
    FROM calls GROUP BY ALL
"""
_TRAFFIC = f"""
    SELECT (start_time_unix_nano // {MINUTE_NS})::UINTEGER AS minute, coalesce(service, '') AS service,
        name AS operation, coalesce(kind, 0)::INTEGER AS kind, {BUCKET} AS bucket, count(*)::UINTEGER AS calls,
        (count(*) FILTER ({FAILED}))::UINTEGER AS errors
    FROM spans GROUP BY ALL ORDER BY service, operation, kind, minute, bucket
"""
_AT_THE_EDGE = """
    SELECT DISTINCT trace_id FROM spans
    WHERE start_time_unix_nano < ?::UBIGINT
        OR start_time_unix_nano::HUGEINT + greatest(duration_nano, 0) > ?::UBIGINT
"""
_ORPHANED = """
    SELECT DISTINCT child.trace_id FROM spans AS child
    ANTI JOIN spans AS parent ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id
    WHERE child.parent_span_id IS NOT NULL
"""
_SPANS_OF = "SELECT count(*) FROM spans WHERE trace_id IN (SELECT unnest(?::BLOB[]))"
_TAILS = f"""
    SELECT DISTINCT trace_id[-{TRACE_TAIL_BYTES}:] AS trace_id FROM spans
    WHERE trace_id NOT IN (SELECT unnest(?::BLOB[])) ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Tallied:
    """A block's entry with its tally, and the bodies of the parts in the order in which they are to be written."""

    entry: Block
    bodies: Sequence[tuple[PartName, bytes]]


def tallied(block: WrittenBlock) -> Tallied:
    """Counts a block's spans. A small block is given back without a tally. QueryTooBroad when it takes too much memory
    or time.
    """
    if block.entry.spans < TALLIED_SPANS:
        return Tallied(block.entry, ())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "block.parquet"
        path.write_bytes(block.body)
        database = Database(folder, folder / "spill", memory_bytes=_MEMORY_BYTES, spill_bytes=_SPILL_BYTES, threads=1)
        try:
            fetched = Fetched({block.entry.block_id: path}, ())
            opened = OpenBlocks(database, [block.entry], lambda _: fetched, time.monotonic() + _SECONDS_MAX)
            bodies = dict(_bodies(block, opened))
        finally:
            database.close()
    ordered = [(part, bodies[part]) for part in PARTS if part in bodies]
    parts = tuple(TallyPart(part, len(body), zlib.crc32(body)) for part, body in ordered)
    return Tallied(replace(block.entry, tally=parts), ordered)


def _bodies(block: WrittenBlock, opened: OpenBlocks) -> Iterator[tuple[PartName, bytes]]:
    columns = columns_of_ends(opened.columns)
    loose = _loose_traces(block.entry, opened)
    if loose:
        yield "loose", _loose_spans(block, columns, loose)
    tails = opened.table(_TAILS, [loose], columns=["trace_id"])
    yield "traces", _parquet(tails.cast(pa.schema({"trace_id": _TAIL})))
    yield "traffic", _parquet(opened.table(_TRAFFIC, columns=columns))
    yield "calls", _parquet(_calls(block.entry, opened, columns))


def _calls(entry: Block, opened: OpenBlocks, columns: Sequence[str]) -> pa.Table:
    """Traces are never cut, so what their calls are can be found part by part; a minute then has several rows."""
    parts = 1 + entry.spans // _PART_SPANS
    statement = calls_of(columns, "hash(trace_id) % ? = ?") + _CALLS
    tables = [opened.table(statement, (parts, part), columns=columns) for part in range(parts)]
    order = [(name, "ascending") for name in ("parent", "child", "via", "minute")]
    return pa.concat_tables(tables).sort_by(order)


def _loose_traces(entry: Block, opened: OpenBlocks) -> list[bytes]:
    """The traces that probably have spans in other blocks: those of its first and last moments, and those of which a
    parent is missing; where they are too many, only the former, or none.
    """
    orphaned = _ids(opened.select(_ORPHANED, columns=["trace_id", "span_id", "parent_span_id"]))
    edges_ns = (entry.first_received_ns + LOOSE_NS, entry.received_ns - LOOSE_NS)
    by_time = ["trace_id", "start_time_unix_nano", "duration_nano"]
    at_the_edge = set() if entry.far else _ids(opened.select(_AT_THE_EDGE, edges_ns, columns=by_time))
    for chosen in (sorted(orphaned | at_the_edge), sorted(at_the_edge)):
        ((spans,),) = opened.select(_SPANS_OF, [chosen], columns=["trace_id"])
        if spans <= LOOSE_SHARE * entry.spans:
            return chosen
    return []


def _ids(rows: Sequence[tuple[Any, ...]]) -> set[bytes]:
    return {trace_id for (trace_id,) in rows}


def _loose_spans(block: WrittenBlock, columns: Sequence[str], traces: Sequence[bytes]) -> bytes:
    """A block of these traces' spans, with the columns that calls and traffic are counted from."""
    file = pq.ParquetFile(pa.BufferReader(block.body))
    present = [name for name in file.schema_arrow.names if name in columns]
    tables = []
    for index in range(file.num_row_groups):
        table = file.read_row_group(index, columns=present)
        tables.append(table.filter(pc.is_in(table["trace_id"], pa.array(traces, table["trace_id"].type))))
    drafted = replace(block.entry, block_id=f"{block.entry.block_id}.loose", spans=0, size_bytes=0, crc32=0)
    return write_block(pa.concat_tables(tables), drafted).body


def _parquet(table: pa.Table) -> bytes:
    """Sorted rows as small as they get."""
    texts = [field.name for field in table.schema if field.type == pa.string()]
    encodings = {field.name: "DELTA_BINARY_PACKED" for field in table.schema if pa.types.is_integer(field.type)}
    encodings |= {field.name: "DELTA_BYTE_ARRAY" for field in table.schema if field.type == _TAIL}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=texts,
        column_encoding=encodings,
        store_schema=False,
        write_page_checksum=True,
    )
    return bytes(sink.getvalue().to_pybytes())
