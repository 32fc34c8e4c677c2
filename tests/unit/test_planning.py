from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.hours import ALL_IDS, FIRST_NS, RANDOM, Hour, Ids, hour_of_traffic, settle
from spandrel.model.catalogue import Block
from spandrel.model.levels import (
    BLOCK_BYTES,
    CLOSED_AFTER_NS,
    HOUR_NS,
    JOB_BLOCKS,
    JOB_BYTES,
    MERGE_FROM,
    REWRITES_MAX,
    SET_ASIDE,
    SETTLED_BYTES,
)
from spandrel.model.planning import CHEAP_BYTES, CUT_BLOCKS, jobs_of
from tests.builders import block

HOUR = 497_222 * HOUR_NS
OPEN_NS, CLOSED_NS = HOUR + HOUR_NS // 2, HOUR + HOUR_NS + CLOSED_AFTER_NS


def blocks(count: int, **other: object) -> list[Block]:
    return [replace(block(f"b{n:04}", received_ns=HOUR + n), **other) for n in range(count)]  # type: ignore[arg-type]


def test_a_few_blocks_of_an_hour_that_goes_on_are_left_alone() -> None:
    assert jobs_of(blocks(MERGE_FROM - 1), HOUR, OPEN_NS) == []


def test_enough_blocks_of_a_level_are_merged_into_the_next() -> None:
    (job,) = jobs_of(blocks(MERGE_FROM), HOUR, OPEN_NS)
    assert (job.level, len(job.inputs)) == (1, MERGE_FROM)
    (job,) = jobs_of(blocks(MERGE_FROM, level=1), HOUR, OPEN_NS)
    assert job.level == 2


def test_levels_are_not_mixed_while_the_hour_goes_on() -> None:
    mixed = [*blocks(MERGE_FROM - 1), *(replace(b, block_id=f"x{b.block_id}", level=1) for b in blocks(MERGE_FROM - 1))]
    assert jobs_of(mixed, HOUR, OPEN_NS) == []


def test_what_is_left_of_an_hour_that_is_over_is_merged_whatever_its_level() -> None:
    left = [*blocks(2), replace(blocks(1)[0], block_id="x", level=1)]
    (job,) = jobs_of(left, HOUR, CLOSED_NS)
    assert (job.level, len(job.inputs)) == (2, 3)
    assert jobs_of(left[:1], HOUR, CLOSED_NS) == []


def test_a_job_is_bounded_in_blocks_and_bytes_and_there_are_as_many_as_it_takes() -> None:
    jobs = jobs_of(blocks(3 * JOB_BLOCKS), HOUR, CLOSED_NS)
    assert [len(job.inputs) for job in jobs] == [JOB_BLOCKS] * 3
    heavy = jobs_of(blocks(20, size_bytes=SETTLED_BYTES - 1), HOUR, CLOSED_NS)
    assert all(sum(b.size_bytes for b in job.inputs) <= JOB_BYTES for job in heavy)
    assert sum(len(job.inputs) for job in heavy) == 20


def test_no_block_is_in_two_jobs_and_equal_inputs_make_an_equal_name() -> None:
    jobs = jobs_of(blocks(200), HOUR, CLOSED_NS)
    ids = [b.block_id for job in jobs for b in job.inputs]
    assert len(ids) == len(set(ids)) == 200
    assert [job.name for job in jobs] == [job.name for job in jobs_of(blocks(200)[::-1], HOUR, CLOSED_NS)]


def test_a_large_block_and_one_set_aside_are_merged_no_more() -> None:
    assert jobs_of(blocks(9, size_bytes=SETTLED_BYTES), HOUR, CLOSED_NS) == []
    assert jobs_of(blocks(9, level=SET_ASIDE), HOUR, CLOSED_NS) == []


def test_far_blocks_are_merged_among_themselves() -> None:
    both = [*blocks(2), *(replace(b, block_id=f"far{b.block_id}", far=True) for b in blocks(2))]
    assert [{b.far for b in job.inputs} for job in jobs_of(both, HOUR, CLOSED_NS)] == [{False}, {True}]


def test_what_somebody_merges_already_is_in_no_job() -> None:
    found = blocks(MERGE_FROM + 1)
    (job,) = jobs_of(found, HOUR, OPEN_NS, {found[0].block_id})
    assert found[0] not in job.inputs
    assert jobs_of(found, HOUR, CLOSED_NS, {found[0].block_id}) == []


