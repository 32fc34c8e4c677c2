"""Parts of large blocks: the ending, and the row groups whose statistics do not rule out a trace.

A part is a file as long as its block, with holes where nothing was fetched. DuckDB leaves row groups out by the same
statistics, so it never looks into a hole; if it did, it would fail, because zeros are no Parquet. The ending is the
footer and, before it, the row groups' filters of trace ids, which DuckDB looks into for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spandrel.model.catalogue import Block, ObjectStore
from spandrel.model.errors import Corrupt, NotFound, QueryTooBroad
from spandrel.model.limits import KIB, MIB

from .block_cache import BlockCache, Fetched, Unread, fetching, used, write_whole
from .database import Database, Row
from .naming import FORMAT_VERSION

WHOLE_BYTES = 4 * MIB  # up to which one request for the block is quicker than two for parts of it
_TAIL_SHARE = 64  # a footer takes about a two-hundredth of its block, the filters before it somewhat more
_TAIL_BYTES = 64 * KIB  # and of what is fetched at its end this is the least
_ROW_GROUP_BYTES = 1 * MIB  # about: a trace lies in one of 20,000 spans, seldom in two
_MAGIC = b"PAR1"
_ENDING_BYTES = 8  # Parquet: the footer's length and the magic number
_ATTEMPTS = 3  # at files that another process removes meanwhile
_REMEMBERED = 256  # blocks whose row groups are known without reading the footer again

_ROW_GROUPS = """
    SELECT stats_min_value::BLOB, stats_max_value::BLOB, coalesce(dictionary_page_offset, data_page_offset),
        bloom_filter_offset FROM parquet_metadata(?) WHERE column_id = 0 ORDER BY row_group_id
"""


@dataclass(frozen=True, slots=True)
class _RowGroup:
    """The trace ids of a row group, both inclusive, and its bytes in the block."""

    first_id: bytes
    last_id: bytes
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """The row groups of a block, and where its ending begins."""

    groups: Sequence[_RowGroup]
    ending: int


class _Stretch(NamedTuple):
    """A stretch of a block's bytes."""

    block: Block
    begin: int
    end: int


class Parts:
    """Parts of blocks in the files of a cache."""

    def __init__(self, cache: BlockCache, objects: ObjectStore, database: Database) -> None:
        self._cache = cache
        self._objects = objects
        self._database = database
        self._layouts: dict[Path, _Layout] = {}

    def fetch(self, blocks: Sequence[Block], trace_id: bytes, deadline_s: float, most_bytes: int) -> Fetched:
        """Files of what of the blocks can hold the trace. A block without a path that is not unread does not hold it.

        Small blocks, and those that are here already, are there whole. Overloaded when S3 is, QueryTooBroad when
        more than `most_bytes` would have to be read.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._fetched(blocks, trace_id, deadline_s, most_bytes)
            except FileNotFoundError as error:
                problem = str(error)
        raise Corrupt(f"parts of blocks cannot be read where they lie: {problem}")

    def fetch_footers(self, blocks: Sequence[Block], deadline_s: float) -> Fetched:
        """Files of the blocks' footers; small blocks, and those that are here already, are there whole."""
        for _ in range(_ATTEMPTS):
            try:
                return self._fetched_footers(blocks, deadline_s)
            except FileNotFoundError as error:
                problem = str(error)
        raise Corrupt(f"footers of blocks cannot be read where they lie: {problem}")

    def _fetched_footers(self, blocks: Sequence[Block], deadline_s: float) -> Fetched:
        large = {block.block_id: block for block in blocks if self._is_apart(block)}
        whole = self._cache.fetch([block for block in blocks if block.block_id not in large])
        absent = self._fetch_tails(list(large.values()))
        for one in absent:
            del large[one.block.block_id]
        _, senseless = self._chosen(list(large.values()), b"", deadline_s)
        for one in senseless:
            del large[one.block.block_id]
        tails = {block_id: self._tail(block) for block_id, block in large.items()}
        return Fetched(whole.paths | tails, (*whole.unread, *absent, *senseless))

    def _fetched(self, blocks: Sequence[Block], trace_id: bytes, deadline_s: float, most_bytes: int) -> Fetched:
        large = [block for block in blocks if self._is_apart(block)]
        apart = {block.block_id for block in large}
        small = [block for block in blocks if block.block_id not in apart]
        _check(sum(block.size_bytes for block in small), most_bytes)
        whole = self._cache.fetch(small)
        unread = [*whole.unread, *self._fetch_tails(large)]
        lost = {one.block.block_id for one in unread}
        chosen, senseless = self._chosen([block for block in large if block.block_id not in lost], trace_id, deadline_s)
        _check(sum(end - begin for _, begin, end in chosen), most_bytes)
        unread += [*senseless, *self._fetch_stretches(chosen)]
        lost = {one.block.block_id for one in unread}
        paths = {one.block.block_id: self._part(one) for one in chosen if one.block.block_id not in lost}
        return Fetched(whole.paths | paths, tuple(unread))

    def _is_apart(self, block: Block) -> bool:
        large = block.size_bytes > WHOLE_BYTES and block.format_version <= FORMAT_VERSION
        return large and not used(self._cache.path(block), block.size_bytes)

    def _tail(self, block: Block) -> Path:
        return self._cache.path(block, ".tail")

    def _part(self, stretch: _Stretch) -> Path:
        return self._cache.path(stretch.block, f".{stretch.begin}-{stretch.end}")

    def _fetch_tails(self, blocks: Sequence[Block]) -> list[Unread]:
        """Brings the blocks' footers here."""
        absent = [block for block in blocks if not used(self._tail(block), block.size_bytes)]
        if not absent:
            return []
        self._cache.make_room(sum(map(_tail_bytes, absent)), {str(self._tail(block)) for block in blocks})
        with fetching(max(map(_tail_bytes, absent))) as pool:
            return [one for one in pool.map(self._fetch_tail, absent) if one]

    def _fetch_tail(self, block: Block) -> Unread | None:
        try:
            begin = block.size_bytes - _tail_bytes(block)
            tail = self._bytes(block, begin, block.size_bytes)
            footer = block.size_bytes - _footer_bytes(tail, block.size_bytes)
            if footer < begin:
                tail = self._bytes(block, footer, begin) + tail
        except (NotFound, Corrupt) as why:
            return _unread(block, why)
        write_whole(self._tail(block), {block.size_bytes - len(tail): tail}, block.size_bytes)
        return None

    def _chosen(
        self, blocks: Sequence[Block], trace_id: bytes, deadline_s: float
    ) -> tuple[list[_Stretch], list[Unread]]:
        """Where the trace may be in each block, if anywhere; and the blocks whose footers do not read."""
        chosen, senseless = [], []
        for block in blocks:
            try:
                groups = self._layout(block, deadline_s).groups
            except Corrupt as why:
                senseless.append(_unread(block, why))
                continue
            held = [group for group in groups if group.first_id <= trace_id <= group.last_id]
            if held:
                chosen.append(_Stretch(block, held[0].begin, held[-1].end))
        return chosen, senseless

    def _layout(self, block: Block, deadline_s: float) -> _Layout:
        path = self._tail(block)
        if path not in self._layouts:
            rows = self._database.run(_ROW_GROUPS, [str(path)], deadline_s)
            if len(self._layouts) >= _REMEMBERED:
                del self._layouts[next(iter(self._layouts))]
            self._layouts[path] = _layout_of(rows, block.size_bytes - len(_footer(path)))
        return self._layouts[path]

    def _fetch_stretches(self, stretches: Sequence[_Stretch]) -> list[Unread]:
        absent = [one for one in stretches if not used(self._part(one), one.block.size_bytes)]
        if not absent:
            return []
        keep = {str(self._part(one)) for one in stretches} | {str(self._tail(one.block)) for one in stretches}
        self._cache.make_room(sum(one.end - one.begin + _tail_bytes(one.block) for one in absent), keep)
        with fetching(max(one.end - one.begin for one in absent)) as pool:
            return [one for one in pool.map(self._fetch_stretch, absent) if one]

    def _fetch_stretch(self, stretch: _Stretch) -> Unread | None:
        """Writes the file of an ending and some row groups."""
        block = stretch.block
        ending = self._layouts[self._tail(block)].ending
        footer = _footer(self._tail(block))
        held = min(block.size_bytes - _tail_bytes(block), block.size_bytes - len(footer))
        try:
            body = self._bytes(block, stretch.begin, stretch.end)
            filters = self._bytes(block, ending, held) if ending < held else b""
        except (NotFound, Corrupt) as why:
            return _unread(block, why)
        tail = _end_of(self._tail(block), block.size_bytes - ending - len(filters))
        write_whole(self._part(stretch), {stretch.begin: body, ending: filters + tail}, block.size_bytes)
        return None

    def _bytes(self, block: Block, begin: int, end: int) -> bytes:
        body = self._objects.get_range(block.key, begin, end - begin)
        if len(body) != end - begin:
            raise Corrupt("not as long as what was written", block.key)
        return body


