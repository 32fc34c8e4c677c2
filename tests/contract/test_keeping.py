"""Retention, deletion and the sweep, over DynamoDB as moto plays it, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from compact.worker import Worker, erasure_of
from plan.keeper import LATE_NS, LOOK_AGAIN_S, MERGE_NS, Keeper
from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.deletions import DeletionBook
from spandrel.aws.kept_days import KeptDays
from spandrel.aws.ledger import GRACE_S, DynamoLedger
from spandrel.aws.segments import DynamoSegments
from spandrel.blocks import tally
from spandrel.blocks.source import Source
from spandrel.blocks.writer import write_blocks
from spandrel.model.archive import entry_key
from spandrel.model.catalogue import Listed
from spandrel.model.deletions import Deletion, object_key
from spandrel.model.errors import Conflict
from spandrel.model.levels import HOUR_NS, MERGE_FROM, Job
from spandrel.model.retention import DAY_NS, Retention
from tests.builders import request_of, span
from tests.contract.test_compaction import TABLE, Counted, ErasableObjects, Killed, Life, Mortal, World, merge_of

TRACE, OTHER = b"\1" * 16, b"\2" * 16
ANYTHING = Deletion("shop", 0, 0, trace_id=TRACE)


@dataclass
class DatedObjects(ErasableObjects):
    """Objects with the time at which each was written."""

    world: Any = None
    written_ns: dict[str, int] = field(default_factory=dict)

    def put(self, key: str, body: bytes, **other: Any) -> None:
        super().put(key, body, **other)
        self.written_ns[key] = self.world.now_ns

    def listed(self, prefix: str) -> Iterator[Listed]:
        for key in sorted(key for key in self.kept if key.startswith(prefix)):
            yield Listed(key, len(self.kept[key]), self.written_ns[key])


class Keeping(World):
    """The same world with a keeper, and a retention that can change."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.objects = DatedObjects(world=self)
        self.keep_for(Retention(30))
        self.rewrites: list[Job] = []

    def keep_for(self, retention: Retention) -> None:
        self.retention = retention
        dynamodb = client("dynamodb")
        self.catalogue = DynamoCatalogue(dynamodb, TABLE, retention, lambda: self.now_ns)
        self.ledger = DynamoLedger(dynamodb, TABLE, self.catalogue, lambda: self.now_ns)
        self.segments = DynamoSegments(dynamodb, TABLE, retention, lambda: self.now_ns)
        self.days = KeptDays(dynamodb, TABLE, lambda: self.now_ns)
        self.book = DeletionBook(dynamodb, TABLE, self.objects, lambda: self.now_ns)

    def send_each(self, job: Job) -> None:
        self.rewrites.append(job)

    def keep(self, life: Life | None = None, jobs_max: int = 100) -> int:
        parts = (self.days, self.book, self.ledger, self.segments, self.objects, self)
        days, book, ledger, segments, objects, jobs = (Mortal(part, life or Life()) for part in parts)
        return Keeper(days, book, ledger, segments, objects, jobs, self.retention, lambda: self.now_ns, jobs_max).run()

    def rewrite(self, life: Life | None = None) -> None:
        while self.rewrites:
            job = self.rewrites[-1]
            Worker(Mortal(self.objects, life or Life()), Mortal(self.ledger, life or Life())).rewrite(job)
            self.rewrites.pop()

    def bury(self) -> None:
        """Long enough for queries under way, then what was swapped out is deleted."""
        self.now_ns += (GRACE_S + 1) * 10**9
        self.plan()

    def delete(self, trace_id: bytes = TRACE, tenant: str = "shop") -> Deletion:
        return self.book.delete(Deletion(tenant, 0, self.now_ns, trace_id=trace_id))

    def add(self, name: str, trace_id: bytes = OTHER, *, received_ns: int | None = None, tenant: str = "shop") -> None:
        """A block of one span that arrived at some time, now if none is given."""
        at_ns = received_ns or self.now_ns
        body = request_of(span(name, trace_id=trace_id, start_ns=at_ns)).SerializeToString()
        for written in write_blocks(tenant, [body], at_ns, f"{tenant}-{name}"):
            self.objects.put(written.entry.key, written.body)
            self.catalogue.add(written.entry)

    def shown(self, tenant: str = "shop") -> list[str]:
        """The names of the spans that a question sees."""
        deletions = self.catalogue.deletions(tenant)
        found: list[str] = []
        for entry in self.blocks(tenant):
            source = Source(entry, self.objects.get(entry.key), erasure_of(entry, deletions))
            found += [name for group in source.row_groups() for name in source.read(group.index)["name"].to_pylist()]
        return sorted(found)

    def everywhere(self) -> set[str]:
        """The names of all spans in any object of the bucket."""
        found: set[str] = set()
        for key, body in self.objects.kept.items():
            if "/blocks/" in key:
                source = Source(self.blocks()[0], body) if self.blocks() else Source(ANY_ENTRY, body)
                found.update(*(source.read(group.index)["name"].to_pylist() for group in source.row_groups()))
        return found

    def until_midnight(self) -> None:
        self.now_ns += DAY_NS - self.now_ns % DAY_NS


