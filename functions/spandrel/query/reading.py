"""What one request may read, and what it could not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spandrel.blocks.block_cache import Unread
from spandrel.blocks.reader import BlockReader, OpenBlocks
from spandrel.model.catalogue import Block, Catalogue
from spandrel.model.deletions import Deletion
from spandrel.model.errors import QueryTooBroad, Rejected
from spandrel.model.limits import MIB, QUERY_BLOCKS_MAX, QUERY_BYTES_MAX, QUERY_SECONDS_MAX, SEARCH_WINDOW_MAX_HOURS

from .hiding import hidden_in

FOREVER_NS = 2**64  # the end of OTLP's time
_HOUR_NS = 3600 * 10**9

# The first blocks to open where an answer may need only the newest: each further round takes four times as much.
_FIRST_BLOCKS = 64
_FIRST_BYTES = 16 * MIB
_GROWTH = 4


@dataclass(frozen=True, slots=True)
class TraceStore:
    """All tenants' traces, for reading."""

    catalogue: Catalogue
    reader: BlockReader

    def reading(self, tenant: str) -> Reading:
        """One request of a tenant."""
        return Reading(self.catalogue, self.reader, tenant)


class Reading:
    """The blocks that one request opens, each counted once against what a request may read."""

    def __init__(self, catalogue: Catalogue, reader: BlockReader, tenant: str) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._tenant = tenant
        self._deadline_s = time.monotonic() + QUERY_SECONDS_MAX
        self._opened: dict[str, Block] = {}
        self._unread: dict[str, Unread] = {}
        self._deletions: Sequence[Deletion] | None = None

    @property
    def unread(self) -> Sequence[Unread]:
        """The blocks so far that could not be read: the request is answered from the others."""
        return tuple(self._unread.values())

    def live(self, start_ns: int = 0, end_ns: int = FOREVER_NS) -> Sequence[Block]:
        """The tenant's blocks with a span start in [start_ns, end_ns), newest first."""
        if self._deletions is None:  # before the blocks: what is done with meanwhile is in no block that is live then
            self._deletions = self._catalogue.deletions(self._tenant)
        return self._catalogue.blocks(self._tenant, max(start_ns, 0), min(end_ns, FOREVER_NS))

    def open(self, blocks: Sequence[Block]) -> OpenBlocks:
        """Makes blocks ready for questions. QueryTooBroad when that would be more than one request may read."""
        self._opened |= {block.block_id: block for block in blocks}
        self._check_budget()
        readable = [one for one in blocks if one.block_id not in self._unread]
        opened = self._reader.open(readable, self._deadline_s, list(hidden_in(readable, self._deletions or ())))
        self._unread |= {one.block.block_id: one for one in opened.unread}
        return opened

    def _check_budget(self) -> None:
        blocks, size_bytes = len(self._opened), sum(block.size_bytes for block in self._opened.values())
        bytes_max = min(QUERY_BYTES_MAX, self._reader.cache.cap_bytes)
        if blocks > QUERY_BLOCKS_MAX or size_bytes > bytes_max:
            raise QueryTooBroad(
                f"this reads {blocks} blocks of {size_bytes / MIB:.0f} MiB and more, and one request may read "
                f"{QUERY_BLOCKS_MAX} of {bytes_max / MIB:.0f} MiB: narrow the time range"
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


def rounds(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Blocks in their order, few at first and then more at a time."""
    blocks_max, bytes_max = _FIRST_BLOCKS, _FIRST_BYTES
    chosen: list[Block] = []
    size_bytes = 0
    for block in blocks:
        if len(chosen) == blocks_max or size_bytes >= bytes_max:
            yield chosen
            chosen, size_bytes = [], 0
            blocks_max, bytes_max = blocks_max * _GROWTH, bytes_max * _GROWTH
        chosen.append(block)
        size_bytes += block.size_bytes
    if chosen:
        yield chosen