def footer_bytes(block: Block) -> int:
    """How much of a block is fetched for its footer."""
    return block.size_bytes if block.size_bytes <= WHOLE_BYTES else _tail_bytes(block)


def lookup_bytes(block: Block) -> int:
    """About how much of a block is fetched for one trace."""
    return min(block.size_bytes, footer_bytes(block) + _ROW_GROUP_BYTES)


def _check(size_bytes: int, most_bytes: int) -> None:
    if size_bytes > most_bytes:
        raise QueryTooBroad(
            f"the trace may lie in {size_bytes / MIB:.0f} MiB of blocks, and one request may read "
            f"{most_bytes / MIB:.0f} MiB: narrow the time range"
        )


def _unread(block: Block, why: Exception) -> Unread:
    return Unread(block, "missing" if isinstance(why, NotFound) else f"corrupt: {why}")


def _tail_bytes(block: Block) -> int:
    """How much of a block's end is fetched for its footer."""
    return min(block.size_bytes, max(_TAIL_BYTES, block.size_bytes // _TAIL_SHARE))


def _footer_bytes(ending: bytes, size_bytes: int) -> int:
    """How many bytes at the end of a block its footer takes, going by the last of them; Corrupt when that cannot be."""
    footer_bytes = int.from_bytes(ending[-_ENDING_BYTES : -len(_MAGIC)], "little") + _ENDING_BYTES
    if ending[-len(_MAGIC) :] != _MAGIC or footer_bytes > size_bytes:
        raise Corrupt("does not end as Parquet does")
    return footer_bytes


def _layout_of(rows: Sequence[Row], footer: int) -> _Layout:
    """What _ROW_GROUPS tells of a block whose footer begins there."""
    ending = min([footer, *(filter_begin for *_, filter_begin in rows if filter_begin is not None)])
    ends = [*(begin for _, _, begin, _ in rows[1:]), ending]
    groups = [_RowGroup(first, last, begin, end) for (first, last, begin, _), end in zip(rows, ends, strict=True)]
    return _Layout(groups, ending)


def _end_of(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(-size_bytes, os.SEEK_END)
        return file.read()


def _footer(path: Path) -> bytes:
    """The footer at the end of a file."""
    with path.open("rb") as file:
        size_bytes = file.seek(-_ENDING_BYTES, os.SEEK_END) + _ENDING_BYTES
        file.seek(size_bytes - _footer_bytes(file.read(), size_bytes))
        return file.read()