ANY_ENTRY = next(write_blocks("shop", [request_of(span("any")).SerializeToString()], 10**18, "any")).entry


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


def test_a_deleted_trace_is_hidden_at_once_and_then_gone_from_every_object(world: Keeping) -> None:
    world.add("gone", TRACE)
    world.add("kept", OTHER)
    world.now_ns += 2 * HOUR_NS
    world.settle()  # in one block with the other, which is settled
    world.now_ns += DAY_NS
    world.delete()
    assert world.shown() == ["kept"]
    assert world.everywhere() == {"gone", "kept"}
    assert world.keep() == 1
    world.rewrite()
    assert world.shown() == ["kept"]
    world.bury()
    assert world.everywhere() == {"kept"}


def test_a_block_of_deleted_spans_alone_leaves_nothing(world: Keeping) -> None:
    world.add("gone", TRACE)
    world.now_ns += 1
    world.delete()
    world.keep()
    world.rewrite()
    world.bury()
    assert (world.blocks(), world.everywhere()) == ([], set())


def test_a_block_that_has_none_of_the_deleted_spans_is_not_written_anew(world: Keeping) -> None:
    for name, trace_id in {"low": bytes(15) + b"\1", "high": b"\xff" * 16}.items():
        world.add(name, trace_id)
    world.now_ns += 2 * HOUR_NS
    world.settle()
    before = world.blocks()
    world.delete()
    assert world.keep() == 1
    world.rewrite()
    assert [entry.key for entry in world.blocks()] == [entry.key for entry in before]
    assert [entry.deletions for entry in world.blocks()] == [1]
    assert world.keep() == 0


def test_spans_that_come_after_the_deletion_stay_also_when_merged_with_what_was_before(world: Keeping) -> None:
    world.add("before", TRACE)
    world.now_ns += 10**9
    world.delete()
    world.add("after", TRACE)
    assert world.shown() == ["after"]
    world.now_ns += 2 * HOUR_NS
    world.settle()
    assert (len(world.blocks()), world.shown()) == (1, ["after"])
    world.keep()
    world.rewrite()
    assert world.shown() == ["after"]


def test_a_request_that_waited_in_the_queue_is_covered_when_it_was_received_before(world: Keeping) -> None:
    received_ns = world.now_ns
    world.now_ns += HOUR_NS
    world.delete()
    world.keep()
    world.now_ns += 3 * DAY_NS
    world.add("late", TRACE, received_ns=received_ns)
    assert world.shown() == []
    world.keep()
    world.rewrite()
    world.bury()
    assert world.everywhere() == set()


def test_a_deletion_during_a_merge_is_not_lost_in_its_output(world: Keeping) -> None:
    for number in range(MERGE_FROM):
        world.now_ns += 10**9
        world.add(f"gone{number}", TRACE)
    world.plan()
    job = merge_of(world)
    world.now_ns += 10**9

    class Interrupted(Mortal):
        """Somebody deletes between the merge's reading and its swap."""

        def swap(self, *given: Any) -> None:
            world.delete()
            world.ledger.swap(*given)

    Worker(world.objects, Interrupted(world.ledger, Life())).run(job)
    assert len(world.blocks()) == MERGE_FROM
    assert world.shown() == []
    world.work(job)
    assert (world.blocks(), world.shown()) == ([], [])


def test_to_delete_again_is_the_same_deletion_and_covers_what_came_meanwhile(world: Keeping) -> None:
    world.add("first", TRACE)
    world.now_ns += 1
    world.delete()
    world.add("second", TRACE)
    world.now_ns += 1
    assert world.shown() == ["second"]
    again = world.delete()
    assert (again.number, world.shown()) == (2, [])
    assert len(world.catalogue.deletions("shop")) == 1


def test_a_deletion_ends_when_nothing_of_it_can_come_any_more_and_not_before(world: Keeping) -> None:
    world.add("gone", TRACE)
    world.now_ns += 1
    deletion = world.delete()
    world.keep()
    world.rewrite()
    world.keep()
    world.now_ns += LATE_NS
    world.keep()
    assert world.catalogue.deletions("shop") == [deletion]
    world.now_ns += LOOK_AGAIN_S * 10**9
    world.keep()
    assert world.catalogue.deletions("shop") == []
    assert [key for key in world.objects.kept if "/deletions/" in key] == []
    world.now_ns += LOOK_AGAIN_S * 10**9
    world.keep()
    assert world.book.tenants() == []


