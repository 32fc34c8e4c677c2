"""`lookup`: a trace by its id among 1, 3 and 10 million stored spans, in blocks as compaction leaves them, with the
trace index; beside it DuckDB over the same files without catalogue or index.

Objects lie on this disk, so times are our own work; what S3 adds is the time of its answers, which are counted.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import duckdb
import pyarrow.parquet as pq

from spandrel.blocks.block_cache import BlockCache
from spandrel.blocks.database import Database
from spandrel.blocks.reader import BlockReader
from spandrel.model.limits import MIB
from spandrel.query.reading import TraceStore
from spandrel.query.trace import trace

from .figures import Figure, Target
from .shelf import Shelf
from .stored import stored_blocks

MILLIONS = (1, 3, 10)
SPANS_AN_HOUR = 1_000_000
TRACES = 15
WARM_MS = 100
FLAT = 1.5  # ten times the spans may take so many times as long at most
TENANT = "bench"


def figures(spans_an_hour: int = SPANS_AN_HOUR) -> Iterator[Figure]:
    """Milliseconds, requests and bytes a lookup: of a trace whose block is not here, and of one whose block is."""
    draw, warm_ms = random.Random(1), []
    with TemporaryDirectory() as name:
        shelf = Shelf(Path(name, "objects"))
        blocks = stored_blocks(spans_an_hour * MILLIONS[-1], MILLIONS[-1], TENANT)
        hours = groupby(blocks, key=lambda block: block.entry.received_ns)
        for millions in MILLIONS:
            shelf.store(block for _, of_hour in islice(hours, millions - shelf.hours) for block in of_hour)
            wanted = [_a_trace(shelf, draw) for _ in range(TRACES)]
            with _reading(shelf, Path(name, f"cache-{millions}")) as store:
                cold = _looked_up(shelf, store, wanted)
                warm = _looked_up(shelf, store, wanted)
            warm_ms.append(warm.ms)
            yield from _shown(f"{millions} million spans", cold, warm, _plain_ms(shelf, wanted))
    yield Figure("lookup", "10 million beside 1 million", warm_ms[-1] / warm_ms[0], "x", Target("at most", FLAT))


def _shown(name: str, cold: Lookups, warm: Lookups, plain_ms: float) -> Iterator[Figure]:
    yield Figure("lookup", f"{name}: its block is here", warm.ms, "ms", Target("at most", WARM_MS))
    yield Figure("lookup", f"{name}: its block is here, S3 GETs", warm.gets, "requests")
    yield Figure("lookup", f"{name}: its block is not here", cold.ms, "ms")
    yield Figure("lookup", f"{name}: its block is not here, S3 GETs", cold.gets, "requests")
    yield Figure("lookup", f"{name}: its block is not here, read", cold.read_bytes / 1e6, "MB")
    yield Figure("lookup", f"{name}: DuckDB over all its files", plain_ms, "ms")


@dataclass(frozen=True, slots=True)
class Lookups:
    """A lookup's median milliseconds, and its mean requests and bytes."""

    ms: float
    gets: float
    read_bytes: float


def _looked_up(shelf: Shelf, store: TraceStore, wanted: Sequence[bytes]) -> Lookups:
    gets, read_bytes = shelf.gets, shelf.read_bytes
    seconds = [_seconds(lambda one=trace_id: trace(store.reading(TENANT), one)) for trace_id in wanted]  # type: ignore[misc]
    count = len(wanted)
    return Lookups(1000 * median(seconds), (shelf.gets - gets) / count, (shelf.read_bytes - read_bytes) / count)


def _plain_ms(shelf: Shelf, wanted: Sequence[bytes]) -> float:
    connection = duckdb.connect(config={"threads": 1})
    files = shelf.paths()

    def ask(trace_id: bytes) -> None:
        found = connection.execute("SELECT * FROM read_parquet(?) WHERE trace_id = ?", [files, trace_id]).fetchall()
        assert found

    ask(wanted[0])
    return 1000 * median(_seconds(lambda one=trace_id: ask(one)) for trace_id in wanted)  # type: ignore[misc]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _a_trace(shelf: Shelf, draw: random.Random) -> bytes:
    path = draw.choice(shelf.paths())
    row_groups = pq.ParquetFile(path)
    ids = row_groups.read_row_group(draw.randrange(row_groups.num_row_groups), columns=["trace_id"])["trace_id"]
    found: bytes = ids[draw.randrange(len(ids))].as_py()
    return found


@contextmanager
def _reading(shelf: Shelf, folder: Path) -> Iterator[TraceStore]:
    """The code of `query` as a function of 1769 MB has it, with an empty cache."""
    cache = BlockCache(folder / "blocks", shelf, 512 * MIB)
    sizes = {"memory_bytes": 900 * MIB, "spill_bytes": 512 * MIB}
    database = Database(cache.folder, folder / "spill", **sizes, threads=1)
    try:
        yield TraceStore(shelf, shelf.index, BlockReader(cache, database))
    finally:
        database.close()
