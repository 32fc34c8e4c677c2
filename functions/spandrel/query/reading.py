"""What one request may read, and what it could not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from spandrel.blocks.block_cache import Unread
from spandrel.blocks.parts import footer_bytes, lookup_bytes
from spandrel.blocks.reader import BlockReader, Hidden, OpenBlocks
from spandrel.model.archive import entry_key
from spandrel.model.catalogue import Block, Catalogue, ObjectStore
from spandrel.model.deletions import Deletion
from spandrel.model.errors import Corrupt, NotFound, QueryTooBroad, Rejected
from spandrel.model.limits import MIB, QUERY_BLOCKS_MAX, QUERY_BYTES_MAX, QUERY_SECONDS_MAX, SEARCH_WINDOW_MAX_HOURS
from spandrel.model.trace_index import Segments

from .hiding import hidden_in
from .whereabouts import Whereabouts

FOREVER_NS = 2**64  # the end of OTLP's time
_HOUR_NS = 3600 * 10**9

# The first blocks to open where an answer may need only the newest: each further round takes four times as much.
_FIRST_BLOCKS = 64
_FIRST_BYTES = 8 * MIB
_GROWTH = 4
_RESERVE = 1.25  # times what is expected


@dataclass(frozen=True, slots=True)
class TraceStore:
    """All tenants' traces, for reading."""

    catalogue: Catalogue
    segments: Segments
    reader: BlockReader

    def reading(self, tenant: str) -> Reading:
        """One request of a tenant."""
        return Reading(self.catalogue, self.segments, self.reader, tenant)


class Reading:
    """The blocks that one request opens, each counted once against what a request may read."""

    def __init__(self, catalogue: Catalogue, segments: Segments, reader: BlockReader, tenant: str) -> None:
        self._catalogue = catalogue
        self._segments = segments
        self._reader = reader
        self.tenant = tenant
        self._deadline_s = time.monotonic() + QUERY_SECONDS_MAX
        self._opened_bytes: dict[str, int] = {}
        self._part_bytes: dict[str, int] = {}
        self._unread: dict[str, Unread] = {}
        self._deletions: Sequence[Deletion] | None = None

    @property
    def unread(self) -> Sequence[Unread]:
        """The blocks so far that could not be read: the request is answered from the others."""
        return tuple(self._unread.values())

    def live(self, start_ns: int = 0, end_ns: int = FOREVER_NS) -> Sequence[Block]:
        """The tenant's blocks with a span start in [start_ns, end_ns), newest first."""
        self._read_deletions()
        return self._catalogue.blocks(self.tenant, max(start_ns, 0), min(end_ns, FOREVER_NS))

    @property
    def objects(self) -> ObjectStore:
        """Where the blocks lie."""
        return self._reader.cache.objects

    def archived(self, trace_id: bytes) -> Block | None:
        """The copy of a trace that outlives retention, if somebody had one made."""
        key = entry_key(self.tenant, trace_id)
        try:
            return Block.from_record(json.loads(self.objects.get(key)))
        except NotFound:
            return None
        except (TypeError, ValueError, KeyError) as error:
            raise Corrupt(f"{key} is no entry: {error}", key) from error

    def whereabouts(self, trace_id: bytes) -> Whereabouts:
        """Which of the tenant's blocks may hold a trace."""
        self._read_deletions()
        return Whereabouts(self._catalogue, self._segments, self.objects, self.tenant, trace_id)

    def open(self, blocks: Sequence[Block]) -> OpenBlocks:
        """Makes blocks ready for questions. QueryTooBroad when that would be more than one request may read."""
        self._count(blocks, lambda block: block.size_bytes)
        readable = self._readable(blocks)
        return self._opened(self._reader.open(readable, self._deadline_s, self._hidden(readable)))

    def open_for(self, trace_id: bytes, blocks: Sequence[Block]) -> OpenBlocks:
        """The same for questions about one trace, which needs parts of large blocks only."""
        self._count(blocks, lookup_bytes)
        readable = self._readable(blocks)
        hidden = self._hidden(readable)
        return self._opened(self._reader.open_for(trace_id, readable, self._deadline_s, self._bytes_max, hidden))

    def open_footers(self, blocks: Sequence[Block]) -> OpenBlocks:
        """The same for questions about columns and metadata alone."""
        self._count(blocks, footer_bytes)
        return self._opened(self._reader.open_footers(self._readable(blocks), self._deadline_s))

    def open_beside(self, blocks: Sequence[Block], parts: Sequence[Block]) -> OpenBlocks:
        """Blocks and parts of other blocks' tallies together. A part that cannot be read is nothing that the answer
        lacks, because its block can be read instead: it is among `unread` of what comes back, and not of this request.
        """
        self._count_parts(parts)
        self._count(blocks, lambda block: block.size_bytes)
        readable = self._readable(blocks)
        opened = self._reader.open([*readable, *parts], self._deadline_s, self._hidden(readable))
        names = {part.block_id for part in parts}
        self._unread |= {one.block.block_id: one for one in opened.unread if one.block.block_id not in names}
        return opened

    def hides_of(self, block: Block) -> bool:
        """Whether a deletion may hide spans of the block, of the live blocks."""
        return any(deletion.is_about(block) for deletion in self._deletions or ())

    def _read_deletions(self) -> None:
        """Before the blocks are chosen: what is done with meanwhile is in no block that is live then."""
        if self._deletions is None:
            self._deletions = self._catalogue.deletions(self.tenant)

    @property
    def _bytes_max(self) -> int:
        return min(QUERY_BYTES_MAX, self._reader.cache.cap_bytes)

    def _readable(self, blocks: Sequence[Block]) -> list[Block]:
        return [one for one in blocks if one.block_id not in self._unread]

    def _hidden(self, blocks: Sequence[Block]) -> list[Hidden]:
        return list(hidden_in(blocks, self._deletions or ()))

    def _opened(self, opened: OpenBlocks) -> OpenBlocks:
        self._unread |= {one.block.block_id: one for one in opened.unread}
        return opened

    def _count(self, blocks: Sequence[Block], read_bytes: Callable[[Block], int]) -> None:
        """Counts how much is read of each block."""
        for block in blocks:
            self._opened_bytes[block.block_id] = max(self._opened_bytes.get(block.block_id, 0), read_bytes(block))
        self._check_budget()

    def _count_parts(self, parts: Sequence[Block]) -> None:
        """Parts of tallies count by their size."""
        self._part_bytes |= {part.block_id: part.size_bytes for part in parts}
        self._check_budget()

    def _check_budget(self) -> None:
        count = len(self._opened_bytes)
        size_bytes = sum(self._opened_bytes.values()) + sum(self._part_bytes.values())
        if count > QUERY_BLOCKS_MAX or size_bytes > self._bytes_max:
            raise QueryTooBroad(
                f"this reads {count} blocks of {size_bytes / MIB:.0f} MiB and more, and one request may read "
                f"{QUERY_BLOCKS_MAX} of {self._bytes_max / MIB:.0f} MiB: narrow the time range"
            )


