"""`links`: what it costs to count calls and latencies when blocks are merged, and how long a day's dependency graph and
latencies take from what was counted, beside the same from spans.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from spandrel.blocks.block_cache import BlockCache
from spandrel.blocks.database import Database
from spandrel.blocks.reader import BlockReader
from spandrel.blocks.tally import Tallied, tallied
from spandrel.blocks.writer import WrittenBlock
from spandrel.model.catalogue import Block
from spandrel.model.levels import HOUR_NS, hour_of
from spandrel.model.limits import MIB
from spandrel.query.dependencies import links
from spandrel.query.reading import Reading, TraceStore
from spandrel.query.traffic import traffic

from .clocks import cpu_seconds, one_core
from .figures import Figure, Target
from .shelf import Shelf
from .stored import FIRST_HOUR_NS, stored_blocks

HOURS = 24
SPANS = 960_000  # so that an hour is one block
RUNS = 2
TENANT = "bench"


def figures() -> Iterator[Figure]:
    """Microseconds and bytes a span of counting; seconds and bytes of a question, with and without tallies."""
    blocks = list(map(of_its_hour, stored_blocks(SPANS, HOURS, TENANT)))
    spans = sum(block.entry.spans for block in blocks)
    with one_core():
        began_s = time.process_time()
        counted = list(map(tallied, blocks))
        counting_s = time.process_time() - began_s
        yield Figure("links", "counting a block when it is merged", counting_s / spans * 1e6, "us/span, of CPU")
        for name, size_bytes in _sizes(counted).items():
            yield Figure("links", f"tally, {name}", size_bytes / spans, "bytes/span")
        yield Figure("links", "the blocks", sum(len(block.body) for block in blocks) / spans, "bytes/span")
        yield from _answering(blocks, counted)


def of_its_hour(block: WrittenBlock) -> WrittenBlock:
    """The block, as one of spans that arrived all over its hour."""
    return replace(block, entry=replace(block.entry, first_received_ns=hour_of(block.entry.received_ns)))


def _sizes(counted: Sequence[Tallied]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for one in counted:
        for part in one.entry.tally:
            sizes[part.name] = sizes.get(part.name, 0) + part.size_bytes
    return sizes


def _answering(blocks: Sequence[WrittenBlock], counted: Sequence[Tallied]) -> Iterator[Figure]:
    day = (FIRST_HOUR_NS, FIRST_HOUR_NS + HOURS * HOUR_NS)
    questions: dict[str, Callable[[Reading], object]] = {
        "dependency graph": lambda reading: links(reading, *day),
        "latencies by service": lambda reading: traffic(reading, *day, step_ns=HOUR_NS, apart=["service"]),
    }
    for what, ask in questions.items():
        read_mib: list[float] = []
        for how, entries in (
            ("from tallies", [one.entry for one in counted]),
            ("from spans", [block.entry for block in blocks]),
        ):
            with tempfile.TemporaryDirectory() as name:
                shelf = _shelf(Path(name, "shelf"), blocks, counted, entries)
                yield Figure("links", f"{what} of a day, {how}", _cpu_s(shelf, Path(name), ask), "s of CPU")
            read_mib.append(shelf.read_bytes / MIB)
            yield Figure("links", f"{what} of a day, {how}, read", read_mib[-1], "MiB")
        yield Figure("links", f"{what}, times less to read", read_mib[1] / read_mib[0], "x", Target("at least", 5))


def _cpu_s(shelf: Shelf, folder: Path, ask: Callable[[Reading], object]) -> float:
    with _store(folder, shelf) as store:
        return cpu_seconds(lambda: ask(store.reading(TENANT)), RUNS)


def _shelf(folder: Path, blocks: Sequence[WrittenBlock], counted: Sequence[Tallied], entries: Sequence[Block]) -> Shelf:
    shelf = Shelf(folder)
    for block in blocks:
        shelf.put(block.entry.key, block.body)
    for one in counted:
        for part, body in one.bodies:
            shelf.put(one.entry.part_key(part), body)
    for entry in entries:
        shelf.add(entry)
    return shelf


@contextmanager
def _store(folder: Path, shelf: Shelf) -> Iterator[TraceStore]:
    cache = BlockCache(folder / "blocks", shelf, 512 * MIB)
    spill = folder / "spill"
    database = Database(cache.folder, spill, memory_bytes=884 * MIB, spill_bytes=512 * MIB, threads=1)
    try:
        yield TraceStore(shelf, shelf.index, BlockReader(cache, database))
    finally:
        database.close()
