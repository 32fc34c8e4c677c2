"""A stack's storage that compacts, over DynamoDB as moto plays it, in processes that die where a test says."""

from __future__ import annotations

import hashlib
import io
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from compact.indexer import Indexer
from compact.worker import Worker
from plan.planner import Planner, Work
from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.ledger import DynamoLedger
from spandrel.aws.segments import DynamoSegments
from spandrel.blocks.otlp import to_otlp
from spandrel.blocks.writer import write_blocks
from spandrel.model.catalogue import Block
from spandrel.model.levels import HOUR_NS, MERGE_FROM, Job
from spandrel.model.retention import Retention
from spandrel.model.trace_index import Indexing, Rollup
from tests.archive import MemoryObjects
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.contract.conftest import TABLE
from tests.tables import make_catalogue_table

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


def merge_of(world: World) -> Job:
    """The one job that is handed out, a merge."""
    (job,) = world.jobs
    assert isinstance(job, Job)
    return job


def hour_of_spans(world: World, count: int = MERGE_FROM, tenant: str = "shop") -> None:
    for number in range(count):
        world.now_ns += 10**9
        world.store(f"{tenant}{number}", tenant=tenant)


class Counted:
    """A client that notes its calls."""

    def __init__(self, target: Any, asked: list[str]) -> None:
        self._target, self._asked = target, asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._target, name)


LIVES = st.builds(Life, st.integers(1, 40), st.booleans())
IN_ANY_ORDER = settings(
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink an order of this many steps takes too long
    suppress_health_check=list(HealthCheck),
)
