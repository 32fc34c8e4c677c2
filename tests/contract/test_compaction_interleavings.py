"""Store, plan, merge, wait and read in any order; each may die at any step, and every span is found exactly once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from moto import mock_aws

from spandrel.aws.ledger import GRACE_S
from spandrel.model.catalogue import Block
from spandrel.model.levels import HOUR_NS, MERGE_FROM
from spandrel.query.whereabouts import Whereabouts
from tests.contract.compacting import IN_ANY_ORDER, LIVES, Killed, Life, World, make_merges_small, trace_id_of

pytestmark = pytest.mark.usefixtures("credentials")


class Interleavings(RuleBasedStateMachine):
    """Store, plan, work, wait and read in any order; each of them may die at any step."""

    of_their_own = False  # whether spans are traces of their own
    first = MERGE_FROM - 1

    def __init__(self) -> None:
        super().__init__()
        self._aws = mock_aws()
        self._aws.start()
        self.world = World()
        self.number = 0
        self.reading: tuple[int, Sequence[Block], set[str]] | None = None

    def teardown(self) -> None:
        self._aws.stop()

    @initialize()
    def begin(self) -> None:
        for number in range(self.first):
            self.world.now_ns += 10**9
            self.world.store(f"shop{number}", of_its_own=self.of_their_own)
        self.number = self.first + 1

    @rule(life=LIVES, again=st.booleans())
    def store(self, life: Life, again: bool) -> None:
        self.number += not again
        name = f"shop{self.number - 1}"
        if again and name in self.world.stored:
            return
        try:
            self.world.store(name, life=life, of_its_own=self.of_their_own)
        except Killed:
            self.world.store(name, of_its_own=self.of_their_own)  # SQS gives the batch back

    @rule(life=LIVES)
    def plan(self, life: Life) -> None:
        try:
            self.world.plan(life)
        except Killed:
            return

    @precondition(lambda self: self.world.jobs)
    @rule(data=st.data(), life=LIVES, again=st.booleans())
    def work(self, data: st.DataObject, life: Life, again: bool) -> None:
        job = data.draw(st.sampled_from(self.world.jobs))
        try:
            self.world.work(job, life)
        except Killed:
            return
        if not again:
            self.world.jobs.remove(job)

    @rule(seconds=st.sampled_from([1, 60, GRACE_S, 3600, 7200]))
    def wait(self, seconds: int) -> None:
        self.world.now_ns += seconds * 10**9

    @rule()
    def begin_a_query(self) -> None:
        self.reading = (self.world.now_ns, self.world.blocks(), set(self.world.stored))

    @invariant()
    def every_span_is_found_once(self) -> None:
        found = self.world.spans_in(self.world.blocks())
        assert set(found) == set(self.world.stored)

    @invariant()
    def the_index_denies_no_span(self) -> None:
        for name in {min(self.world.stored), max(self.world.stored)} if self.world.stored else ():
            where = Whereabouts(
                self.world.catalogue, self.world.segments, self.world.objects, "shop", trace_id_of(name)
            )
            assert self.world.spans_in(where.near(0, 2**64))[name]

    @invariant()
    def a_query_under_way_reads_what_it_chose(self) -> None:
        if self.reading and self.world.now_ns < self.reading[0] + GRACE_S * 10**9:
            assert set(self.world.spans_in(self.reading[1])) == self.reading[2]

    @rule()
    def in_the_end_each_span_is_stored_once(self) -> None:
        self.world.now_ns += 4 * HOUR_NS
        self.world.jobs.clear()
        self.world.settle()
        assert self.world.spans_in(self.world.blocks()) == self.world.stored
        assert self.world.segments.unsettled("shop") == frozenset()


class InterleavingsOfCuts(Interleavings):
    """The same in an hour that is too large for one merge."""

    of_their_own = True
    first = 10

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        make_merges_small(self._patch)

    def teardown(self) -> None:
        self._patch.undo()
        super().teardown()


TestInterleavings = Interleavings.TestCase
TestInterleavingsOfCuts = InterleavingsOfCuts.TestCase
TestInterleavings.settings = settings(IN_ANY_ORDER, max_examples=8, stateful_step_count=20)
TestInterleavingsOfCuts.settings = settings(IN_ANY_ORDER, max_examples=2, stateful_step_count=15)
