"""Retention and the sweep, over DynamoDB as moto plays it, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from plan.keeper import LATE_NS, MERGE_NS
from spandrel.aws.clients import client
from spandrel.blocks import tally
from spandrel.blocks.writer import write_blocks
from spandrel.model.levels import HOUR_NS, MERGE_FROM, Job
from spandrel.model.retention import DAY_NS, Retention
from tests.builders import request_of, span
from tests.contract.compacting import Counted, Killed, Life, merge_of
from tests.contract.conftest import TABLE
from tests.contract.keeping import Keeping


@pytest.fixture
def world(aws: None) -> Keeping:
    return Keeping()


def test_what_expired_is_hidden_at_once_and_then_goes_from_table_and_bucket(world: Keeping) -> None:
    world.add("old")
    arrived_ns = world.now_ns
    world.now_ns += 2 * HOUR_NS
    world.settle()
    world.now_ns = arrived_ns + 30 * DAY_NS
    assert world.shown() == ["old"]
    world.now_ns += 1
    assert world.shown() == []
    assert world.objects.kept
    world.until_midnight()
    world.keep()
    assert world.objects.kept  # a query that began before may still read it
    world.bury()
    world.keep()
    assert (world.objects.kept, table_of_blocks(), world.days.now(10)) == ({}, [], [])


def table_of_blocks() -> Sequence[Any]:
    items = client("dynamodb").scan(TableName=TABLE)["Items"]
    return [item for item in items if "#blocks#" in item["pk"]["S"]]


def test_each_tenants_days_are_its_own(world: Keeping) -> None:
    world.keep_for(Retention(30, {"bank": 2}))
    for tenant in ("bank", "shop"):
        world.add("old", tenant=tenant)
    world.now_ns += 2 * HOUR_NS
    world.settle()
    for _ in range(4):
        world.until_midnight()
        world.keep()
        world.bury()
    assert {key.partition("/")[0] for key in world.objects.kept} == {"shop"}
    assert (world.shown("bank"), world.shown("shop")) == ([], ["old"])


def test_a_shorter_retention_counts_at_once_and_a_longer_one_brings_back_what_is_still_there(world: Keeping) -> None:
    world.add("old")
    world.now_ns += 10 * DAY_NS
    world.settle()
    world.keep_for(Retention(5))
    assert world.shown() == []
    world.keep_for(Retention(60))
    assert world.shown() == ["old"]
    world.keep_for(Retention(5))
    world.keep()
    world.bury()
    assert [key for key in world.objects.kept if "/blocks/" in key] == []


def test_a_round_takes_out_a_bounded_number_of_blocks_and_the_next_goes_on(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plan.keeper.JOB_BLOCKS", 2)
    monkeypatch.setattr("plan.keeper.SWAPS_A_ROUND", 1)
    for number in range(5):
        world.add(f"old{number}")
    world.now_ns += 2 * HOUR_NS
    world.days.note("shop", world.now_ns - 2 * HOUR_NS)
    world.now_ns += 40 * DAY_NS
    left = []
    for _ in range(3):
        world.keep()
        left.append(len(table_of_blocks()))
    assert left == [3, 1, 0]


def test_expiry_that_dies_at_any_step_loses_nothing_and_is_finished_by_the_next_round(world: Keeping) -> None:
    world.add("old")
    world.now_ns += 2 * HOUR_NS
    world.settle()
    world.now_ns += 40 * DAY_NS
    for life in (Life(steps, after) for steps in range(1, 8) for after in (False, True)):
        with pytest.raises(Killed):
            while True:
                world.keep(life)
        world.bury()
    for _ in range(2):
        world.keep()
        world.bury()
    assert (world.objects.kept, table_of_blocks(), world.days.now(10)) == ({}, [], [])


def test_a_keeper_with_nothing_to_do_reads_the_table_twice(world: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for part in (world.days, world.book, world.ledger):
        monkeypatch.setattr(part, "_dynamodb", Counted(client("dynamodb"), asked))
    assert world.keep() == 0
    assert asked == ["query", "query"]


def test_a_tally_is_swept_with_the_output_of_a_merge_that_died_and_kept_with_a_live_block(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "TALLIED_SPANS", 1)
    for number in range(MERGE_FROM):
        world.now_ns += 10**9
        world.add(f"shop{number}", bytes(15) + bytes([number + 1]))
    world.settle()
    (live,) = world.blocks()
    assert live.tally
    orphan = live.part_key("calls").replace(live.block_id, f"{live.block_id}1")
    world.objects.put(orphan, b"")
    world.days.note("shop", world.now_ns)
    for _ in range(3):
        world.until_midnight()
        world.keep()
    assert orphan not in world.objects.kept
    assert set(live.keys) <= set(world.objects.kept)


def test_the_output_of_a_merge_that_died_is_swept_after_a_day(world: Keeping) -> None:
    for number in range(MERGE_FROM):
        world.now_ns += 10**9
        world.add(f"shop{number}", bytes(15) + bytes([number + 1]))
    world.plan()
    job = merge_of(world)
    with pytest.raises(Killed):
        world.work(job, Life(MERGE_FROM + 3, after=True))  # it has read its blocks and written its output
    (orphan,) = set(world.objects.kept) - {entry.key for entry in world.blocks()} - merge_records(world)
    world.work(Job(job.tenant, job.level, job.inputs[:4]))  # another merge takes some of them
    world.now_ns += 2 * HOUR_NS
    world.settle()
    world.bury()
    assert orphan in world.objects.kept
    world.days.note("shop", world.now_ns)
    for _ in range(3):
        world.until_midnight()
        world.keep()
    assert orphan not in world.objects.kept
    assert {key for key in world.objects.kept if "/blocks/" in key} == {entry.key for entry in world.blocks()}


def merge_records(world: Keeping) -> set[str]:
    return {key for key in world.objects.kept if "/merges/" in key}


def test_a_batchs_object_without_an_entry_waits_as_long_as_the_batch_can_come_again(world: Keeping) -> None:
    body = request_of(span("unnamed")).SerializeToString()
    (written,) = write_blocks("shop", [body], world.now_ns, "ab" * 16)
    world.objects.put(written.entry.key, written.body)
    world.days.note("shop", world.now_ns)
    written_ns = world.now_ns
    while world.now_ns <= written_ns + LATE_NS:
        assert written.entry.key in world.objects.kept
        world.until_midnight()
        world.keep()
    world.until_midnight()
    world.keep()
    assert written.entry.key not in world.objects.kept


def test_nothing_is_swept_from_a_day_on_which_somebody_merges(world: Keeping) -> None:
    world.add("kept")
    orphan = world.blocks()[0].key.replace(".parquet", "-0.parquet").replace("shop-kept", "abc")
    world.objects.put(orphan, b"")
    world.days.note("shop", world.now_ns)
    world.until_midnight()
    world.now_ns += DAY_NS + MERGE_NS
    world.ledger.take("shop", "job", [world.blocks()[0].block_id], 900)
    world.keep()
    assert orphan in world.objects.kept
    world.until_midnight()
    world.keep()
    assert orphan not in world.objects.kept
