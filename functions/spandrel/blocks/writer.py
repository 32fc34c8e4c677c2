"""Requests -> blocks: which spans go into which block, and a block's bytes and catalogue entry."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spandrel.model.catalogue import FAR_AFTER_NS, FAR_BEFORE_NS, Block, Operation

from .encodings import QUICK_LEVEL, THOROUGH_LEVEL, parquet_writer, quick_encodings, thorough_encodings, trace_filter
from .naming import FORMAT_VERSION, REST_KEY
from .rest import RestCounts
from .spans import Spans

ROW_GROUP_SPANS = 20_000  # small enough that one trace costs little to read, large enough to compress
OPERATIONS_MAX = 500  # of one block in the catalogue, so that an entry stays a few KB
FOOTER_KEY = b"spandrel.block"
PARTS = 16  # in which a merged block's entry tells how its trace ids are spread
_SAMPLED_SPANS = 500  # of which one tells


@dataclass(frozen=True, slots=True)
class WrittenBlock:
    """A block's object and what the catalogue will say of it."""

    entry: Block
    body: bytes


def write_blocks(
    tenant: str, bodies: Sequence[bytes], received_ns: int, name: str, first_received_ns: int | None = None
) -> Iterator[WrittenBlock]:
    """Serialized ExportTraceServiceRequests of one tenant -> at most two blocks: ordinary spans and far ones.

    `received_ns` is when the newest of the requests arrived and `first_received_ns` the oldest, `name` what makes them
    the same requests when they come again: equal arguments give equal blocks under equal keys. Raises ValueError when a
    body cannot be decoded.
    """
    spans = Spans(list(bodies))
    far = _far(spans.start_time_unix_nano, received_ns)
    any_far = pc.any(far).as_py()
    for is_far, chosen in ((False, pc.invert(far) if any_far else None), (True, far)):
        if is_far and not any_far:
            continue
        table = spans.table(chosen)
        if len(table):
            drafted = draft(tenant, received_ns, f"{name}-far" if is_far else name, is_far=is_far)
            oldest_ns = received_ns if first_received_ns is None else first_received_ns
            yield write_block(table, replace(drafted, first_received_ns=oldest_ns))


def write_block(table: pa.Table, drafted: Block) -> WrittenBlock:
    """A sorted table of spans, at least one -> its block, with what `drafted` cannot know read off the table."""
    writer = BlockWriter(table.schema, drafted)
    writer.add(table)
    return writer.finished()


class BlockWriter:
    """Writes one block from tables that follow one another in the order of trace ids; only one need be in memory.

    `thorough` takes half as long again for a block that is a tenth smaller.
    """

    def __init__(self, schema: pa.Schema, drafted: Block, *, thorough: bool = False) -> None:
        self._schema = schema
        self._thorough = thorough
        self._entry = drafted
        self._operations: set[Operation] = set()
        self._rest = RestCounts()
        self._ids: list[bytes] = []
        self._sink = pa.BufferOutputStream()
        self._parquet: pq.ParquetWriter | None = None

    def add(self, table: pa.Table) -> None:
        """Appends a table of at least one span, whose columns are those of the schema."""
        if self._parquet is None:
            self._parquet = self._opened(table)
        self._parquet.write_table(table, row_group_size=ROW_GROUP_SPANS)
        self._entry = _extended(self._entry, table)
        self._rest.add(table)
        if self._thorough:
            every = pa.array(range(0, len(table), _SAMPLED_SPANS), pa.int64())
            self._ids += table["trace_id"].take(every).to_pylist()
        if len(self._operations) <= OPERATIONS_MAX:
            self._operations |= _operations(table)

    @property
    def last_trace_id(self) -> bytes:
        """Of the last span added."""
        return self._entry.max_trace_id

    @property
    def size_bytes(self) -> int:
        """What is written so far."""
        return self._sink.tell()

    def finished(self) -> WrittenBlock:
        """The block; nothing can be added after."""
        assert self._parquet is not None, "a block has at least one span"
        few = len(self._operations) <= OPERATIONS_MAX
        operations = tuple(sorted(self._operations)) if few else None
        entry = replace(self._entry, operations=operations, quantiles=_quantiles(self._ids))
        self._parquet.add_key_value_metadata({FOOTER_KEY: footer_of(entry), REST_KEY.encode(): self._rest.as_json()})
        self._parquet.close()
        body = self._sink.getvalue().to_pybytes()
        return WrittenBlock(replace(entry, size_bytes=len(body), crc32=zlib.crc32(body)), body)

    def _opened(self, first: pa.Table) -> pq.ParquetWriter:
        if not self._thorough:
            return parquet_writer(self._sink, self._schema, quick_encodings(first), QUICK_LEVEL)
        group = first.slice(0, ROW_GROUP_SPANS)
        encodings, filters = thorough_encodings(group), trace_filter(group)
        return parquet_writer(self._sink, self._schema, encodings, THOROUGH_LEVEL, filters)


def _quantiles(sampled: Sequence[bytes]) -> tuple[bytes, ...]:
    """At most PARTS - 1 of the sampled ids, which are in order: where each further part of them begins."""
    found = (sampled[len(sampled) * part // PARTS] for part in range(1, PARTS) if sampled)
    return tuple(dict.fromkeys(found))


def block_name(parts: Sequence[str]) -> str:
    """A name for what is made of these parts (message ids, block ids), whatever their order: 32 hex digits."""
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:32]


def footer_of(entry: Block) -> bytes:
    """The catalogue entry as it stands in the footer, without what the footer cannot know: the object's size and
    checksum.
    """
    record = entry.record()
    for unknown in ("size_bytes", "crc32"):
        del record[unknown]
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def draft(tenant: str, received_ns: int, name: str, *, is_far: bool) -> Block:
    """The entry of a level-0 block before its spans are looked at."""
    day = datetime.fromtimestamp(received_ns // 10**9, UTC).date().isoformat()
    return Block(
        tenant=tenant,
        block_id=name,
        key=f"{tenant}/blocks/{day}/{name}.parquet",
        level=0,
        format_version=FORMAT_VERSION,
        spans=0,
        size_bytes=0,
        crc32=0,
        min_start_ns=0,
        max_start_ns=0,
        min_trace_id=b"",
        max_trace_id=b"",
        received_ns=received_ns,
        far=is_far,
        operations=None,
    )


def _far(start: pa.Array, received_ns: int) -> pa.Array:
    earliest = pa.scalar(max(received_ns - FAR_BEFORE_NS, 0), pa.uint64())
    latest = pa.scalar(received_ns + FAR_AFTER_NS, pa.uint64())
    return pc.or_(pc.less(start, earliest), pc.greater(start, latest))


def _extended(entry: Block, table: pa.Table) -> Block:
    """The entry with a further table's spans counted in and its ranges widened."""
    start = pc.min_max(table["start_time_unix_nano"]).as_py()
    trace_ids = table["trace_id"]
    first = entry.spans == 0
    return replace(
        entry,
        spans=entry.spans + len(table),
        min_start_ns=start["min"] if first else min(entry.min_start_ns, start["min"]),
        max_start_ns=start["max"] if first else max(entry.max_start_ns, start["max"]),
        min_trace_id=trace_ids[0].as_py() if first else entry.min_trace_id,
        max_trace_id=trace_ids[-1].as_py(),
    )


def _operations(table: pa.Table) -> set[Operation]:
    distinct = table.select(["service", "name", "kind"]).group_by(["service", "name", "kind"]).aggregate([])
    rows = zip(*(distinct[column].to_pylist() for column in ("service", "name", "kind")), strict=True)
    return {(service or "", name, kind) for service, name, kind in rows}
