"""The catalogue from the bucket alone: entries from the blocks' footers, deletions from their objects.

A block that a merge replaced stays out (spandrel.model.merges). Day after day of each tenant, so that memory is bounded
by what arrived on one day, and whoever dies goes on with the day after the last one that was finished.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.deletions import DeletionBook
from spandrel.aws.object_store import S3ObjectStore
from spandrel.aws.rebuilding import Rebuilt
from spandrel.blocks.footer import TAIL_BYTES, entry_in, tail_bytes
from spandrel.model.catalogue import Block, Listed
from spandrel.model.deletions import Deletion
from spandrel.model.errors import Corrupt, NotFound
from spandrel.model.merges import Merge, replaced
from spandrel.model.tally import PARTS, TallyPart

PARALLEL = 16
BATCH = 1000  # footers whose entries are in memory at once


@dataclass(frozen=True, slots=True)
class Day:
    """What became of a tenant's day: entries that were missing, and objects that are no blocks, with why."""

    tenant: str
    day: str
    added: int
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """Adds what is missing; what is there already stays as it is."""

    objects: S3ObjectStore
    catalogue: DynamoCatalogue
    deletions: DeletionBook
    rebuilt: Rebuilt

    def run(self) -> Iterator[Day]:
        """Each day as it is finished. Deletions come before the blocks that they are about are seen."""
        for tenant in self.objects.folders():
            days, deletions = list(self.objects.folders(f"{tenant}/blocks/")), list(self._deletions(tenant))
            if days or deletions:
                self.deletions.restore(tenant, deletions)
            for day in days:
                if not self.rebuilt.has(tenant, day):
                    yield self._day(tenant, day)
                    self.rebuilt.note(tenant, day)
        self.rebuilt.forget()

    def _deletions(self, tenant: str) -> Iterator[Deletion]:
        for listed in self.objects.listed(f"{tenant}/deletions/"):
            try:
                yield Deletion.from_record(json.loads(self.objects.get(listed.key)))
            except (ValueError, KeyError, TypeError) as error:
                raise Corrupt(f"a deletion does not read back: {error!r}", listed.key) from error

    def _day(self, tenant: str, day: str) -> Day:
        present = {listed.key: listed for listed in self.objects.listed(f"{tenant}/blocks/{day}/")}
        beside = {listed.key: listed for listed in self.objects.listed(f"{tenant}/tallies/{day}/")}
        gone = replaced(present, self._merges(f"{tenant}/merges/{day}/"))
        live = iter([listed for key, listed in present.items() if key not in gone])
        added, unreadable = 0, []
        with ThreadPoolExecutor(PARALLEL) as pool:
            while some := list(islice(live, BATCH)):
                for outcome in pool.map(partial(self._restored, beside), some):
                    added += outcome is True
                    unreadable += [outcome] if isinstance(outcome, str) else []
        return Day(tenant, day, added, tuple(unreadable))

    def _merges(self, prefix: str) -> Sequence[Merge]:
        keys = [listed.key for listed in self.objects.listed(prefix)]
        with ThreadPoolExecutor(PARALLEL) as pool:
            return [
                Merge.from_json(body, key) for key, body in zip(keys, pool.map(self.objects.get, keys), strict=True)
            ]

    def _restored(self, beside: Mapping[str, Listed], listed: Listed) -> bool | str:
        """Whether the block was missing; or why it is none. `beside` are the day's objects of tallies, by key."""
        try:
            entry = self._entry(listed)
            return self.catalogue.restore(replace(entry, tally=tuple(self._tally(entry, beside))))
        except NotFound:
            return False  # compaction has deleted it meanwhile
        except Corrupt as why:
            return f"{listed.key}: {why}"

    def _entry(self, listed: Listed) -> Block:
        ending = self.objects.ending(listed.key, TAIL_BYTES)
        needed = tail_bytes(ending.body, listed.key)
        if needed > len(ending.body):
            ending = self.objects.ending(listed.key, needed)
        entry = partial(entry_in, ending.body, listed.key, listed.size_bytes)
        return entry(self._crc32(listed.key) if ending.crc32 is None else ending.crc32)

    def _tally(self, entry: Block, beside: Mapping[str, Listed]) -> Iterator[TallyPart]:
        """The parts of a block's tally; none where the last one is not there, because then it was not finished."""
        for name in PARTS if entry.part_key(PARTS[-1]) in beside else ():
            if (key := entry.part_key(name)) in beside:
                crc32 = self.objects.ending(key, 1).crc32
                yield TallyPart(name, beside[key].size_bytes, self._crc32(key) if crc32 is None else crc32)

    def _crc32(self, key: str) -> int:
        """Of an object that somebody put there by other means, a copy of the bucket for example."""
        return zlib.crc32(self.objects.get(key))
