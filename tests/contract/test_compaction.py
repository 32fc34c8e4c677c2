"""Compaction over DynamoDB as moto plays it: whoever dies wherever, every span stored is found exactly once."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from moto import mock_aws

from compact.indexer import Indexer
from compact.worker import Worker
from plan.planner import ROUND_NS, Planner, Work
from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.jobs import LambdaJobs, job_of
from spandrel.aws.ledger import GRACE_S, DynamoLedger
from spandrel.aws.segments import DynamoSegments
from spandrel.blocks import tally
from spandrel.blocks.otlp import to_otlp
from spandrel.blocks.writer import write_blocks
from spandrel.model.catalogue import Block
from spandrel.model.errors import Conflict, Overloaded, Undecodable
from spandrel.model.levels import HOUR_NS, MERGE_FROM, SET_ASIDE, Job
from spandrel.model.retention import Retention
from spandrel.model.trace_index import Indexing, Rollup
from spandrel.query.whereabouts import Whereabouts
from tests.archive import MemoryObjects
from tests.builders import RECEIVED_NS, block, key_value, request_of, span
from tests.tables import make_catalogue_table

TABLE = "catalogue"
START_NS = RECEIVED_NS - RECEIVED_NS % HOUR_NS
SPAN_BYTES = 10_000  # of a span in tests that cut merges


class Killed(Exception):
    """The process dies here."""


@dataclass
class Life:
    """How many steps of the outside world a process still takes. At its last it dies, before the step or right
    after.
    """

    steps: int = 10**6
    after: bool = False

    def step(self, take: Callable[[], Any]) -> Any:
        self.steps -= 1
        if self.steps == 0 and not self.after:
            raise Killed
        taken = take()
        if self.steps == 0:
            raise Killed
        return taken


class Mortal:
    """An object each call of whose methods is a step of a life."""

    def __init__(self, target: Any, life: Life) -> None:
        self._target = target
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        return lambda *given, **named: self._life.step(lambda: method(*given, **named))


@dataclass
class ErasableObjects(MemoryObjects):
    """Objects in memory that compaction may remove."""

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.kept.pop(key, None)


def trace_id_of(name: str) -> bytes:
    """The trace of a span of that name."""
    return hashlib.sha256(name.encode()).digest()[:16]


@dataclass
class World:
    """A stack's storage with its clock; what was stored, and the jobs on their way."""

    now_ns: int = START_NS
    objects: ErasableObjects = field(default_factory=ErasableObjects)
    jobs: list[Work] = field(default_factory=list)
    stored: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        dynamodb = client("dynamodb")
        make_catalogue_table(dynamodb, TABLE)
        self.catalogue = DynamoCatalogue(dynamodb, TABLE, Retention(30), lambda: self.now_ns)
        self.ledger = DynamoLedger(dynamodb, TABLE, self.catalogue, lambda: self.now_ns)
        self.segments = DynamoSegments(dynamodb, TABLE, Retention(30), lambda: self.now_ns)

    def send(self, job: Work) -> None:
        self.jobs.append(job)

    def store(
        self,
        name: str,
        *,
        tenant: str = "shop",
        start_ns: int | None = None,
        life: Life | None = None,
        of_its_own: bool = False,
        trace: bytes | None = None,
    ) -> None:
        """What `store` does with a batch of one span, which may be a large one in a trace of its own or in `trace`."""
        life = life or Life()
        one = span(name, trace_id=trace_id_of(name), start_ns=start_ns or self.now_ns)
        if of_its_own:
            one.trace_id = trace or one.trace_id
            one.attributes.append(key_value("noise", random.Random(name).randbytes(SPAN_BYTES)))
        request = request_of(one).SerializeToString()
        for written in write_blocks(tenant, [request], self.now_ns, f"{tenant}-{name}"):
            life.step(partial(self.objects.put, written.entry.key, written.body))
            life.step(partial(self.catalogue.add, written.entry))
        self.stored[name] = 1

    def plan(self, life: Life | None = None) -> int:
        parts = (self.ledger, self.segments, self.objects, self)
        ledger, segments, objects, jobs = (Mortal(part, life or Life()) for part in parts)
        return Planner(ledger, segments, objects, jobs, lambda: self.now_ns, jobs_max=100).run()

    def handed_out(self, jobs_max: int) -> list[Work]:
        """The merges of one round that may hand out so many."""
        self.jobs.clear()
        Planner(self.ledger, self.segments, self.objects, self, lambda: self.now_ns, jobs_max).run()
        return list(self.jobs)

    def work(self, job: Work, life: Life | None = None) -> None:
        parts = (self.objects, self.ledger, self.segments)
        objects, ledger, segments = (Mortal(part, life or Life()) for part in parts)
        match job:
            case Job():
                Worker(objects, ledger).run(job)
            case Indexing():
                Indexer(objects, ledger, segments).index(job)
            case Rollup():
                Indexer(objects, ledger, segments).roll_up(job)

    def settle(self) -> None:
        """Plans and works until nothing is left to do."""
        while self.plan():
            while self.jobs:
                self.work(self.jobs.pop())

    def blocks(self, tenant: str = "shop") -> Sequence[Block]:
        return self.catalogue.blocks(tenant, 0, 2**64)

    def spans_in(self, blocks: Sequence[Block]) -> Counter[str]:
        """Names of all copies of spans in the objects of these entries."""
        found: Counter[str] = Counter()
        for entry in blocks:
            for resource in to_otlp(pq.read_table(io.BytesIO(self.objects.get(entry.key)))).resource_spans:
                found.update(one.name for scope in resource.scope_spans for one in scope.spans)
        return found


@pytest.fixture
def world(aws: None) -> World:
    return World()


@pytest.fixture
def small_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merges of a few spans, so that an hour of them is cut by trace id."""
    make_merges_small(monkeypatch)


def make_merges_small(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("spandrel.blocks.writer._SAMPLED_SPANS", 1)
    patch.setattr("spandrel.model.fences.RANGE_BYTES", 2 * SPAN_BYTES)
    patch.setattr("spandrel.model.planning.SPREAD", 2)
    patch.setattr("spandrel.model.planning.MERGE_FROM", 2)
    for name, size_bytes in {
        "spandrel.model.levels.JOB_BYTES": 5 * SPAN_BYTES,
        "spandrel.model.planning.JOB_BYTES": 5 * SPAN_BYTES,
        "spandrel.model.fences.JOB_BYTES": 5 * SPAN_BYTES,
        "spandrel.model.planning.SETTLED_BYTES": 2 * SPAN_BYTES,
        "spandrel.model.planning.CUT_FROM_BYTES": 1,
        "spandrel.model.planning.BLOCK_BYTES": 5 * SPAN_BYTES,
    }.items():
        patch.setattr(name, size_bytes)


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


def merge_of(world: World) -> Job:
    """The one job that is handed out, a merge."""
    (job,) = world.jobs
    assert isinstance(job, Job)
    return job


def hour_of_spans(world: World, count: int = MERGE_FROM, tenant: str = "shop") -> None:
    for number in range(count):
        world.now_ns += 10**9
        world.store(f"{tenant}{number}", tenant=tenant)


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


class Counted:
    """A client that notes its calls."""

    def __init__(self, target: Any, asked: list[str]) -> None:
        self._target, self._asked = target, asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._target, name)


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


LIVES = st.builds(Life, st.integers(1, 40), st.booleans())


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


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


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
TestInterleavings.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
TestInterleavingsOfCuts.settings = settings(TestInterleavings.settings, max_examples=2, stateful_step_count=15)
