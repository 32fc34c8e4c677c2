"""Spans of a time range out of the blocks, hour after hour of their starts, each once.

Copies of a span have one start, so an hour's blocks are enough to tell them apart. They lie on this machine's disk
while they are read; what is in memory is what a merge of one hour has there (spandrel.blocks.merge).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compact.worker import erasure_of
from spandrel.api.otlp_json import otlp_json
from spandrel.blocks.block_cache import BlockCache, Fetched
from spandrel.blocks.erasing import Erasure
from spandrel.blocks.merge import draft_of, merged
from spandrel.blocks.source import Source
from spandrel.blocks.writer import WrittenBlock
from spandrel.model.catalogue import Block, Catalogue
from spandrel.model.errors import Corrupt
from spandrel.query.trace import Spans

Format = Literal["otlp", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIXES: dict[Format, str] = {"otlp": "jsonl", "parquet": "parquet"}
HOUR_NS = 3600 * 10**9
LINE_SPANS = 1000  # in one line of OTLP
_LISTINGS = 3  # of an hour's blocks, when some are merged away while they are fetched


@dataclass(frozen=True, slots=True)
class Window:
    """Spans whose start is in [start_ns, end_ns), unix ns."""

    start_ns: int
    end_ns: int

    @property
    def name(self) -> str:
        return datetime.fromtimestamp(self.start_ns // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")


class Excerpt(Source):
    """A block of which only the spans of a window count."""

    def __init__(self, entry: Block, body: pa.Buffer, erasure: Erasure | None, window: Window) -> None:
        super().__init__(entry, body, erasure)
        self._window = window

    def read(self, index: int, columns: Sequence[str] | None = None) -> pa.Table:
        table = super().read(index, columns)
        if columns is not None:
            return table
        starts = table["start_time_unix_nano"]
        first, last = (pa.scalar(at_ns, pa.uint64()) for at_ns in (self._window.start_ns, self._window.end_ns - 1))
        return table.filter(pc.and_(pc.greater_equal(starts, first), pc.less_equal(starts, last)))


@dataclass(frozen=True, slots=True)
class Exporting:
    """One tenant's spans; `cache` is a folder for blocks while they are read."""

    catalogue: Catalogue
    cache: BlockCache
    tenant: str

    def run(self, start_ns: int, end_ns: int, form: Format, folder: Path) -> Iterator[tuple[Path, int]]:
        """Writes files, and gives each with the number of its spans when it is whole. Corrupt names blocks that cannot
        be read, after all others are exported.
        """
        unread: dict[str, str] = {}
        for window in windows(self.catalogue.blocks(self.tenant, start_ns, end_ns), start_ns, end_ns):
            fetched, live = self._fetched(window)
            unread |= {one.block.key: one.reason for one in fetched.unread}
            for number, block in enumerate(self._merged(live, fetched, window)):
                path = folder / f"{self.tenant}-{window.name}-{number}.{SUFFIXES[form]}"
                write_file(path, block, form)
                yield path, block.entry.spans
        if unread:
            raise Corrupt("all is exported but for: " + ", ".join(f"{key} ({why})" for key, why in unread.items()))

    def _fetched(self, window: Window) -> tuple[Fetched, Sequence[Block]]:
        """The window's blocks on this machine. Those that a merge took away meanwhile are looked for in what came of
        it.
        """
        for _ in range(_LISTINGS):
            live = self.catalogue.blocks(self.tenant, window.start_ns, window.end_ns)
            fetched = self.cache.fetch(live)
            if not any(one.reason == "missing" for one in fetched.unread):
                break
        return fetched, live

    def _merged(self, live: Sequence[Block], fetched: Fetched, window: Window) -> Iterator[WrittenBlock]:
        deletions = self.catalogue.deletions(self.tenant)
        sources = [
            Excerpt(block, _mapped(fetched.paths[block.block_id]), erasure_of(block, deletions), window)
            for block in live
            if block.block_id in fetched.paths
        ]
        return (
            merged(sources, lambda number: draft_of(live, 0, f"export-{window.name}", number)) if sources else iter(())
        )


def windows(blocks: Sequence[Block], start_ns: int, end_ns: int) -> Iterator[Window]:
    """What together is [start_ns, end_ns): the hours in which ordinary blocks have spans, and the stretches between
    them, where there is hardly anything (blocks of spans far from their arrival can reach over many years).
    """
    hours = {
        hour
        for block in blocks
        if not block.far
        for hour in range(block.min_start_ns // HOUR_NS, block.max_start_ns // HOUR_NS + 1)
    }
    edges = {hour * HOUR_NS for hour in hours} | {(hour + 1) * HOUR_NS for hour in hours}
    cuts = [start_ns, *sorted(edge for edge in edges if start_ns < edge < end_ns), end_ns]
    yield from (Window(first, last) for first, last in pairwise(cuts))


def write_file(path: Path, block: WrittenBlock, form: Format) -> None:
    """The block's spans as a file, which is whole or not there."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        if form == "parquet":
            file.write(block.body)
        else:
            for line in otlp_lines(block.body):
                file.write(line.encode() + b"\n")
    part.replace(path)


def otlp_lines(body: bytes) -> Iterator[str]:
    """A block -> lines, each a TracesData message as OTLP's JSON: what the collector's file exporter writes."""
    for batch in pq.ParquetFile(io.BytesIO(body)).iter_batches(LINE_SPANS):
        columns = [column.to_pylist() for column in batch.columns]
        yield otlp_json(Spans(tuple(batch.schema.names), list(zip(*columns, strict=True))))


def _mapped(path: Path) -> pa.Buffer:
    """The file as memory that the system reads when it is looked at."""
    with pa.memory_map(str(path)) as file:
        return file.read_buffer()
