"""`compact`: the real worker over blocks on disk, on one core: how fast, how small, in how much memory; what hostile
keys do to it; and, from entries alone, what an hour of any traffic ends as.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from compact.worker import Worker
from spandrel.blocks.writer import WrittenBlock, write_blocks
from spandrel.model.catalogue import Block
from spandrel.model.deletions import Deletions
from spandrel.model.levels import Job
from spandrel.model.limits import MIB

from .clocks import cpu_seconds, one_core
from .figures import Figure, Target
from .hours import hour_of_traffic
from .keys import bodies_of_keys
from .spans import START_NS, SpanSource
from .store import Folder
from .stored import stored_blocks

BATCHES, REQUESTS = 12, 20  # a minute of batches, and requests in each
JOB_BATCHES, JOB_BATCH_SPANS = 64, 50_000  # the largest job that there is
WORKER_MEMORY = 3008  # MiB, the template's
FEW_KEYS, MANY_KEYS = 100, 100_000  # under the number of columns, and far beyond
TRAFFICS = {"100 million": 1e8, "1 billion": 1e9, "10 billion": 1e10}


@dataclass
class OneJob:
    """The part of the catalogue that a worker asks, for a worker that is alone."""

    swapped: list[Block] = field(default_factory=list)

    def live(self, blocks: Sequence[Block]) -> bool:
        return bool(blocks)

    def deletions(self, tenant: str) -> Deletions:
        del tenant
        return Deletions()

    def swap(self, name: str, inputs: Sequence[Block], outputs: Sequence[Block]) -> None:
        del name, inputs
        self.swapped = list(outputs)


def figures() -> Iterator[Figure]:
    """Spans a second, bytes a span, MiB at the peak, and hours of traffic."""
    yield from _speed_and_size()
    yield from _largest_job()
    yield from _hostile_keys()
    for name, spans_a_day in TRAFFICS.items():
        hour = hour_of_traffic(spans_a_day)
        holding = max(len(hour.holding(hour.ids.id_at((at + 0.5) / 997))) for at in range(997))
        yield Figure("compact", f"{name} spans a day: blocks an hour", len(hour.blocks), "blocks")
        yield Figure("compact", f"{name} spans a day: rewrites of a span", hour.rewrites, "times")
        yield Figure("compact", f"{name} spans a day: blocks that may hold a trace", holding, "blocks", _ONE_OR_TWO)


_ONE_OR_TWO = Target("at most", 2)


def _speed_and_size() -> Iterator[Figure]:
    source = SpanSource()
    batches = [source.requests(REQUESTS) for _ in range(BATCHES)]
    blocks = [one for at, bodies in enumerate(batches) for one in _stored(bodies, str(at))]
    spans = sum(block.entry.spans for block in blocks)
    with one_core(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = cpu_seconds(lambda: merge_in(folder, blocks), runs=3)
        merged = merge_in(folder, blocks)
        theirs = folder / "theirs.parquet"
        sources = [str(folder / block.entry.key) for block in blocks]
        their_seconds = cpu_seconds(lambda: _sorted_by_duckdb(sources, theirs), runs=3)
        their_bytes = theirs.stat().st_size
    rate = spans / seconds
    yield Figure("compact", "spans a second of one core", rate, "spans/s", Target("at least", 50_000))
    yield Figure("compact", "DuckDB's rewrite by trace id, one core", spans / their_seconds, "spans/s")
    size = sum(block.size_bytes for block in merged) / sum(block.spans for block in merged)
    yield Figure("compact", "a merged block", size, "bytes/span", Target("at most", 32))
    yield Figure("compact", "the same as DuckDB rewrites it", their_bytes / spans, "bytes/span")
    yield Figure("compact", "blocks as they arrive", sum(len(block.body) for block in blocks) / spans, "bytes/span")
    bodies = [body for batch in batches for body in batch]
    yield Figure("compact", "OTLP, gzip", sum(len(zlib.compress(body, 6)) for body in bodies) / spans, "bytes/span")
    yield Figure("compact", "OTLP", sum(map(len, bodies)) / spans, "bytes/span")


def _stored(bodies: Sequence[bytes], name: str) -> list[WrittenBlock]:
    return list(write_blocks("bench", bodies, START_NS + 10**10, name))


def merge_in(folder: Path, blocks: Sequence[WrittenBlock]) -> list[Block]:
    """The worker's run over blocks that lie in a folder; the entries of what came out."""
    objects, ledger = Folder(folder), OneJob()
    for block in blocks:
        objects.put(block.entry.key, block.body)
    Worker(objects, ledger).run(Job("bench", 1, tuple(block.entry for block in blocks)))  # type: ignore[arg-type]
    return ledger.swapped