def test_no_span_is_rewritten_without_end() -> None:
    assert jobs_of(blocks(2, level=REWRITES_MAX - 1), HOUR, CLOSED_NS) != []
    assert jobs_of(blocks(2, level=REWRITES_MAX), HOUR, CLOSED_NS) == []


def test_ten_spans_a_minute_are_one_block_an_hour() -> None:
    hour = hour_of_traffic(10 * 1440)
    assert (len(hour.blocks), hour.most_rewrites) == (1, 3)
    assert jobs_of(hour.blocks, FIRST_NS, FIRST_NS + HOUR_NS + CLOSED_AFTER_NS) == []


def most_held(hour: Hour) -> int:
    """In how many blocks a lookup has to look, at most."""
    return max(len(hour.holding(hour.ids.id_at((at + 0.5) / 499))) for at in range(499))


@pytest.mark.parametrize("ids", ALL_IDS, ids=lambda ids: ids.name)
def test_a_trace_of_an_hour_that_is_over_lies_in_one_block_at_a_billion_spans_a_day(ids: Ids) -> None:
    hour = hour_of_traffic(1e9, ids)
    assert most_held(hour) == 1
    assert hour.most_rewrites <= 3
    assert len(hour.blocks) <= 1.6 * hour.stored_bytes / BLOCK_BYTES
    assert hour.largest_job[0] <= 97
    assert hour.largest_job[1] <= JOB_BYTES


def test_however_few_merges_are_done_in_a_round_they_agree_where_to_cut() -> None:
    at_once, little_by_little = Hour(RANDOM), Hour(RANDOM)
    for hour in (at_once, little_by_little):
        for minute in range(60):
            for number in range(12):
                hour.store(minute, 58_000, number)
            hour.compact(FIRST_NS + (minute + 1) * 60 * 10**9)
    settle(at_once)
    settle(little_by_little, most=1)
    assert most_held(little_by_little) == 1
    assert little_by_little.rewrites < at_once.rewrites + 0.5


@pytest.mark.parametrize("spans_a_day", [4e8, 1.9e9])
def test_a_little_more_or_less_moves_no_fence_of_what_is_settled(spans_a_day: float) -> None:
    hour = hour_of_traffic(spans_a_day)
    settled = {block.block_id for block in hour.blocks}
    for number in range(12):
        hour.store(59, spans_a_day / 24 / 1000, number + 1000)
        settle(hour)
    assert settled <= set(hour.live)


def test_blocks_that_come_late_leave_what_is_settled_alone() -> None:
    hour = hour_of_traffic(1e9)
    before, late = hour.rewritten_bytes, 40
    for number in range(late):
        hour.store(59, 5000, number + 1000)
        settle(hour)
    assert hour.rewritten_bytes - before <= late * CHEAP_BYTES
    assert most_held(hour) <= 2


def test_a_trace_too_large_for_one_merge_is_merged_as_far_as_it_goes() -> None:
    one = {"min_trace_id": b"\7" * 16, "max_trace_id": b"\7" * 16, "quantiles": (b"\7" * 16,)}
    huge = blocks(20, size_bytes=SETTLED_BYTES // 2, level=1, **one)
    jobs = jobs_of(huge, HOUR, CLOSED_NS)
    assert sum(len(job.inputs) for job in jobs) == 20
    assert all(not job.cuts and sum(b.size_bytes for b in job.inputs) <= JOB_BYTES for job in jobs)
    assert jobs_of(blocks(20, size_bytes=SETTLED_BYTES, level=1, **one), HOUR, CLOSED_NS) == []


def test_a_merge_that_cuts_has_room_in_its_transaction_for_what_comes_out() -> None:
    quantiles = tuple(bytes([16 * part]) + bytes(15) for part in range(1, 16))
    wide = blocks(3000, size_bytes=1_000_000, level=1, quantiles=quantiles, min_trace_id=bytes(16))
    jobs = jobs_of(wide, HOUR, CLOSED_NS)
    assert all(job.cuts for job in jobs)
    assert all(len(job.inputs) <= CUT_BLOCKS and len(job.inputs) + len(job.cuts) + 1 <= 97 for job in jobs)
    assert len({job.cuts for job in jobs}) == 1
    assert sum(len(job.inputs) for job in jobs) == 3000