def test_an_archived_trace_that_is_deleted_goes_and_others_stay(world: Keeping) -> None:
    for trace_id in (TRACE, OTHER):
        world.objects.put(entry_key("shop", trace_id), b"{}")
    world.objects.put(entry_key("rival", TRACE), b"{}")
    world.now_ns += 1
    world.delete()
    world.keep()
    assert [key for key in sorted(world.objects.kept) if "/archive/" in key] == [
        entry_key("rival", TRACE),
        entry_key("shop", OTHER),
    ]


def test_a_deletion_by_attribute_goes_on_while_there_are_archived_traces_from_before(world: Keeping) -> None:
    world.objects.put(entry_key("shop", TRACE), b"{}")
    world.now_ns += 1
    deletion = world.book.delete(Deletion("shop", 0, world.now_ns, attribute=("user", "u1")))
    for _ in range(2):
        world.now_ns += LATE_NS + LOOK_AGAIN_S * 10**9
        world.keep()
        assert world.catalogue.deletions("shop") == [deletion]
    world.objects.delete([entry_key("shop", TRACE)])
    world.now_ns += LOOK_AGAIN_S * 10**9
    world.keep()
    assert world.catalogue.deletions("shop") == []


def test_of_a_deletion_that_is_done_with_no_object_is_left_however_often_and_in_vain_it_was_asked_for(
    world: Keeping,
) -> None:
    world.book.delete(Deletion("shop", 0, world.now_ns, attribute=("user.id", "zoe")))
    world.book.delete(Deletion("shop", 0, world.now_ns, attribute=("user.id", "zoe")))
    in_vain = Deletion("shop", 3, world.now_ns, attribute=("user.id", "max"))
    world.objects.put(object_key(in_vain), b"{}")  # who wrote it died before it counted
    for _ in range(2):
        world.now_ns += LATE_NS
        world.keep()
    assert [key for key in world.objects.kept if "/deletions/" in key] == []


def test_a_tenant_whose_blocks_are_all_rewritten_is_looked_at_once_a_day(world: Keeping) -> None:
    world.delete()
    assert world.book.tenants() == ["shop"]
    world.keep()
    assert world.book.tenants() == []
    world.now_ns += LOOK_AGAIN_S * 10**9
    assert world.book.tenants() == ["shop"]
    world.keep()
    world.delete(OTHER)
    assert world.book.tenants() == ["shop"]


def test_rewrites_are_handed_out_a_few_a_round(world: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plan.keeper.JOB_BLOCKS", 1)
    monkeypatch.setattr("spandrel.model.levels.JOB_BLOCKS", 1)
    for number in range(3):
        world.add(f"gone{number}", TRACE)
    world.now_ns += 1
    world.delete()
    assert [world.keep(jobs_max=2) for _ in range(2)] == [2, 0]  # those two are under way
    world.rewrite()
    assert world.keep(jobs_max=2) == 1


def test_a_block_that_nobody_can_read_stays_hidden_and_costs_a_look_a_day(world: Keeping) -> None:
    world.add("gone", TRACE)
    body = dict(world.objects.kept)
    world.ledger.set_aside(world.blocks()[0])
    world.now_ns += 1
    world.delete()
    assert (world.keep(), world.book.tenants()) == (0, [])
    world.now_ns += LATE_NS + LOOK_AGAIN_S * 10**9
    assert (world.keep(), world.book.tenants()) == (0, [])
    world.objects.kept |= body
    assert world.shown() == []


def test_deletion_that_dies_at_any_step_never_shows_a_span_again_and_is_finished_later(world: Keeping) -> None:
    world.add("gone", TRACE)
    world.add("kept", OTHER)
    world.now_ns += 2 * HOUR_NS
    world.settle()
    world.delete()
    for steps in range(1, 12):
        for after in (False, True):
            life = Life(steps, after)
            for act in (partial(world.keep, life), partial(world.rewrite, life)):
                try:
                    act()
                except Killed:
                    break
                finally:
                    assert world.shown() == ["kept"]
    world.now_ns += DAY_NS
    world.keep()
    world.rewrite()
    world.bury()
    world.until_midnight()
    world.now_ns += 2 * DAY_NS
    world.keep()
    assert world.everywhere() == {"kept"}


def test_of_two_who_delete_at_the_same_moment_both_are_heard(world: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    other = DeletionBook(client("dynamodb"), TABLE, world.objects, lambda: world.now_ns)
    interrupted = iter([True])
    put = world.objects.put

    def put_and_be_late(key: str, body: bytes, **more: Any) -> None:
        put(key, body, **more)
        if next(interrupted, False):
            other.delete(Deletion("shop", 0, world.now_ns, trace_id=OTHER))

    monkeypatch.setattr(world.objects, "put", put_and_be_late)
    assert world.delete().number == 2
    assert [one.trace_id for one in world.catalogue.deletions("shop")] == [OTHER, TRACE]


def test_deleting_under_constant_competition_says_so_instead_of_turning_for_ever(
    world: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spandrel.aws.deletions.number_of", lambda *_: 7)
    with pytest.raises(Conflict, match="try again"):
        world.delete()


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