def _sorted_by_duckdb(sources: Sequence[str], target: Path) -> None:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(
        f"""COPY (SELECT * FROM read_parquet(?, union_by_name = true) ORDER BY trace_id, start_time_unix_nano)
        TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)""",
        [list(sources)],
    )


def _largest_job() -> Iterator[Figure]:
    """In a process of its own, for its memory."""
    script = "from benchmarks.compact import merge_largest; merge_largest()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    peak_mib, seconds = map(float, done.stdout.splitlines()[-1].split())  # before it, a library's progress
    spans = JOB_BATCHES * JOB_BATCH_SPANS
    yield Figure("compact", "the largest job: memory", peak_mib, "MiB", Target("at most", WORKER_MEMORY))
    yield Figure("compact", "the largest job: spans a second of one core", spans / seconds, "spans/s")


def merge_largest() -> None:
    """Merges JOB_BATCHES blocks, and prints the process's peak in MiB and the seconds that it took."""
    with tempfile.TemporaryDirectory() as name, one_core():
        folder, entries = Folder(Path(name)), []
        for at in range(JOB_BATCHES):
            (block,) = stored_blocks(JOB_BATCH_SPANS, 1, seed=at)
            entries.append(replace(block.entry, level=0))
            folder.put(block.entry.key, block.body)
        worker, job = Worker(folder, OneJob()), Job("bench", 1, tuple(entries))  # type: ignore[arg-type]
        seconds = cpu_seconds(lambda: worker.run(job), runs=1)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(f"\n{int(peak.split()[1]) * 1024 / MIB} {seconds}")


def _hostile_keys() -> Iterator[Figure]:
    """Spans of ten attributes each, of few keys and of many more than have columns: to write, merge, keep and read."""
    few, many = (_measured(keys) for keys in (FEW_KEYS, MANY_KEYS))
    for keys, measured in ((FEW_KEYS, few), (MANY_KEYS, many)):
        yield from (Figure("compact", f"{keys:,} distinct keys: {what}", *said) for what, said in measured.items())
    for what in ("store", "merge"):
        yield Figure("compact", f"many keys beside few: {what}", many[what][0] / few[what][0], "x", _NOT_MUCH_SLOWER)


_NOT_MUCH_SLOWER = Target("at least", 0.5)


def _measured(keys: int) -> dict[str, tuple[float, str]]:
    batches = list(bodies_of_keys(keys))
    with one_core(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store_s = cpu_seconds(lambda: _stored(batches, "keys"))
        halves = [*_stored(batches[::2], "even"), *_stored(batches[1::2], "odd")]
        merge_s = cpu_seconds(lambda: merge_in(folder, halves))
        (merged,) = merge_in(folder, halves)
        path = folder / merged.key
        read_s = cpu_seconds(lambda: _read_rare(path, f"own.key.{keys - 1}"), runs=3)
        columns = len(pq.read_schema(path).names)
    return {
        "store": (merged.spans / store_s, "spans/s"),
        "merge": (merged.spans / merge_s, "spans/s"),
        "block": (merged.size_bytes / merged.spans, "bytes/span"),
        "columns": (columns, "columns"),
        "a search for the rarest": (1000 * read_s, "ms"),
    }


def _read_rare(path: Path, key: str) -> None:
    """Looks for a key where it is: in its column, or in the rest."""
    connection = duckdb.connect(config={"threads": 1})
    column = f"span.{key}:string"
    held = f'"{column}" IS NOT NULL' if column in pq.read_schema(path).names else None
    condition = held or f"list_contains(list_transform(span_rest, lambda pair: pair.key), '{key}')"
    connection.execute(f"SELECT trace_id FROM read_parquet(?) WHERE {condition}", [str(path)]).fetchall()
