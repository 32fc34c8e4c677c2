"""`traceql`: twelve searches over one million and over ten million spans, as compaction leaves them.

With the blocks on the local disk, as for the second question about the same hours, on two threads. One million spans
lie in one hour, ten million in ten, and each search is for all of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spandrel.blocks.block_cache import BlockCache
from spandrel.blocks.database import Database
from spandrel.blocks.reader import BlockReader
from spandrel.model.catalogue import Block
from spandrel.model.deletions import Deletion
from spandrel.model.lifecycle import Passing
from spandrel.model.limits import MIB
from spandrel.query.found import Found, Order
from spandrel.query.reading import TraceStore
from spandrel.query.search import search
from spandrel.traceql.parser import parse

from .clocks import median_seconds
from .figures import Figure, Target
from .stored import FIRST_HOUR_NS, stored_blocks

MILLION = 10**6
HOUR_NS = 3600 * 10**9
MEMORY_BYTES = 885 * MIB  # what `query` gives DuckDB of its 1,769 MiB
TENANT = "bench"

# What is asked -> the query, and the milliseconds that it may take over a million spans.
SEARCHES = {
    "newest": ("{ }", 80),
    "service and duration": ('{ resource.service.name = "service-3" && duration > 100ms }', 45),
    "rare value": ('{ span.user.id = "user-4711" }', 125),
    "no match": ('{ span.user.id = "nobody" }', 150),
    "regular expression": ('{ span.url.path =~ "/cart/99." }', 150),
    "either of two": ("{ status = error || span.http.response.status_code = 404 }", 150),
    "number": ("{ span.http.response.body.size > 30000 }", 150),
    "descendants": ("{ kind = server } >> { status = error }", 1000),
    "rare children": ('{ span.user.id = "user-4711" } > { status = error }', 1000),
    "both in one trace": ('{ span.user.id = "user-4711" } && { span.user.id = "user-4712" }', 1000),
    "three errors in a trace": ("{ status = error } | count() > 2", 1000),
    "root and duration of traces": ('{ rootName = "publish order" && traceDuration > 2s }', 1000),
}
SLOWEST = "slowest first"


def figures() -> Iterator[Figure]:
    """For each search and size: milliseconds; for one million also the blocks and the bytes that it read."""
    for millions in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            store = _stored(Path(folder), millions)
            for name, (query, target_ms) in SEARCHES.items():
                yield from _measured(store, millions, name, query, target_ms if millions == 1 else None)
            yield from _measured(store, millions, SLOWEST, "{ status = error }", None, Order.SLOWEST)


def _measured(
    store: TraceStore, millions: int, name: str, query: str, target_ms: float | None, order: Order = Order.NEWEST
) -> Iterator[Figure]:
    parsed, end_ns = parse(query), FIRST_HOUR_NS + millions * HOUR_NS

    def asked() -> Found:
        return search(store.reading(TENANT), parsed, FIRST_HOUR_NS, end_ns, order=order)

    seconds = median_seconds(asked, runs=3)
    inspected = asked().inspected
    label = f"{millions} million spans, {name}"
    yield Figure("traceql", label, 1000 * seconds, "ms", Target("at most", target_ms) if target_ms else None)
    yield Figure("traceql", f"{label}: read", inspected.size_bytes / MIB, "MiB")
    yield Figure("traceql", f"{label}: read", inspected.blocks, "blocks")


@dataclass
class _Blocks:
    """A catalogue and an object store of blocks in a folder."""

    folder: Path
    entries: list[Block] = field(default_factory=list)

    def add(self, block: Block) -> None:
        self.entries.append(block)

    def blocks(self, _tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        found = [one for one in self.entries if one.min_start_ns < end_ns and one.max_start_ns >= start_ns]
        return sorted(found, key=lambda block: (block.max_start_ns, block.block_id), reverse=True)

    def deletions(self, _tenant: str) -> Sequence[Deletion]:
        return ()

    def put(
        self, key: str, body: bytes, *, passing: Passing | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        del passing, headers  # nobody asks for them here
        self.path(key).write_bytes(body)

    def get(self, key: str) -> bytes:
        return self.path(key).read_bytes()

    def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
        return self.get(key)[first_byte : first_byte + length_bytes]

    def link(self, key: str, _seconds: int) -> str:
        return self.path(key).as_uri()

    def path(self, key: str) -> Path:
        return self.folder / key.replace("/", "-")


def _stored(folder: Path, millions: int) -> TraceStore:
    kept = _Blocks(folder)
    for block in stored_blocks(millions * MILLION, hours=millions, tenant=TENANT):
        kept.put(block.entry.key, block.body)
        kept.add(block.entry)
    cache = BlockCache(folder / "cache", kept, 4096 * MIB)
    database = Database(cache.folder, folder / "spill", memory_bytes=MEMORY_BYTES, spill_bytes=1024 * MIB, threads=2)
    return TraceStore(kept, BlockReader(cache, database))
