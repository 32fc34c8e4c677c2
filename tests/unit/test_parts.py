"""Of a large block a trace by its id reads the footer and the row groups that can hold it, and no more."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from spandrel.blocks import parts, writer
from spandrel.model.catalogue import Block
from spandrel.model.errors import NotFound, Overloaded, QueryTooBroad
from spandrel.query import reading as reading_module
from spandrel.query.trace import trace
from tests.archive import Archive, MemoryObjects, archive_in
from tests.builders import request_of, span

TRACES = 100
SPANS_A_TRACE = 5
DRAW = random.Random(1)
IDS = sorted(DRAW.randbytes(16) for _ in range(TRACES))


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are large from their first byte on, their row groups and the reads of their ends small."""
    monkeypatch.setattr(writer, "ROW_GROUP_SPANS", 50)
    monkeypatch.setattr(parts, "WHOLE_BYTES", 0)
    monkeypatch.setattr(parts, "_TAIL_BYTES", 64)
    monkeypatch.setattr(parts, "_TAIL_SHARE", 10**9)


@pytest.fixture
def block(archive: Archive) -> Block:
    spans = [span(f"{n}", trace_id=trace_id, attributes={"n": n}) for trace_id in IDS for n in range(SPANS_A_TRACE)]
    (added,) = archive.add(request_of(*spans))
    return added


def names(archive: Archive, trace_id: bytes) -> list[str]:
    found = trace(archive.reading(), trace_id)
    return [row[found.columns.index("name")] for row in found.rows]


def blocks_read(archive: Archive) -> list[str]:
    """The reads of blocks. Whether the trace is archived costs one more, each time."""
    return [key for key in archive.objects.read if "/archive/" not in key]


def test_every_trace_comes_whole(archive: Archive, block: Block) -> None:
    for trace_id in IDS:
        assert sorted(names(archive, trace_id)) == [str(n) for n in range(SPANS_A_TRACE)]


def test_a_trace_costs_its_footer_and_its_row_group(archive: Archive, block: Block) -> None:
    names(archive, IDS[50])
    assert blocks_read(archive) == [block.key] * 3  # the length of the footer, the footer, a row group
    assert archive.objects.read_bytes < block.size_bytes * 3 / 4


def test_the_same_trace_costs_nothing_when_asked_again(archive: Archive, block: Block) -> None:
    names(archive, IDS[50])
    archive.objects.read.clear()
    names(archive, IDS[50])
    assert blocks_read(archive) == []


def test_a_trace_of_another_row_group_costs_that_row_group(archive: Archive, block: Block) -> None:
    names(archive, IDS[50])
    archive.objects.read.clear()
    names(archive, IDS[10])
    assert blocks_read(archive) == [block.key]


def test_an_id_between_row_groups_costs_the_footer_alone(archive: Archive, block: Block) -> None:
    between = (int.from_bytes(IDS[9], "big") + 1).to_bytes(16, "big")
    with pytest.raises(NotFound):
        names(archive, between)
    assert len(blocks_read(archive)) == 2


def test_a_trace_over_many_row_groups_comes_whole(archive: Archive) -> None:
    spans = [span(f"{n}", trace_id=IDS[1]) for n in range(220)]
    archive.add(request_of(span("before", trace_id=IDS[0]), *spans, span("after", trace_id=IDS[2])))
    assert len(names(archive, IDS[1])) == 220
    assert names(archive, IDS[0]) == ["before"]


@pytest.fixture
def filtered(archive: Archive, block: Block) -> Block:
    """The block as a merge leaves it: with a filter of trace ids for each row group, before its footer."""
    (merged,) = archive.merge()
    metadata = pq.read_metadata(io.BytesIO(archive.objects.kept[merged.key]))
    assert metadata.num_row_groups > 1
    return merged


def test_every_trace_of_a_merged_block_comes_whole(archive: Archive, filtered: Block) -> None:
    for trace_id in IDS:
        assert len(names(archive, trace_id)) == SPANS_A_TRACE


