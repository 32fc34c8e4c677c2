from __future__ import annotations

from dataclasses import replace

from spandrel.model.catalogue import Block
from spandrel.model.levels import (
    CLOSED_AFTER_NS,
    HOUR_NS,
    JOB_BLOCKS,
    JOB_BYTES,
    MERGE_FROM,
    SET_ASIDE,
    SETTLED_BYTES,
    jobs_of,
)
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
