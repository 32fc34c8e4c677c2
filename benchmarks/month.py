"""A tenant's month as the catalogue and the trace index hold it: the entries, segments and objects that a lookup can
ask for are made when it asks, by the code that makes them in earnest, and what is asked is counted.

Blocks are of two sizes, because a block is read whole or in parts by its size alone. A block that may hold the trace
is a real one, and one of them does.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compact.indexer import hour_segment, window_segment
from spandrel.aws.catalogue import DUE, DynamoCatalogue, item_of
from spandrel.aws.segments import DynamoSegments, segment_item
from spandrel.blocks.block_cache import BlockCache
from spandrel.blocks.database import Database
from spandrel.blocks.parts import WHOLE_BYTES
from spandrel.blocks.reader import BlockReader
from spandrel.blocks.trace_segments import merged_entries, shards_of
from spandrel.blocks.writer import WrittenBlock, draft, write_block
from spandrel.model.catalogue import Block
from spandrel.model.errors import NotFound
from spandrel.model.levels import HOUR_NS, is_closed
from spandrel.model.lifecycle import Passing
from spandrel.model.limits import MIB
from spandrel.model.retention import DAY_NS, Retention, day_of
from spandrel.model.trace_index import HASH_BITS, Segment, indexings, rollups, trace_hash
from spandrel.query.reading import TraceStore

from .counting import item_bytes
from .hours import SPAN_BYTES, hour_of_traffic, unfinished_hour
from .stored import FIRST_HOUR_NS, stored_blocks

TENANT = "bench"
RETENTION_DAYS = 30
SPANS_A_TRACE = 7.5
PAGE_BYTES = 1024 * 1024  # of one answer of DynamoDB's Query
_PLACE_BITS = 8
_KINDS = {"traces": "S3, index", "blocks": "S3, blocks", "archive": "S3, archived traces"}
_MINUTE_NS = 60 * 10**9
_OPERATIONS = tuple(
    (f"service-{s}", name, 2) for s in range(20) for name in ("GET /cart", "POST /orders", "GET /users")
)


class Templates:
    """Blocks that stand for all others: a small and a large one without the trace, and a large one with it."""

    def __init__(self, small_spans: int, large_spans: int) -> None:
        made = [
            next(stored_blocks(spans, 1, seed=spans + at)) for at, spans in enumerate((small_spans, *[large_spans] * 2))
        ]
        self._small, self._large, held = made
        self._held = cache(lambda hour_ns: _moved(held, hour_ns))
        self.trace_id = held.entry.max_trace_id

    def of(self, size_bytes: int) -> WrittenBlock:
        """One without the trace, which is read as a block of that size is."""
        return self._small if size_bytes <= WHOLE_BYTES else self._large

    def held(self, hour_ns: int) -> WrittenBlock:
        """The one with the trace, in an hour."""
        return self._held(hour_ns)


def _moved(block: WrittenBlock, hour_ns: int) -> WrittenBlock:
    """A block of FIRST_HOUR_NS as if it were of another hour."""
    table = pq.read_table(pa.BufferReader(block.body))
    at = table.column_names.index("start_time_unix_nano")
    start = pc.add(table[at].cast(pa.int64()), hour_ns - FIRST_HOUR_NS).cast(pa.uint64())
    drafted = draft(TENANT, hour_ns + HOUR_NS - 1, "held", is_far=False)
    return write_block(table.set_column(at, table.schema.field(at), start), drafted)


class Month:
    """RETENTION_DAYS of `spans_a_day` until `now_ns`. The templates' trace is `held_ns` old, or nowhere (None)."""

    def __init__(self, spans_a_day: int, now_ns: int, templates: Templates, held_ns: int | None) -> None:
        self.now_ns = now_ns
        self.templates = templates
        self._spans_an_hour = spans_a_day // 24
        self._blocks_an_hour = _blocks_an_hour(spans_a_day)
        self._held_hour_ns = None if held_ns is None else _hour(now_ns - held_ns)
        self._draw = random.Random(1)
        self._table: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._objects: dict[str, WrittenBlock] = {}
        self.segments = self._all_segments()
        self.calls: Counter[str] = Counter()
        self.at_once = 0  # of them, together with others
        self._lock = threading.Lock()
        self.read_bytes = 0
        self.keys: set[str] = set()  # of objects that were asked for

    @contextmanager
    def store(self) -> Iterator[TraceStore]:
        """The month, to be asked by the code of `query`."""
        retention = Retention(RETENTION_DAYS)
        with TemporaryDirectory() as name:
            cache = BlockCache(Path(name, "blocks"), self, 512 * MIB)
            database = Database(
                cache.folder, Path(name, "spill"), memory_bytes=512 * MIB, spill_bytes=512 * MIB, threads=1
            )
            catalogue = DynamoCatalogue(self, "table", retention, lambda: self.now_ns)
            segments = DynamoSegments(self, "table", retention, lambda: self.now_ns)
            yield TraceStore(catalogue, segments, BlockReader(cache, database))
            database.close()

    @property
    def is_held(self) -> bool:
        """Whether the trace is anywhere."""
        return self._held_hour_ns is not None

    # What DynamoDB answers

    def query(self, **question: Any) -> dict[str, Any]:
        """One page of a Query: DynamoDB counts a page's bytes before it filters, so what is filtered is left in."""
        values = question["ExpressionAttributeValues"]
        partition = values[":pk"]["S"]
        self._count("DynamoDB")
        items = [item for sk, item in self._partition(partition) if _wanted(sk, values)]
        begin = int(question.get("ExclusiveStartKey", {"at": 0})["at"])
        end, size_bytes = begin, 0
        while end < len(items) and size_bytes < PAGE_BYTES:
            size_bytes += item_bytes(items[end])
            end += 1
        return {"Items": items[begin:end], **({"LastEvaluatedKey": {"at": end}} if end < len(items) else {})}

    # What S3 answers

    def get(self, key: str) -> bytes:
        return self.get_range(key, 0, 2**40)

    def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
        self._count(_KINDS[key.split("/")[1]])
        self.keys.add(key)
        body = self._shard(key) if "/traces/" in key else self._body(key)
        found = body[first_byte : first_byte + length_bytes]
        if "/traces/" in key:  # the index alone is as large as it would be
            self.read_bytes += len(found)
        return found

    def put(
        self, key: str, body: bytes, *, passing: Passing | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        raise LookupError(f"a lookup puts nothing: {key}, {len(body)} bytes, {passing}, {headers}")

    def link(self, key: str, seconds: int) -> str:
        raise LookupError(f"a lookup makes no link: {key}, {seconds} s")

    def _count(self, what: str) -> None:
        with self._lock:
            self.calls[what] += 1
            self.at_once += threading.current_thread() is not threading.main_thread()

    # What there is

    def _all_segments(self) -> list[Segment]:
        """Hour after hour is indexed and rolled up, as `plan` does it."""
        segments: list[Segment] = []
        for hour_ns in range(_hour(self.now_ns - RETENTION_DAYS * DAY_NS), self._first_unsettled_ns(), HOUR_NS):
            segments += self._segments_of(hour_ns)
            for rollup in rollups(segments, (), hour_ns + HOUR_NS):
                segments = [one for one in segments if one not in rollup.inputs] + [window_segment(rollup)]
        return segments

    def _segments_of(self, hour_ns: int) -> Iterator[Segment]:
        blocks = self._settled(hour_ns)
        traces = round(self._spans_an_hour / SPANS_A_TRACE / len(blocks))
        jobs = indexings(TENANT, hour_ns, blocks)
        return (hour_segment(job, job.blocks, traces * len(job.blocks)) for job in jobs)

    def _first_unsettled_ns(self) -> int:
        """The hour that goes on; and the one before it, until it is closed and merged."""
        hour_ns = _hour(self.now_ns)
        return hour_ns if is_closed(hour_ns - HOUR_NS, self.now_ns) else hour_ns - HOUR_NS

    def _unsettled(self) -> range:
        return range(self._first_unsettled_ns(), self.now_ns, HOUR_NS)

    def _partition(self, partition: str) -> list[tuple[str, dict[str, Any]]]:
        """The items of a partition in the order of their sort keys."""
        if partition not in self._table:
            items = sorted(self._items(partition), key=lambda item: str(item["sk"]["S"]))
            self._table[partition] = [(item["sk"]["S"], item) for item in items]
        return self._table[partition]

    def _items(self, partition: str) -> list[dict[str, Any]]:
        if partition == DUE:
            return [{"sk": {"S": f"{TENANT}#{hour_ns:020d}"}} for hour_ns in self._unsettled()]
        if partition == f"{TENANT}#traces":
            return [segment_item(segment) for segment in self.segments]
        if partition.startswith(f"{TENANT}#blocks#"):
            found = self._far() if partition.endswith("far") else self._of_day(partition[-10:])
            return [item_of(block) for block in found]
        return []

    def _of_day(self, day: str) -> Iterator[Block]:
        first_ns = _hour(self.now_ns - RETENTION_DAYS * DAY_NS)
        for hour_ns in range(first_ns, self.now_ns, HOUR_NS):
            if day_of(hour_ns) == day:
                yield from self._open(hour_ns) if hour_ns in self._unsettled() else self._settled(hour_ns)

    def _far(self) -> Iterator[Block]:
        """A block of bad clocks each hour."""
        for hour_ns in range(_hour(self.now_ns - RETENTION_DAYS * DAY_NS), self.now_ns, HOUR_NS):
            yield replace(self._block(hour_ns, "far", 1000), far=True)

    def _settled(self, hour_ns: int) -> list[Block]:
        """An hour's blocks when it is over: disjoint in their trace ids."""
        return [self._part(hour_ns, number, self._blocks_an_hour) for number in range(self._blocks_an_hour)]

    def _part(self, hour_ns: int, number: int, count: int) -> Block:
        """One of the `count` blocks of an hour."""
        first = (2**128 * number // count).to_bytes(16, "big")
        last = (2**128 * (number + 1) // count - 1).to_bytes(16, "big")
        holds = hour_ns == self._held_hour_ns and first <= self.templates.trace_id <= last
        block = self._block(hour_ns, f"{number}", self._spans_an_hour * SPAN_BYTES // count, holds=holds)
        return replace(block, min_trace_id=first, max_trace_id=last)

    def _open(self, hour_ns: int) -> Iterator[Block]:
        """An hour's blocks while it goes on, merged every minute as they become due."""
        minutes = min(60, (self.now_ns - hour_ns) // _MINUTE_NS)
        for number, block in enumerate(unfinished_hour(24 * self._spans_an_hour, minutes).blocks):
            holds = hour_ns == self._held_hour_ns and number == 0
            yield self._block(hour_ns, f"open{number}", block.size_bytes, holds=holds)

    def _block(self, hour_ns: int, name: str, size_bytes: int, *, holds: bool = False) -> Block:
        """An entry whose object is one of the templates."""
        template = self.templates.held(hour_ns) if holds else self.templates.of(size_bytes)
        key = f"{TENANT}/blocks/{day_of(hour_ns)}/{hour_ns}-{name}.parquet"
        self._objects[key] = template
        return replace(
            template.entry,
            tenant=TENANT,
            block_id=f"{hour_ns}-{name}",
            key=key,
            min_start_ns=hour_ns,
            max_start_ns=hour_ns + HOUR_NS - 1,
            min_trace_id=bytes(15) + b"\1",
            max_trace_id=b"\xff" * 16,
            received_ns=hour_ns + HOUR_NS - 1,
            operations=_OPERATIONS,
        )

    def _body(self, key: str) -> bytes:
        if key not in self._objects:
            raise NotFound(key)
        return self._objects[key].body

    def _shard(self, key: str) -> bytes:
        """An object of the index with as many traces as it would have."""
        _, _, _, name, shard_text = key.split("/")
        (segment,) = [one for one in self.segments if one.name == name]
        return shard_body(segment, int(shard_text, 16), self._draw, self._held_entries(segment))

    def _held_entries(self, segment: Segment) -> list[int]:
        hour_ns = self._held_hour_ns
        if hour_ns is None or not segment.covers(hour_ns) or not segment.may_hold(self.templates.trace_id):
            return []
        return [trace_hash(self.templates.trace_id) << _PLACE_BITS | (hour_ns - segment.start_ns) // HOUR_NS]


@cache
def _blocks_an_hour(spans_a_day: int) -> int:
    return len(hour_of_traffic(spans_a_day).blocks)


def shard_body(segment: Segment, shard: int, draw: random.Random, held: Sequence[int] = ()) -> bytes:
    """The object of one shard, of random traces and those of `held` that belong there."""
    low_bits = HASH_BITS - segment.shard_bits
    count = segment.traces >> segment.shard_bits
    low = pa.Array.from_buffers(pa.uint64(), count, [None, pa.py_buffer(draw.randbytes(8 * count))])
    hashes = pc.bit_wise_or(pc.shift_right(low, _word(64 - low_bits)), _word(shard << low_bits))
    places = pa.array([draw.randrange(segment.hours) for _ in range(count)], pa.uint64())
    entries = merged_entries(
        [pc.bit_wise_or(pc.shift_left(hashes, _word(_PLACE_BITS)), places), pa.array(held, pa.uint64())]
    )
    ((_, body, _),) = shards_of(entries, shard, shard, segment.shard_bits)
    return body


def _hour(at_ns: int) -> int:
    return at_ns - at_ns % HOUR_NS


def _wanted(sk: str, values: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether an item is in the range of sort keys that a question names."""
    if ":tenant" in values:
        return sk.startswith(values[":tenant"]["S"])
    if ":from" in values:
        return values[":from"]["S"] <= sk <= values[":until"]["S"]
    return True


def _word(value: int) -> pa.Scalar:
    return pa.scalar(value, pa.uint64())
