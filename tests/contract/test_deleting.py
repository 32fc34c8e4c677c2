"""Deletion of traces and of a person's spans, over DynamoDB as moto plays it, with a clock of the test's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from compact.worker import Worker
from plan.keeper import LATE_NS, LOOK_AGAIN_S
from spandrel.aws.clients import client
from spandrel.aws.deletions import DeletionBook
from spandrel.model.archive import entry_key
from spandrel.model.deletions import Deletion, object_key
from spandrel.model.errors import Conflict
from spandrel.model.levels import HOUR_NS, MERGE_FROM
from spandrel.model.retention import DAY_NS
from tests.contract.compacting import Killed, Life, Mortal, merge_of
from tests.contract.conftest import TABLE
from tests.contract.keeping import OTHER, TRACE, Keeping


@pytest.fixture
def world(aws: None) -> Keeping:
    return Keeping()


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
