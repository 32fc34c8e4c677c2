"""Blocks for tests that read: the ports in memory, and the way of requests into them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from compact.indexer import Indexer
from spandrel.blocks.block_cache import BlockCache
from spandrel.blocks.database import Database
from spandrel.blocks.merge import draft_of, merged
from spandrel.blocks.reader import BlockReader
from spandrel.blocks.source import Source
from spandrel.blocks.writer import write_blocks
from spandrel.model.catalogue import Block
from spandrel.model.deletions import Deletion
from spandrel.model.errors import Conflict, NotFound, Overloaded
from spandrel.model.levels import hour_of
from spandrel.model.lifecycle import Passing
from spandrel.model.limits import MIB
from spandrel.model.trace_index import Rollup, Segment, indexings, rollups, unindexed
from spandrel.query.reading import Reading, TraceStore
from tests.builders import RECEIVED_NS

TENANT = "shop"


@dataclass
class MemoryObjects:
    """An object store in memory. `read` lists the keys that were asked for, `read_bytes` counts what came back."""

    kept: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, Mapping[str, str]] = field(default_factory=dict)
    passing: dict[str, Passing] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    read_bytes: int = 0

    def put(
        self, key: str, body: bytes, *, passing: Passing | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.kept[key] = body
        self.headers[key] = headers or {}
        if passing:
            self.passing[key] = passing

    def get(self, key: str) -> bytes:
        return self.get_range(key, 0, len(self.kept.get(key, b"")))

    def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
        self.read.append(key)
        if key not in self.kept:
            raise NotFound(f"there is no object {key}")
        body = self.kept[key][first_byte : first_byte + length_bytes]
        self.read_bytes += len(body)
        return body

    def get_version(self, key: str) -> tuple[bytes, str]:
        body = self.get(key)
        return body, hashlib.sha256(body).hexdigest()

    def put_over(self, key: str, body: bytes, version: str | None) -> None:
        kept = self.kept.get(key)
        if version != (None if kept is None else hashlib.sha256(kept).hexdigest()):
            raise Conflict(f"{key} was changed meanwhile")
        self.put(key, body)

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.kept.pop(key, None)

    def link(self, key: str, seconds: int) -> str:
        return f"https://objects.test/{key}?seconds={seconds}"


class ThrottledObjects(MemoryObjects):
    """An object store that reads nothing for the moment, because too many ask it."""

    def get(self, key: str) -> bytes:
        raise Overloaded(f"reading {key}: SlowDown", 2, throttled=True)


@dataclass
class MemoryCatalogue:
    """A catalogue in memory."""

    kept: dict[str, Block] = field(default_factory=dict)
    deleted: list[Deletion] = field(default_factory=list)

    def deletions(self, tenant: str) -> Sequence[Deletion]:
        return [deletion for deletion in self.deleted if deletion.tenant == tenant]

    def add(self, block: Block) -> None:
        self.kept[block.key] = block

    def blocks(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        found = [
            block
            for block in self.kept.values()
            if block.tenant == tenant and block.min_start_ns < end_ns and block.max_start_ns >= start_ns
        ]
        return sorted(found, key=lambda block: (block.max_start_ns, block.block_id), reverse=True)

    def near(self, tenant: str, hours_ns: Collection[int]) -> Sequence[Block]:
        return [one for one in self._of(tenant, far=False) if hour_of(one.received_ns) in hours_ns]

    def far(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        return [one for one in self._of(tenant, far=True) if one.min_start_ns < end_ns and one.max_start_ns >= start_ns]

    def _of(self, tenant: str, *, far: bool) -> list[Block]:
        return [block for block in self.kept.values() if block.tenant == tenant and block.far is far]


@dataclass
class MemorySegments:
    """A trace index in memory. Hours are unsettled from their first block on until somebody says so."""

    catalogue: MemoryCatalogue
    kept: list[Segment] = field(default_factory=list)
    settled: set[tuple[str, int]] = field(default_factory=set)

    def listed(self, tenant: str) -> Sequence[Segment]:
        return sorted((one for one in self.kept if one.tenant == tenant), key=lambda one: (one.start_ns, one.name))

    def expired(self, tenant: str) -> Sequence[Segment]:
        raise AssertionError(f"nobody forgets anything of {tenant} here")

    def unsettled(self, tenant: str) -> frozenset[int]:
        hours = {hour_of(block.received_ns) for block in self.catalogue.kept.values() if block.tenant == tenant}
        return frozenset(hour_ns for hour_ns in hours if (tenant, hour_ns) not in self.settled)

    def add(self, segment: Segment, job: str) -> None:
        del job
        self.kept = [one for one in self.kept if one.name != segment.name] + [segment]

    def swap(self, rollup: Rollup, output: Segment) -> None:
        self.remove(rollup.inputs)
        self.kept.append(output)

    def remove(self, segments: Sequence[Segment]) -> None:
        self.kept = [one for one in self.kept if one not in segments]


class _NoLedger:
    """What an indexer asks of a ledger, where all blocks read."""

    def set_aside(self, block: Block) -> None:
        raise AssertionError(f"{block.block_id} does not read")


@dataclass
class Archive:
    """All of a stack that keeps blocks; what is stored is there to be read at once."""

    store: TraceStore
    objects: MemoryObjects
    catalogue: MemoryCatalogue
    segments: MemorySegments

    def reading(self, tenant: str = TENANT) -> Reading:
        return self.store.reading(tenant)

    def add(
        self, *requests: ExportTraceServiceRequest, tenant: str = TENANT, received_ns: int = RECEIVED_NS
    ) -> list[Block]:
        """Stores requests as `store` does with one batch."""
        bodies = [request.SerializeToString() for request in requests]
        written = list(write_blocks(tenant, bodies, received_ns, f"{len(self.objects.kept):032x}"))
        for block in written:
            self.objects.put(block.entry.key, block.body)
            self.catalogue.add(block.entry)
        return [block.entry for block in written]

    def index(self, tenant: str = TENANT) -> None:
        """Indexes what is not yet, as `compact` does when an hour is merged; then the hours are settled."""
        indexer = Indexer(self.objects, _NoLedger(), self.segments)
        for hour_ns in self.segments.unsettled(tenant):
            blocks = [one for one in self.catalogue.kept.values() if hour_of(one.received_ns) == hour_ns]
            unknown = unindexed([one for one in blocks if one.tenant == tenant], self.segments.listed(tenant), hour_ns)
            for job in indexings(tenant, hour_ns, unknown):
                indexer.index(job)
            self.segments.settled.add((tenant, hour_ns))

    def roll_up(self, tenant: str = TENANT) -> None:
        """Makes larger segments, as if all their hours were long over."""
        indexer = Indexer(self.objects, _NoLedger(), self.segments)
        for rollup in rollups(self.segments.listed(tenant), self.segments.unsettled(tenant), 2**63):
            indexer.roll_up(rollup)

    def merge(self) -> list[Block]:
        """Puts merged blocks in the place of all that there are, which belong to one tenant."""
        entries = list(self.catalogue.kept.values())
        sources = [Source(entry, self.objects.get(entry.key)) for entry in entries]
        level, name = max(entry.level for entry in entries) + 1, f"merge-{len(self.objects.kept)}"
        self.catalogue.kept.clear()
        for block in merged(sources, lambda number: draft_of(entries, level, name, number)):
            self.objects.put(block.entry.key, block.body)
            self.catalogue.add(block.entry)
        return list(self.catalogue.kept.values())


@contextmanager
def archive_in(
    folder: Path, cap_bytes: int = 100 * MIB, memory_bytes: int = 500 * MIB, objects: MemoryObjects | None = None
) -> Iterator[Archive]:
    """An empty archive whose cache of blocks lies in `folder`."""
    objects, catalogue = objects or MemoryObjects(), MemoryCatalogue()
    segments = MemorySegments(catalogue)
    cache = BlockCache(folder / "blocks", objects, cap_bytes)
    database = Database(cache.folder, folder / "spill", memory_bytes=memory_bytes, spill_bytes=100 * MIB, threads=1)
    try:
        yield Archive(TraceStore(catalogue, segments, BlockReader(cache, database)), objects, catalogue, segments)
    finally:
        database.close()
