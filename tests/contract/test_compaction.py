"""Compaction over DynamoDB as moto plays it: whoever dies wherever, every span stored is found exactly once."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from compact.worker import Worker
from plan.planner import ROUND_NS
from spandrel.aws.clients import client
from spandrel.aws.jobs import LambdaJobs, job_of
from spandrel.aws.ledger import GRACE_S
from spandrel.blocks import tally
from spandrel.model.errors import Conflict, Overloaded, Undecodable
from spandrel.model.levels import HOUR_NS, MERGE_FROM, SET_ASIDE, Job
from tests.builders import block
from tests.contract.compacting import (
    START_NS,
    Counted,
    ErasableObjects,
    World,
    hour_of_spans,
    make_merges_small,
    merge_of,
)


@pytest.fixture
def world(aws: None) -> World:
    return World()


@pytest.fixture
def small_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merges of a few spans, so that an hour of them is cut by trace id."""
    make_merges_small(monkeypatch)


def test_an_hour_too_large_for_one_merge_is_cut_by_trace_id(world: World, small_merges: None) -> None:
    for number in range(20):
        world.now_ns += 10**9
        world.store(f"s{number}", of_its_own=True)
    world.now_ns += 2 * HOUR_NS
    world.settle()
    ordered = sorted(world.blocks(), key=lambda entry: entry.min_trace_id)
    assert len(ordered) > 3
    assert all(before.max_trace_id < after.min_trace_id for before, after in pairwise(ordered))
    assert world.spans_in(ordered) == world.stored
    assert world.ledger.due() == []


def test_a_tally_comes_and_goes_with_its_block(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "TALLIED_SPANS", 1)
    for part in range(2):
        for number in range(MERGE_FROM):
            world.now_ns += 10**9
            world.store(f"part{part}-{number}")
        world.settle()
    world.now_ns += 2 * HOUR_NS
    world.settle()  # the hour is over: what was merged is merged once more
    world.now_ns += (GRACE_S + 1) * 10**9
    world.plan()
    kept = {key for entry in world.blocks() for key in entry.keys}
    assert {key for key in world.objects.kept if "/merges/" not in key and "/traces/" not in key} == kept
    assert any("/tallies/" in key for key in kept)


def test_small_blocks_become_one_that_holds_the_same_spans(world: World) -> None:
    hour_of_spans(world)
    world.settle()
    (entry,) = world.blocks()
    assert (entry.level, entry.spans) == (1, MERGE_FROM)
    assert world.spans_in([entry]) == world.stored
    assert entry.operations is not None
    assert {name for _, name, _ in entry.operations} == set(world.stored)


def test_an_hour_that_is_over_becomes_one_block_however_little_it_has(world: World) -> None:
    hour_of_spans(world, 3)
    assert world.plan() == 0
    world.now_ns += 2 * HOUR_NS
    world.settle()
    assert [entry.spans for entry in world.blocks()] == [3]
    assert world.ledger.due() == []


def test_nothing_to_do_reads_only_what_is_due_and_what_is_doomed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(world.ledger, "_dynamodb", Counted(client("dynamodb"), asked))
    assert world.plan() == 0
    assert asked == ["query", "query"]


def test_a_query_that_began_before_a_swap_still_reads_its_blocks_and_later_they_are_gone(world: World) -> None:
    hour_of_spans(world)
    before = world.blocks()
    world.settle()
    world.now_ns += (GRACE_S - 1) * 10**9
    world.plan()
    assert world.spans_in(before) == world.stored
    world.now_ns += 2 * 10**9
    world.plan()
    left = {key for key in world.objects.kept if "/blocks/" in key}
    assert left == {entry.key for entry in world.blocks()}


def test_a_job_that_is_delivered_again_changes_nothing(world: World) -> None:
    hour_of_spans(world)
    world.plan()
    (job,) = world.jobs
    world.work(job)
    entries, objects = world.blocks(), dict(world.objects.kept)
    world.work(job)
    assert (world.blocks(), world.objects.kept) == (entries, objects)


def test_of_two_workers_on_the_same_blocks_one_wins(world: World) -> None:
    hour_of_spans(world)
    world.plan()
    job = merge_of(world)
    first, second = job, Job(job.tenant, job.level, job.inputs[:4])
    world.work(first)
    with pytest.raises(Conflict):
        world.ledger.swap(second.name, second.inputs, [block("other")])
    assert world.spans_in(world.blocks()) == world.stored


def test_blocks_that_somebody_merges_are_not_handed_out_again_until_he_must_be_dead(world: World) -> None:
    hour_of_spans(world)
    assert world.plan() == 1
    hour_of_spans(world, 2, "late")
    world.now_ns += 60 * 10**9
    assert world.plan() == 0
    world.now_ns += 900 * 10**9
    assert world.plan() == 1


def test_a_batch_that_comes_again_after_its_block_was_merged_is_merged_away(world: World) -> None:
    hour_of_spans(world)
    world.settle()
    world.now_ns = START_NS + 10**9
    world.store("shop0")
    assert world.spans_in(world.blocks()) == world.stored + Counter(["shop0"])
    world.now_ns += 2 * HOUR_NS
    world.settle()
    assert world.spans_in(world.blocks()) == world.stored


