"""A tenant's stored blocks for benchmarks that read: objects on disk that are counted when they are read, the catalogue
and the trace index in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from compact.indexer import Indexer
from spandrel.blocks.writer import WrittenBlock
from spandrel.model.catalogue import Block
from spandrel.model.deletions import Deletion
from spandrel.model.errors import NotFound
from spandrel.model.levels import hour_of
from spandrel.model.trace_index import Rollup, Segment, indexings, rollups

from .files import Files

FAR_FUTURE_NS = 2**63


class Shelf(Files):
    """`ObjectStore` and `Catalogue` of one tenant below a folder, and its `index`. Reads are counted."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._blocks: list[Block] = []
        self.index = ShelvedIndex()
        self._lock = threading.Lock()
        self.gets = 0
        self.read_bytes = 0

    def store(self, blocks: Iterable[WrittenBlock]) -> None:
        """Keeps settled blocks, indexed."""
        entries = []
        for block in blocks:
            self.put(block.entry.key, block.body)
            entries.append(block.entry)
        indexer = Indexer(self, self, self.index)
        for hour_ns in {hour_of(entry.received_ns) for entry in entries}:
            of_hour = [entry for entry in entries if hour_of(entry.received_ns) == hour_ns]
            for job in indexings(of_hour[0].tenant, hour_ns, of_hour):
                indexer.index(job)
        self._blocks += entries
        for rollup in rollups(self.index.listed(""), (), FAR_FUTURE_NS):
            indexer.roll_up(rollup)

    @property
    def hours(self) -> int:
        """How many hours of arrival there are."""
        return len({hour_of(block.received_ns) for block in self._blocks})

    def paths(self) -> list[str]:
        """The blocks' files."""
        return [str(self._root / block.key) for block in self._blocks]

    # ObjectStore and Eraser

    def get(self, key: str) -> bytes:
        return self.get_range(key, 0, -1)

    def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
        path = self._root / key
        with self._lock:
            self.gets += 1
        if not path.exists():
            raise NotFound(f"there is no object {key}")
        with path.open("rb") as file:
            file.seek(first_byte)
            body = file.read(length_bytes)
        with self._lock:
            self.read_bytes += len(body)
        return body

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            (self._root / key).unlink()

    # Catalogue

    def add(self, block: Block) -> None:
        self._blocks.append(block)

    def blocks(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        del tenant
        found = [block for block in self._blocks if block.min_start_ns < end_ns and block.max_start_ns >= start_ns]
        return sorted(found, key=lambda block: (block.max_start_ns, block.block_id), reverse=True)

    def near(self, tenant: str, hours_ns: Collection[int]) -> Sequence[Block]:
        del tenant
        return [block for block in self._blocks if hour_of(block.received_ns) in hours_ns]

    def far(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        del tenant, start_ns, end_ns
        return []

    def deletions(self, tenant: str) -> Sequence[Deletion]:
        del tenant
        return []

    def set_aside(self, block: Block) -> None:
        raise LookupError(f"{block.block_id} does not read")


class ShelvedIndex:
    """`Segments` of one tenant, in memory."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []

    def add(self, segment: Segment, job: str) -> None:
        del job
        self._segments.append(segment)

    def listed(self, tenant: str) -> Sequence[Segment]:
        del tenant
        return self._segments

    def expired(self, tenant: str) -> Sequence[Segment]:
        del tenant
        return []

    def unsettled(self, tenant: str) -> frozenset[int]:
        del tenant
        return frozenset()

    def swap(self, rollup: Rollup, output: Segment) -> None:
        self._segments = [one for one in self._segments if one not in rollup.inputs] + [output]

    def remove(self, segments: Sequence[Segment]) -> None:
        self._segments = [one for one in self._segments if one not in segments]
