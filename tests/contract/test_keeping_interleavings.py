"""Store, merge, expire, delete, rewrite and sweep in any order, each of which may die at any step: what is to be shown
is shown, what is not is not, and in the end each span is where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from moto import mock_aws

from plan.keeper import LATE_NS
from spandrel.aws.ledger import GRACE_S
from spandrel.blocks.writer import write_blocks
from spandrel.model.levels import HOUR_NS
from spandrel.model.retention import DAY_NS, Retention
from tests.builders import request_of, span
from tests.contract.compacting import IN_ANY_ORDER, LIVES, Killed, Life
from tests.contract.keeping import Keeping

TRACES = [bytes(15) + bytes([number]) for number in (1, 2, 3)]
DAYS = 3

pytestmark = pytest.mark.usefixtures("credentials")


class Interleavings(RuleBasedStateMachine):
    """One tenant; each span is a batch of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._aws = mock_aws()
        self._aws.start()
        self.world = Keeping()
        self.world.keep_for(Retention(DAYS))
        self.arrived: dict[str, tuple[bytes, int]] = {}
        self.deleted: set[str] = set()

    def teardown(self) -> None:
        self._aws.stop()

    @rule(life=LIVES, trace_id=st.sampled_from(TRACES), waited_h=st.sampled_from([0, 0, 5]))
    def store(self, life: Life, trace_id: bytes, waited_h: int) -> None:
        name, received_ns = f"s{len(self.arrived)}", self.world.now_ns
        self.world.now_ns += waited_h * HOUR_NS
        body = request_of(span(name, trace_id=trace_id, start_ns=received_ns)).SerializeToString()
        (written,) = write_blocks("shop", [body], received_ns, f"shop-{name}")
        for attempt in (life, Life()):  # SQS gives back what was not stored
            try:
                attempt.step(partial(self.world.objects.put, written.entry.key, written.body))
                attempt.step(partial(self.world.catalogue.add, written.entry))
            except Killed:
                continue
            break
        self.arrived[name] = (trace_id, received_ns)

    @rule(trace_id=st.sampled_from(TRACES))
    def delete(self, trace_id: bytes) -> None:
        self.world.now_ns += 1
        self.world.delete(trace_id)
        self.deleted |= {name for name, (of, _) in self.arrived.items() if of == trace_id}

    @rule(life=LIVES)
    def plan(self, life: Life) -> None:
        self._may_die(partial(self.world.plan, life))

    @rule(life=LIVES)
    def keep(self, life: Life) -> None:
        self._may_die(partial(self.world.keep, life))

    @precondition(lambda self: self.world.jobs)
    @rule(life=LIVES, again=st.booleans())
    def merge(self, life: Life, again: bool) -> None:
        job = self.world.jobs[-1]
        if self._may_die(partial(self.world.work, job, life)) and not again:
            self.world.jobs.pop()

    @precondition(lambda self: self.world.rewrites)
    @rule(life=LIVES)
    def rewrite(self, life: Life) -> None:
        self._may_die(partial(self.world.rewrite, life))

    @rule(hours=st.sampled_from([0.1, 1, 3, 26]))
    def wait(self, hours: float) -> None:
        self.world.now_ns += int(hours * HOUR_NS)

    @invariant()
    def what_is_to_be_shown_is_shown_and_nothing_else(self) -> None:
        shown, alive_ns = set(self.world.shown()), self.world.now_ns - DAYS * DAY_NS
        living = {name: at_ns for name, (_, at_ns) in self.arrived.items() if name not in self.deleted}
        assert shown >= {name for name, at_ns in living.items() if at_ns >= alive_ns}
        assert shown <= {name for name, at_ns in living.items() if at_ns >= alive_ns - HOUR_NS}

    @rule()
    def in_the_end_there_is_nothing_else_in_the_bucket(self) -> None:
        self.world.now_ns += 2 * HOUR_NS
        self.world.jobs.clear()
        self.world.rewrites.clear()
        for _ in range(2):  # what was under way is given up after a quarter of an hour
            self.world.settle()
            self.world.keep()
            self.world.rewrite()
            self.world.now_ns += (GRACE_S + 1) * 10**9
        self.world.plan()
        assert len(self.world.shown()) == len(set(self.world.shown()))
        self.world.now_ns += LATE_NS + 2 * DAY_NS
        for _ in range(3):
            self.world.settle()
            self.world.keep()
            self.world.bury()
        assert [key for key in self.world.objects.kept if "/blocks/" in key or "/merges/" in key] == []

    def _may_die(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except Killed:
            return False
        return True


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(IN_ANY_ORDER, max_examples=5, stateful_step_count=15)
