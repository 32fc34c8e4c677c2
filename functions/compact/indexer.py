"""Makes segments of the trace index: of an hour's settled blocks, and of segments of hours that follow one another.

Objects are written first, then the entry that names them; the inputs' objects go last. So whoever dies leaves objects
that no entry names, which S3's lifecycle removes, and what is named is always there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from spandrel.blocks.trace_segments import Entries, entries_in, entries_of, merged_entries, shards_of
from spandrel.blocks.trace_shards import FAR
from spandrel.model.catalogue import Block, Eraser, ObjectStore
from spandrel.model.errors import Conflict, Corrupt, NotFound
from spandrel.model.levels import HOUR_NS
from spandrel.model.lifecycle import BLOCK
from spandrel.model.trace_index import Indexing, Rollup, Segment, Segments, shard_bits

PARALLEL_READS = 4  # blocks of up to 64 MB in memory at once
PARALLEL_SHARDS = 8
_HELD = 64  # objects of small segments that are kept while larger ones are gone through

_log = logging.getLogger("compact")


class Objects(ObjectStore, Eraser, Protocol):
    """Objects that can be written, read and removed."""


class Aside(Protocol):
    """The part of the ledger that is needed."""

    def set_aside(self, block: Block) -> None:
        """See `spandrel.model.catalogue.Ledger`."""


@dataclass(frozen=True, slots=True)
class Indexer:
    """Knows no clock: what comes out depends on what goes in alone."""

    objects: Objects
    ledger: Aside
    segments: Segments

    def index(self, job: Indexing) -> None:
        """The blocks become a segment. One that does not read is set aside, and its hour stays due."""
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            read = list(pool.map(self._entries, job.blocks))
        indexed = [(block, entries) for block, entries in zip(job.blocks, read, strict=True) if entries is not None]
        if not indexed:
            return
        entries = merged_entries([entries for _, entries in indexed])
        begun = hour_segment(job, [block for block, _ in indexed], len(entries))
        whole = _Group(begun, 0, 2**begun.shard_bits - 1)
        size_bytes, _ = self._put(whole, entries)
        self.segments.add(replace(begun, size_bytes=size_bytes), job.name)

    def roll_up(self, job: Rollup) -> None:
        """The segments become one, unless one of them is gone."""
        begun = window_segment(job)
        read = lru_cache(_HELD)(self.objects.get)
        with ThreadPoolExecutor(PARALLEL_SHARDS) as pool:
            try:
                done = list(pool.map(lambda group: self._put(group, _merged(job, group, read)), _groups(job, begun)))
            except NotFound as gone:
                _log.info("somebody else was first: %s", gone)
                return
        sizes, traces = zip(*done, strict=True)
        try:
            self.segments.swap(job, replace(begun, size_bytes=sum(sizes), traces=sum(traces)))
        except Conflict as lost:
            _log.info("somebody else was first: %s", lost)
            return
        self.objects.delete([key for segment in job.inputs for key in segment.object_keys()])

    def _entries(self, block: Block) -> Entries | None:
        """A block's traces; None where it does not read, and then it is set aside."""
        place = FAR if block.far else 0
        try:
            return entries_of(self.objects.get(block.key), place, block.key)
        except (Corrupt, NotFound) as why:
            _log.error("a block is set aside, its hour cannot be indexed: %s", why)
            self.ledger.set_aside(block)
            return None

    def _put(self, group: _Group, entries: Entries) -> tuple[int, int]:
        """Writes a group's objects -> their bytes and entries."""
        size_bytes = count = 0
        for shard, body, length in shards_of(entries, group.first, group.last, group.segment.shard_bits):
            self.objects.put(group.segment.key(shard), body, passing=BLOCK)
            size_bytes, count = size_bytes + len(body), count + length
        return size_bytes, count


@dataclass(frozen=True, slots=True)
class _Group:
    """Shards of a segment that follow one another, both inclusive."""

    segment: Segment
    first: int
    last: int


def hour_segment(job: Indexing, blocks: Sequence[Block], traces: int) -> Segment:
    """The segment of an hour's blocks, but for its size. Named by those blocks that read."""
    return Segment(
        tenant=job.tenant,
        name=replace(job, blocks=tuple(blocks)).name,
        start_ns=job.hour_ns,
        hours=1,
        shard_bits=shard_bits(traces),
        traces=traces,
        size_bytes=0,
        min_trace_id=min(block.min_trace_id for block in blocks),
        max_trace_id=max(block.max_trace_id for block in blocks),
        block_ids=tuple(sorted(block.block_id for block in blocks)),
    )


def window_segment(job: Rollup) -> Segment:
    """The segment of other ones, but for its size; of traces what there are at most."""
    traces = sum(segment.traces for segment in job.inputs)
    return Segment(
        tenant=job.tenant,
        name=job.name,
        start_ns=job.start_ns,
        hours=job.hours,
        shard_bits=shard_bits(traces),
        traces=traces,
        size_bytes=0,
        min_trace_id=min(segment.min_trace_id for segment in job.inputs),
        max_trace_id=max(segment.max_trace_id for segment in job.inputs),
    )


def _groups(job: Rollup, output: Segment) -> list[_Group]:
    """The output's shards in groups, each of which takes one object of the largest input: so few are in memory."""
    bits = max(segment.shard_bits for segment in job.inputs)
    each = 2 ** (output.shard_bits - bits)
    return [_Group(output, number * each, (number + 1) * each - 1) for number in range(2**bits)]


def _merged(job: Rollup, group: _Group, read: Callable[[str], bytes]) -> Entries:
    """The entries of all inputs that a group can hold, and others of the same objects."""
    parts = []
    for segment in job.inputs:
        key = segment.key(group.first >> (group.segment.shard_bits - segment.shard_bits))
        parts.append(entries_in(read(key), (segment.start_ns - job.start_ns) // HOUR_NS, key))
    return merged_entries(parts)
