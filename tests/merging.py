"""An archive's blocks merged by the worker itself, whichever a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from compact.worker import Worker
from spandrel.model.catalogue import Block, Ledger
from spandrel.model.deletions import Deletions
from spandrel.model.levels import Job
from tests.archive import Archive


@dataclass
class MemoryLedger:
    """As much of a ledger as a worker needs, over an archive's catalogue."""

    archive: Archive

    def live(self, blocks: Sequence[Block]) -> bool:
        return all(block.key in self.archive.catalogue.kept for block in blocks)

    def deletions(self, tenant: str) -> Deletions:
        pending = tuple(self.archive.catalogue.deletions(tenant))
        return Deletions(max((one.number for one in pending), default=0), pending)

    def swap(self, name: str, inputs: Sequence[Block], outputs: Sequence[Block]) -> None:
        for block in inputs:
            del self.archive.catalogue.kept[block.key]
        for block in outputs:
            self.archive.catalogue.add(block)


def merge(archive: Archive, blocks: Sequence[Block]) -> list[Block]:
    """Blocks of one tenant -> the live blocks that take their place."""
    before = set(archive.catalogue.kept)
    job = Job(blocks[0].tenant, max(block.level for block in blocks) + 1, tuple(blocks))
    Worker(archive.objects, cast(Ledger, MemoryLedger(archive))).run(job)
    return [block for key, block in archive.catalogue.kept.items() if key not in before]