def test_an_object_that_an_entry_names_again_is_not_deleted(world: World) -> None:
    hour_of_spans(world)
    world.settle()
    merged_ns = world.now_ns
    world.now_ns = START_NS + 10**9
    world.store("shop0")
    world.now_ns = merged_ns + (GRACE_S + 1) * 10**9
    world.plan()
    assert world.spans_in(world.blocks()) == world.stored + Counter(["shop0"])


def test_a_block_that_does_not_read_is_reported_and_set_aside_and_holds_nobody_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    hour_of_spans(world)
    broken = world.blocks()[0]
    world.objects.kept[broken.key] = b"PAR1 no more"
    with caplog.at_level(logging.ERROR):
        world.settle()
    assert broken.block_id in caplog.text
    assert sorted((entry.level, entry.spans) for entry in world.blocks()) == [(1, MERGE_FROM - 1), (SET_ASIDE, 1)]


def test_an_entry_without_its_object_goes_and_is_reported(world: World, caplog: pytest.LogCaptureFixture) -> None:
    hour_of_spans(world)
    lost = world.blocks()[0]
    del world.objects.kept[lost.key]
    with caplog.at_level(logging.ERROR):
        world.settle()
    assert lost.key in caplog.text
    assert [entry.spans for entry in world.blocks()] == [MERGE_FROM - 1]


def test_two_tenants_are_never_merged(world: World) -> None:
    hour_of_spans(world, MERGE_FROM, "bank")
    hour_of_spans(world, MERGE_FROM, "shop")
    world.plan()
    merges = [job for job in world.jobs if isinstance(job, Job)]
    assert sorted(job.tenant for job in merges) == ["bank", "shop"]
    assert all({one.tenant for one in job.inputs} == {job.tenant} for job in merges)


def test_a_huge_tenant_with_a_backlog_holds_no_other_up(world: World) -> None:
    for _ in range(3):
        hour_of_spans(world, 3 * MERGE_FROM, "bank")
        world.now_ns += HOUR_NS
    for tenant in ("cafe", "shop", "zoo"):
        hour_of_spans(world, MERGE_FROM, tenant)
    first: set[str] = set()
    for _ in range(2):
        first |= {job.tenant for job in world.handed_out(2)}
        world.now_ns += ROUND_NS
    assert first == {"bank", "cafe", "shop", "zoo"}


def test_a_huge_trace_holds_no_other_up(world: World, small_merges: None) -> None:
    for number in range(8):
        world.now_ns += 10**9
        world.store(f"huge{number}", of_its_own=True, trace=b"\7" * 16)
        world.store(f"small{number}", of_its_own=True)
    world.now_ns += 2 * HOUR_NS
    world.settle()
    blocks = world.blocks()
    assert world.spans_in(blocks) == world.stored
    assert world.ledger.due() == []
    others = [entry for entry in blocks if not entry.min_trace_id <= b"\7" * 16 <= entry.max_trace_id]
    assert others
    ordered = sorted(others, key=lambda entry: entry.min_trace_id)
    assert all(before.max_trace_id < after.min_trace_id for before, after in pairwise(ordered))


def test_far_spans_are_merged_with_far_spans(world: World) -> None:
    for number in range(3):
        world.store(f"replay{number}", start_ns=1_500_000_000 * 10**9 + number)
        world.store(f"now{number}")
    world.now_ns += 2 * HOUR_NS
    world.settle()
    assert sorted((entry.far, entry.spans) for entry in world.blocks()) == [(False, 3), (True, 3)]


def test_a_worker_that_cannot_write_now_leaves_all_as_it_was(world: World) -> None:
    hour_of_spans(world)
    world.plan()
    job = merge_of(world)

    class Slow(ErasableObjects):
        def put(self, *given: Any, **named: Any) -> None:
            raise Overloaded("S3: SlowDown")

    with pytest.raises(Overloaded):
        Worker(Slow(world.objects.kept), world.ledger).run(job)
    assert world.spans_in(world.blocks()) == world.stored
    world.work(job)
    assert world.spans_in(world.blocks()) == world.stored


def test_a_job_survives_its_way_to_the_worker() -> None:
    sent: list[dict[str, Any]] = []

    class Lambda:
        def invoke(self, **call: Any) -> None:
            sent.append(call)

    job = Job("shop", 1, tuple(block(name) for name in "ab"), (b"\1" * 16, b"\2" * 16))
    LambdaJobs(Lambda(), "compact:live").send(job)
    (call,) = sent
    assert (call["FunctionName"], call["InvocationType"]) == ("compact:live", "Event")
    expected = replace(job, inputs=tuple(replace(one, operations=None) for one in job.inputs))
    assert job_of(json.loads(call["Payload"])) == expected


@pytest.mark.parametrize("event", [{}, {"tenant": "shop", "level": 1, "inputs": [{}]}, {"tenant": "shop", "level": 1}])
def test_an_event_that_is_no_job_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(Undecodable, match="no job"):
        job_of(event)
