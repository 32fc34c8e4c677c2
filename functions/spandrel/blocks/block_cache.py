"""Blocks on the local disk. A block never changes, so what lies here is never stale.

Several processes may share a folder: a file appears whole under its final name or not at all, and one that another
process has removed is fetched again.
"""

from __future__ import annotations

import os
import tempfile
import time
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from spandrel.model.catalogue import Block, ObjectStore
from spandrel.model.errors import NotFound
from spandrel.model.limits import MIB

from .naming import FORMAT_VERSION

PART = "part-"  # how the names of files begin that are being written
_ABANDONED_S = 600  # a part of that age is nobody's any more
_DISK_BLOCK_BYTES = 512  # POSIX, st_blocks
_IN_FLIGHT_BYTES = 256 * MIB  # of bodies that are being fetched, which lie in memory
PARALLEL_FETCHES = 16  # S3 answers in tens of milliseconds, and one vCPU handles about this many answers in that time


@dataclass(frozen=True, slots=True)
class Unread:
    """A block that should be there and could not be read, and why. Somebody has to look."""

    block: Block
    reason: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """`paths` by block id, in the order that was asked for, without what is `unread`."""

    paths: dict[str, Path]
    unread: tuple[Unread, ...]


class BlockCache:
    """Files of blocks below `folder`, the least recently used of which go when all would take over `cap_bytes`.

    The blocks of one call stay, also when they alone are over the cap: who calls keeps below it.
    """

    def __init__(self, folder: Path, objects: ObjectStore, cap_bytes: int) -> None:
        self.folder = folder
        self.cap_bytes = cap_bytes
        self.objects = objects

    def fetch(self, blocks: Sequence[Block]) -> Fetched:
        """The blocks' files, each as long and with the checksum that its entry says; Overloaded when S3 is."""
        paths = {block.block_id: self.path(block) for block in blocks}
        absent = [block for block in blocks if not used(paths[block.block_id], block.size_bytes)]
        unread = tuple(self._fetch_absent(absent, {str(path) for path in paths.values()})) if absent else ()
        for one in unread:
            del paths[one.block.block_id]
        return Fetched(paths, unread)

    def path(self, block: Block, part: str = "") -> Path:
        """Where the block's file lies when it is here, or the file of a part of it."""
        return self.folder / block.tenant / f"{block.block_id}-{block.crc32:08x}{part}.parquet"

    def make_room(self, incoming_bytes: int, keep: Collection[str]) -> None:
        """Removes files but those to `keep` until so much more fits below the cap."""
        files = sorted(_files(self.folder))
        excess_bytes = incoming_bytes + sum(size_bytes for _, size_bytes, _ in files) - self.cap_bytes
        for _, size_bytes, path in files:
            if excess_bytes <= 0:
                return
            if path not in keep:
                Path(path).unlink(missing_ok=True)
                excess_bytes -= size_bytes

    def _fetch_absent(self, absent: Sequence[Block], keep: Collection[str]) -> Iterator[Unread]:
        self.make_room(sum(block.size_bytes for block in absent), keep)
        with fetching(max(block.size_bytes for block in absent)) as pool:
            yield from filter(None, pool.map(self._fetch, absent))

    def _fetch(self, block: Block) -> Unread | None:
        """Writes one block's file, or says why it cannot be used."""
        if block.format_version > FORMAT_VERSION:
            return Unread(block, f"format {block.format_version} is newer than this reader")
        try:
            body = self.objects.get(block.key)
        except NotFound:
            return Unread(block, "missing")
        if len(body) != block.size_bytes or zlib.crc32(body) != block.crc32:
            return Unread(block, "corrupt: not what was written")
        write_whole(self.path(block), {0: body})
        return None


def fetching(largest_bytes: int) -> ThreadPoolExecutor:
    """Threads that fetch at once as many bodies of that size as memory may hold, and no more than pay."""
    return ThreadPoolExecutor(min(PARALLEL_FETCHES, 1 + _IN_FLIGHT_BYTES // (largest_bytes + 1)))


def used(path: Path, size_bytes: int) -> bool:
    """Whether the file is there; if so it is now the most recently used one."""
    try:
        if path.stat().st_size != size_bytes:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def write_whole(path: Path, pieces: Mapping[int, bytes], size_bytes: int = 0) -> None:
    """Pieces at their places become a file, at once; it takes no disk where there is none up to `size_bytes`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=PART, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.truncate(size_bytes)
            for place, piece in pieces.items():
                file.seek(place)
                file.write(piece)
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _files(folder: Path) -> Iterator[tuple[int, int, str]]:
    """(last use, bytes, path) of all files that may go; those that vanish meanwhile are left out."""
    if not folder.exists():
        return
    abandoned_ns = time.time_ns() - _ABANDONED_S * 10**9
    for tenant in os.scandir(folder):
        for file in os.scandir(tenant):
            try:
                found = file.stat()
            except FileNotFoundError:
                continue
            if not file.name.startswith(PART) or found.st_mtime_ns < abandoned_ns:
                on_disk_bytes = min(found.st_size, found.st_blocks * _DISK_BLOCK_BYTES)  # parts of blocks have holes
                yield found.st_mtime_ns, on_disk_bytes, file.path