@pytest.mark.parametrize(("tail_share", "reads"), [(10**9, 4), (1, 2)], ids=["tail too short for them", "in the tail"])
def test_filters_are_read_with_the_footer_where_they_fit_and_by_themselves_where_not(
    archive: Archive, filtered: Block, monkeypatch: pytest.MonkeyPatch, tail_share: int, reads: int
) -> None:
    monkeypatch.setattr(parts, "_TAIL_SHARE", tail_share)
    archive.objects.read.clear()
    assert len(names(archive, IDS[50])) == SPANS_A_TRACE
    assert blocks_read(archive) == [filtered.key] * reads


def test_a_trace_that_only_the_statistics_allow_is_in_no_row_group(archive: Archive, filtered: Block) -> None:
    within = (int.from_bytes(IDS[50], "big") + 1).to_bytes(16, "big")
    with pytest.raises(NotFound):
        names(archive, within)
    assert archive.reading().unread == ()


def test_a_block_that_is_here_whole_is_used(archive: Archive, block: Block) -> None:
    archive.reading().open([block])
    archive.objects.read.clear()
    assert len(names(archive, IDS[50])) == SPANS_A_TRACE
    assert blocks_read(archive) == []


def flipped(body: bytes) -> bytes:
    """With a first row group that does not read."""
    middle = len(body) // 3
    return body[:100] + bytes(byte ^ 0xFF for byte in body[100:middle]) + body[middle:]


@pytest.mark.parametrize(
    "harmed",
    [
        lambda body: body[:-1],
        lambda body: body[:20],
        lambda body: body[:0],
        lambda body: body[:-4] + b"PAR?",
        lambda body: body[:-8] + b"\xff\xff\xff\x7fPAR1",
        lambda body: body[:-400] + bytes(392) + body[-8:],
        flipped,
    ],
    ids=["cut", "short", "empty", "other", "footer too long", "footer of zeros", "flipped row group"],
)
def test_a_block_that_does_not_read_is_left_out_and_told(
    archive: Archive, block: Block, harmed: Callable[[bytes], bytes]
) -> None:
    archive.add(request_of(span("kept", trace_id=IDS[0])))
    archive.objects.kept[block.key] = harmed(archive.objects.kept[block.key])
    assert unread_for(archive, IDS[0]) == [(block, "corrupt")]


def test_a_block_that_is_missing_is_left_out_and_told(archive: Archive, block: Block) -> None:
    archive.add(request_of(span("kept", trace_id=IDS[0])))
    del archive.objects.kept[block.key]
    assert unread_for(archive, IDS[0]) == [(block, "missing")]


def unread_for(archive: Archive, trace_id: bytes) -> list[tuple[Block, str]]:
    """What a trace of one span, kept elsewhere, is answered without."""
    reading = archive.reading()
    assert len(trace(reading, trace_id).rows) == 1
    return [(one.block, one.reason.partition(":")[0]) for one in reading.unread]


def test_a_throttled_object_store_is_told_and_leaves_no_half_files(tmp_path: Path) -> None:
    class Throttled(MemoryObjects):
        def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
            if len(self.read) == 2:
                raise Overloaded("SlowDown", throttled=True)
            return super().get_range(key, first_byte, length_bytes)

    with archive_in(tmp_path, objects=Throttled()) as archive:
        archive.add(request_of(span("a", trace_id=IDS[0])))
        with pytest.raises(Overloaded):
            names(archive, IDS[0])
        archive.objects.read.clear()
        assert names(archive, IDS[0]) == ["a"]


def test_parts_take_as_much_of_the_cache_as_they_take_of_the_disk(tmp_path: Path) -> None:
    spans = [span("a", trace_id=trace_id, attributes={"noise": DRAW.randbytes(8000)}) for trace_id in IDS]
    with archive_in(tmp_path, cap_bytes=1_000_000) as archive:
        archive.add(request_of(*spans))
        for trace_id in (IDS[0], IDS[99]) * 2:
            assert names(archive, trace_id) == ["a"]
    assert len(blocks_read(archive)) == 4  # twice for the footer, once for each row group


def test_a_trace_that_takes_more_than_a_request_may_read_is_refused(
    archive: Archive, block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "QUERY_BYTES_MAX", 1000)
    with pytest.raises(QueryTooBroad, match="narrow the time range"):
        names(archive, IDS[50])
