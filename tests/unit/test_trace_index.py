"""A trace by its id reads the blocks of its own hours, and whatever happens to the index, it is found."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection

import pyarrow as pa
import pytest

from spandrel.blocks.trace_segments import entries_in, entries_of, merged_entries, shards_of
from spandrel.blocks.trace_shards import FAR, places_of
from spandrel.blocks.writer import write_blocks
from spandrel.model import trace_index
from spandrel.model.errors import Corrupt, NotFound, Overloaded
from spandrel.model.levels import HOUR_NS, SET_ASIDE
from spandrel.model.trace_index import Segment, indexings, rollups, shard_bits, trace_hash, unindexed
from spandrel.query.trace import trace
from tests.archive import Archive
from tests.builders import RECEIVED_NS, block, request_of, span

DRAW = random.Random(1)
LOWEST, HIGHEST = bytes(15) + b"\1", b"\xff" * 16  # in every block, so that no range of ids rules one out
FIRST_NS = RECEIVED_NS - RECEIVED_NS % (64 * HOUR_NS)
HOURS = 20


def id_of(hour: int) -> bytes:
    return bytes([128, hour]) + bytes(13) + b"\1"


def store(archive: Archive, hour: int, *trace_ids: bytes, tenant: str = "shop", start_ns: int | None = None) -> None:
    """A block of traces of one span each, which arrived in the hour of that number."""
    at_ns = FIRST_NS + hour * HOUR_NS
    spans = [span("a", trace_id=one, start_ns=start_ns or at_ns) for one in (LOWEST, *trace_ids, HIGHEST)]
    archive.add(request_of(*spans), tenant=tenant, received_ns=at_ns)


@pytest.fixture
def month(archive: Archive) -> Archive:
    """Hours with a trace of their own each, all of them indexed."""
    for hour in range(HOURS):
        store(archive, hour, id_of(hour))
    archive.index()
    archive.objects.read.clear()
    return archive


def spans_of(archive: Archive, trace_id: bytes, tenant: str = "shop") -> int:
    return len(trace(archive.reading(tenant), trace_id).rows)


def blocks_read(archive: Archive) -> int:
    return len({key for key in archive.objects.read if "/blocks/" in key})


def index_read(archive: Archive) -> int:
    return len([key for key in archive.objects.read if "/traces/" in key])


@pytest.mark.parametrize("rolled_up", [False, True], ids=["segments of an hour", "rolled up"])
def test_a_trace_reads_the_blocks_of_its_hour_alone(month: Archive, rolled_up: bool) -> None:
    if rolled_up:
        month.roll_up()
        assert len(month.segments.kept) == 1
    for hour in (0, 7, HOURS - 1):
        month.objects.read.clear()
        assert spans_of(month, id_of(hour)) == 1
        assert blocks_read(month) == 1


@pytest.mark.parametrize("rolled_up", [False, True], ids=["segments of an hour", "rolled up"])
def test_a_trace_that_is_nowhere_reads_no_block(month: Archive, rolled_up: bool) -> None:
    if rolled_up:
        month.roll_up()
    month.objects.read.clear()
    with pytest.raises(NotFound):
        spans_of(month, id_of(HOURS))
    assert blocks_read(month) == 0
    assert index_read(month) == (1 if rolled_up else HOURS)


def test_a_trace_of_several_hours_comes_whole(month: Archive) -> None:
    store(month, HOURS, id_of(77))
    store(month, HOURS + 1, id_of(77))
    month.index()
    assert spans_of(month, id_of(77)) == 2


def test_a_trace_whose_hour_goes_on_is_found_without_the_index(month: Archive) -> None:
    store(month, HOURS + 3, id_of(77))
    assert spans_of(month, id_of(77)) == 1
    assert (blocks_read(month), index_read(month)) == (1, 0)


def test_a_block_that_comes_late_for_an_indexed_hour_is_found(month: Archive) -> None:
    store(month, 5, id_of(77), id_of(5))
    month.segments.settled.remove(("shop", FIRST_NS + 5 * HOUR_NS))  # as the ledger says
    assert spans_of(month, id_of(77)) == 1
    month.index()
    month.roll_up()
    assert len(month.segments.kept) == 1
    assert len(month.reading().whereabouts(id_of(77)).near(0, 2**64)) == 2  # the hour's blocks, and of no other hour
    assert spans_of(month, id_of(77)) == 1


def test_blocks_that_compaction_replaced_are_found_by_the_same_index(month: Archive) -> None:
    (old,) = [one for one in month.catalogue.kept.values() if one.received_ns == FIRST_NS]
    request = request_of(span("a", trace_id=id_of(0), start_ns=FIRST_NS))
    for written in write_blocks("shop", [request.SerializeToString()], FIRST_NS, "merged"):
        del month.catalogue.kept[old.key], month.objects.kept[old.key]
        month.objects.put(written.entry.key, written.body)
        month.catalogue.add(written.entry)
    assert spans_of(month, id_of(0)) == 1


def test_a_trace_that_is_gone_from_its_blocks_is_not_found(month: Archive) -> None:
    (old,) = [one for one in month.catalogue.kept.values() if one.received_ns == FIRST_NS]
    del month.catalogue.kept[old.key]
    with pytest.raises(NotFound):
        spans_of(month, id_of(0))


def test_spans_far_from_their_arrival_are_found_by_the_index(month: Archive) -> None:
    for hour in range(5):
        store(month, hour, id_of(40 + hour), start_ns=1)
    month.segments.settled.clear()
    month.index()
    month.roll_up()
    month.objects.read.clear()
    assert spans_of(month, id_of(43)) == 1
    assert blocks_read(month) == 1


def test_tenants_never_see_each_others_traces(month: Archive) -> None:
    store(month, 3, id_of(77), tenant="rival")
    month.index("rival")
    assert spans_of(month, id_of(77), "rival") == 1
    for tenant, trace_id in (("shop", id_of(77)), ("rival", id_of(3))):
        with pytest.raises(NotFound):
            spans_of(month, trace_id, tenant)
    assert {key.split("/")[0] for key in month.objects.kept if "/traces/" in key} == {"shop", "rival"}


HARMS: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: b"",
    "cut": lambda body: body[:-1],
    "longer": lambda body: body[:4] + b"\0\0\0\1" + body[8:],
    "zeros": lambda body: bytes(len(body)),
    "flipped": lambda body: body[:9] + bytes(byte ^ 0xFF for byte in body[9:]),
    "of another format": lambda body: b"SPT2" + body[4:],
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
@pytest.mark.parametrize("rolled_up", [False, True], ids=["segments of an hour", "rolled up"])
def test_an_index_that_does_not_read_costs_work_and_no_trace_and_is_told(
    month: Archive, harm: Callable[[bytes], bytes | None], rolled_up: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if rolled_up:
        month.roll_up()
    for key in [key for key in month.objects.kept if "/traces/" in key]:
        body = harm(month.objects.kept.pop(key))
        if body is not None:
            month.objects.kept[key] = body
    with caplog.at_level(logging.ERROR):
        assert spans_of(month, id_of(7)) == 1
    assert "the trace index does not read" in caplog.text
    with pytest.raises(NotFound):
        spans_of(month, id_of(HOURS))


def test_a_segment_that_is_rolled_up_between_the_list_and_the_read_is_found_in_the_larger_one(
    month: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    reading = month.reading()
    where = reading.whereabouts(id_of(7))
    month.roll_up()
    with caplog.at_level(logging.ERROR):
        assert [one.received_ns for one in where.near(0, 2**64)] == [FIRST_NS + 7 * HOUR_NS]
    assert caplog.text == ""


def test_a_throttled_object_store_is_told_and_nothing_is_denied(
    month: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(key: str) -> bytes:
        raise Overloaded(f"reading {key}: SlowDown", throttled=True)

    monkeypatch.setattr(month.objects, "get", throttled)
    with pytest.raises(Overloaded):
        spans_of(month, id_of(7))


def test_a_hint_reads_no_index_of_other_days(archive: Archive) -> None:
    for day in range(10):
        store(archive, 24 * day, id_of(day))
    archive.index()
    archive.objects.read.clear()
    at_ns = FIRST_NS + 48 * HOUR_NS
    assert len(trace(archive.reading(), id_of(2), at_ns, at_ns + 1).rows) == 1
    assert (index_read(archive), blocks_read(archive)) == (1, 1)


IDS = [bytes(16 - size) + DRAW.randbytes(size) for size in (16, 8, 4, 1) for _ in range(50)]


def entries_of_ids(ids: list[bytes], place: int) -> pa.Array:
    request = request_of(*(span("a", trace_id=one) for one in ids))
    (written,) = write_blocks("shop", [request.SerializeToString()], RECEIVED_NS, "name")
    return entries_of(written.body, place, "here")


def test_ids_have_the_same_hash_in_columns_as_one_by_one() -> None:
    ids = sorted({one for one in IDS if any(one)})
    assert [entry.as_py() >> 8 for entry in entries_of_ids(ids, 5)] == [trace_hash(one) for one in ids]


def test_hashes_are_spread_evenly_also_where_ids_are_not() -> None:
    numbers = [number.to_bytes(16, "big") for number in range(1, 4097)]
    times = [number.to_bytes(4, "big") + bytes(12) for number in range(1, 4097)]
    for ids in (numbers, times):
        counts = [0] * 16
        for one in ids:
            counts[trace_hash(one) >> (trace_index.HASH_BITS - 4)] += 1
        assert max(counts) < 2 * 4096 / 16


def test_what_shards_hold_is_what_was_put_in() -> None:
    entries = merged_entries([entries_of_ids(IDS[:120], 3), entries_of_ids(IDS[60:150], FAR)])
    bodies = {shard: body for shard, body, _ in shards_of(entries, 0, 7, 3)}
    assert pa.concat_arrays([entries_in(body, 0, "here") for body in bodies.values()]) == entries
    for number, one in enumerate(IDS[:150]):
        hashed = trace_hash(one)
        places = places_of(hashed, bodies[hashed >> (trace_index.HASH_BITS - 3)], "here")
        expected = {place for place, ids in ((3, IDS[:120]), (FAR, IDS[60:150])) if one in ids}
        assert set(places) == expected, number


def test_a_block_that_is_none_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="does not read"):
        entries_of(b"PAR1 no more", 0, "here")


@pytest.mark.parametrize(("traces", "bits"), [(0, 0), (1, 0), (65_536, 0), (65_537, 1), (33_000_000, 9), (10**11, 16)])
def test_shards_stay_small(traces: int, bits: int) -> None:
    assert shard_bits(traces) == bits


def segment(hour: int, hours: int = 1, traces: int = 10, block_ids: tuple[str, ...] = ()) -> Segment:
    name, start_ns = f"{hour}-{hours}", FIRST_NS + hour * HOUR_NS
    return Segment("shop", name, start_ns, hours, 0, traces, 1, LOWEST, HIGHEST, block_ids)


def rolled(segments: list[Segment], unsettled: Collection[int] = (), hour: int = 64) -> list[tuple[int, list[str]]]:
    found = rollups(segments, [FIRST_NS + one * HOUR_NS for one in unsettled], FIRST_NS + hour * HOUR_NS)
    return [(one.hours, [each.name for each in one.inputs]) for one in found]


def test_eight_hours_become_one_segment_when_they_are_over() -> None:
    hours = [segment(hour) for hour in range(8)]
    assert rolled(hours, hour=7) == []
    assert rolled(hours, hour=8) == [(8, [one.name for one in hours])]
    assert rolled(hours, {3}, hour=8) == []


def test_sixty_four_hours_become_one_segment_whatever_they_lie_in() -> None:
    parts = [segment(8 * number, 8) for number in range(7)] + [segment(hour) for hour in range(56, 64)]
    assert rolled(parts) == [(64, [one.name for one in parts])]
    assert rolled(parts, {63}) == []
    assert rolled(parts, {70}) == [(64, [one.name for one in parts])]


def test_what_comes_late_joins_its_window() -> None:
    assert rolled([segment(0, 64), segment(9)]) == [(64, ["0-64", "9-1"])]


def test_a_lone_segment_stays_as_it_is() -> None:
    assert rolled([segment(3), segment(70)], hour=200) == []


def test_segments_that_would_be_too_many_traces_for_a_worker_stay_apart() -> None:
    parts = [segment(8 * number, 8, traces=400_000_000) for number in range(8)]
    assert rolled(parts) == []


def test_blocks_are_indexed_in_parts_but_for_those_that_do_not_read() -> None:
    blocks = [block(f"{number:03}", min_trace_id=bytes([number]) * 16) for number in range(100)]
    known = segment(0, block_ids=("000", "001"))
    left = unindexed([*blocks[:99], block("bad", level=SET_ASIDE)], [known], FIRST_NS)
    jobs = indexings("shop", FIRST_NS, left)
    assert [[one.block_id for one in job.blocks] for job in jobs] == [
        [f"{number:03}" for number in range(2, 66)],
        [f"{number:03}" for number in range(66, 99)],
    ]
    assert unindexed(blocks[:2], [known], FIRST_NS + HOUR_NS) == blocks[:2]