def check_range(start_ns: int, end_ns: int) -> None:
    """Rejected for a time range that is empty, QueryTooBroad for one that no request may ask about."""
    if start_ns >= end_ns:
        raise Rejected("the time range ends before it begins")
    hours = (end_ns - start_ns) / _HOUR_NS
    if hours > SEARCH_WINDOW_MAX_HOURS:
        raise QueryTooBroad(
            f"the time range is {hours:.0f} hours long, and a request may ask for {SEARCH_WINDOW_MAX_HOURS}: narrow it"
        )


class Rounds:
    """Blocks in their order, few at first and then more at a time."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._blocks_max = _FIRST_BLOCKS
        self._bytes_max: float = _FIRST_BYTES
        self._given_bytes = 0

    def __iter__(self) -> Iterator[list[Block]]:
        rest = list(self._blocks)
        while rest:
            chosen = self._next(rest)
            self._given_bytes += sum(block.size_bytes for block in chosen)
            self._blocks_max, self._bytes_max = self._blocks_max * _GROWTH, self._bytes_max * _GROWTH
            yield chosen
            rest = rest[len(chosen) :]

    def have(self, share: float) -> None:
        """Of what is looked for, this share is found: the next round is no larger than it takes to find the rest at
        that rate.
        """
        if share:
            self._bytes_max = min(self._bytes_max, _RESERVE * self._given_bytes * (1 - share) / share)

    def _next(self, blocks: Sequence[Block]) -> list[Block]:
        before = accumulate((block.size_bytes for block in blocks), initial=0)
        count = sum(1 for _ in takewhile(lambda size_bytes: size_bytes < self._bytes_max, before))
        return list(blocks[: min(max(count, 1), self._blocks_max)])
