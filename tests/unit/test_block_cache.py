from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spandrel.blocks.block_cache import BlockCache
from spandrel.model.catalogue import Block
from spandrel.model.errors import Overloaded
from tests.archive import Archive, MemoryObjects, archive_in
from tests.builders import request_of, span


@pytest.fixture
def blocks(archive: Archive) -> list[Block]:
    return [archive.add(request_of(span(str(number), attributes={"n": number})))[0] for number in range(5)]


def cache_of(archive: Archive, folder: Path, cap_bytes: int = 10**9) -> BlockCache:
    return BlockCache(folder / "cache", archive.objects, cap_bytes)


def files(cache: BlockCache) -> list[Path]:
    return sorted(path for path in cache.folder.rglob("*") if path.is_file())


def test_a_block_is_fetched_once(archive: Archive, blocks: list[Block], tmp_path: Path) -> None:
    cache = cache_of(archive, tmp_path)
    for _ in range(2):
        fetched = cache.fetch(blocks)
        assert [fetched.paths[block.block_id].read_bytes() for block in blocks] == [
            archive.objects.kept[block.key] for block in blocks
        ]
    assert sorted(archive.objects.read) == sorted(block.key for block in blocks)


def test_another_process_finds_what_is_there(archive: Archive, blocks: list[Block], tmp_path: Path) -> None:
    cache_of(archive, tmp_path).fetch(blocks)
    archive.objects.kept.clear()
    assert len(cache_of(archive, tmp_path).fetch(blocks).paths) == 5


def test_a_file_that_vanished_or_was_cut_is_fetched_again(
    archive: Archive, blocks: list[Block], tmp_path: Path
) -> None:
    cache = cache_of(archive, tmp_path)
    paths = cache.fetch(blocks).paths
    paths[blocks[0].block_id].unlink()
    paths[blocks[1].block_id].write_bytes(b"half")
    again = cache.fetch(blocks)
    assert again.unread == ()
    for block in blocks[:2]:
        assert again.paths[block.block_id].read_bytes() == archive.objects.kept[block.key]


def test_the_least_recently_used_files_go_first(archive: Archive, blocks: list[Block], tmp_path: Path) -> None:
    cache = cache_of(archive, tmp_path, cap_bytes=sum(block.size_bytes for block in blocks[:3]))
    for second, block in enumerate(blocks[:3]):
        os.utime(cache.fetch([block]).paths[block.block_id], (second, second))
    cache.fetch([blocks[0]])  # used again
    paths = cache.fetch([blocks[3]]).paths
    kept = {path.name.split("-")[0] for path in files(cache)}
    assert kept == {blocks[0].block_id, blocks[2].block_id, blocks[3].block_id}
    assert set(paths) == {blocks[3].block_id}


def test_what_one_call_asks_for_stays_even_over_the_cap(archive: Archive, blocks: list[Block], tmp_path: Path) -> None:
    cache = cache_of(archive, tmp_path, cap_bytes=1)
    paths = cache.fetch(blocks).paths
    assert all(path.exists() for path in paths.values())
    cache.fetch(blocks[:1])
    assert len(cache.fetch(blocks[:1]).paths) == 1


def test_a_fault_of_the_object_store_leaves_no_half_files_and_is_told(
    archive: Archive, blocks: list[Block], tmp_path: Path
) -> None:
    class Failing(MemoryObjects):
        def get(self, key: str) -> bytes:
            raise Overloaded(f"reading {key}: SlowDown", throttled=True)

    cache = BlockCache(tmp_path / "cache", Failing(), 10**9)
    with pytest.raises(Overloaded):
        cache.fetch(blocks)
    assert files(cache) == []


def test_a_disk_that_is_full_leaves_no_half_files(
    archive: Archive, blocks: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    cache = cache_of(archive, tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        cache.fetch(blocks)
    assert files(cache) == []


def test_what_a_dead_process_left_half_written_goes_and_what_another_one_writes_stays(
    archive: Archive, blocks: list[Block], tmp_path: Path
) -> None:
    cache = cache_of(archive, tmp_path, cap_bytes=1)
    abandoned, written_now = (cache.folder / "shop" / name for name in ("part-abandoned", "part-now"))
    abandoned.parent.mkdir(parents=True)
    for path in (abandoned, written_now):
        path.write_bytes(b"half")
    os.utime(abandoned, (0, 0))
    cache.fetch(blocks)
    assert (abandoned.exists(), written_now.exists()) == (False, True)


def test_tenants_have_folders_of_their_own(archive: Archive, tmp_path: Path) -> None:
    ours, theirs = (archive.add(request_of(span("a")), tenant=tenant)[0] for tenant in ("shop", "rival"))
    cache = cache_of(archive, tmp_path)
    cache.fetch([ours])
    cache.fetch([theirs])
    assert {path.parent.name for path in files(cache)} == {"shop", "rival"}


def test_processes_that_push_each_other_out_still_read(tmp_path: Path) -> None:
    with archive_in(tmp_path) as archive:
        blocks = [archive.add(request_of(span(str(number), attributes={"n": number})))[0] for number in range(8)]
        small = BlockCache(tmp_path / "shared", archive.objects, blocks[0].size_bytes * 2)

        def fetched(number: int) -> int:
            chosen = [blocks[number % 8], blocks[(number * 3) % 8]]
            found = small.fetch(chosen)
            return len(found.paths) + len(found.unread)

        with ThreadPoolExecutor(4) as pool:
            counts = list(pool.map(fetched, range(200)))
        assert counts == [len({number % 8, number * 3 % 8}) for number in range(200)]
