"""The storage that compacts, with a keeper, deletions, dated objects and a retention that can change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from compact.worker import Worker, erasure_of
from plan.keeper import Keeper
from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.deletions import DeletionBook
from spandrel.aws.kept_days import KeptDays
from spandrel.aws.ledger import GRACE_S, DynamoLedger
from spandrel.aws.segments import DynamoSegments
from spandrel.blocks.source import Source
from spandrel.blocks.writer import write_blocks
from spandrel.model.catalogue import Listed
from spandrel.model.deletions import Deletion
from spandrel.model.levels import Job
from spandrel.model.retention import DAY_NS, Retention
from tests.builders import request_of, span
from tests.contract.compacting import ErasableObjects, Life, Mortal, World
from tests.contract.conftest import TABLE

TRACE, OTHER = b"\1" * 16, b"\2" * 16


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
