"""Keeps what is to be kept and nothing else: expired blocks go, deleted spans are rewritten out of all blocks, and
objects that no entry names are swept.

Runs every few minutes. Each round does a bounded part and the next one goes on. Where nothing is due it is two reads of
the table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Protocol

from spandrel.model.archive import folder_of
from spandrel.model.catalogue import Block, Eraser, Ledger, Listed
from spandrel.model.deletions import Deletion, Deletions, name_in
from spandrel.model.errors import Conflict
from spandrel.model.levels import JOB_BLOCKS, SET_ASIDE, Job, parts_of
from spandrel.model.lifecycle import INCOMING_DAYS
from spandrel.model.merges import is_merged
from spandrel.model.retention import DAY_NS, KeptDay, Retention
from spandrel.model.trace_index import Segments

from .planner import TAKEN_S

DAYS_A_ROUND = 50  # of tenants that are looked at
SWAPS_A_ROUND = 100  # of up to JOB_BLOCKS expired blocks
LATE_NS = INCOMING_DAYS * DAY_NS  # so long after its arrival a request can still become a block
MERGE_NS = DAY_NS  # longer than any merge is under way; its output without an entry is nobody's then
ARCHIVING_NS = 60 * 10**9  # longer than a trace can be on its way into the archive
LOOK_AGAIN_S = 86_400  # at a tenant whose deletions are carried out on all blocks there are
DAY_FOLDERS = ("blocks", "tallies", "merges")  # of a tenant, with a folder for each day
INDEX_FOLDER = "traces"  # the same, of what ends on the day


class Objects(Eraser, Protocol):
    """The bucket, for whoever tidies it."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """All objects whose keys begin so."""


class Jobs(Protocol):
    """The way to the workers."""

    def send_each(self, job: Job) -> None:
        """To rewrite each of the blocks for itself; durable when it returns."""


class Days(Protocol):
    """The days of arrival from which there are blocks."""

    def now(self, most: int) -> Sequence[KeptDay]:
        """So many days, at most, that are to be looked at now."""

    def later(self, day: KeptDay) -> None:
        """Not before the next midnight."""

    def forget(self, day: KeptDay) -> None:
        """Nothing is left of it."""


class Book(Protocol):
    """The deletions."""

    def tenants(self) -> Sequence[str]:
        """The tenants whose deletions are to be looked at now."""

    def deletions(self, tenant: str) -> Deletions:
        """Those that are not done with."""

    def look_again(self, tenant: str, known: Deletions, seconds: int) -> None:
        """Not before so long, unless the tenant deletes something meanwhile; never where nothing is pending."""

    def done_with(self, deletion: Deletion) -> None:
        """No block can hold any of it any more."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """`clock_ns` gives unix nanoseconds; `jobs_max` is how many rewrites one round hands out."""

    days: Days
    book: Book
    ledger: Ledger
    segments: Segments
    objects: Objects
    jobs: Jobs
    retention: Retention
    clock_ns: Callable[[], int]
    jobs_max: int

    def run(self) -> int:
        """One round; how many rewrites were handed out."""
        swaps = SWAPS_A_ROUND
        for day in self.days.now(DAYS_A_ROUND):
            if self._is_over(day):
                swaps -= self._expired(day, swaps)
            else:
                self._tidy(day)
        handed_out = 0
        for tenant in self.book.tenants():
            if handed_out < self.jobs_max:
                handed_out += self._erase(tenant, self.jobs_max - handed_out)
        return handed_out

    def _is_over(self, day: KeptDay) -> bool:
        return day.end_ns <= self.retention.since_ns(day.tenant, self.clock_ns())

    def _expired(self, day: KeptDay, swaps_max: int) -> int:
        """Takes out a day's expired entries, and in the end all that is left in its folders; how many swaps it took."""
        blocks = self.ledger.expired(day.tenant, day.start_ns, day.end_ns)
        if not blocks:
            self.segments.remove(self.segments.expired(day.tenant))
            self._sweep((*DAY_FOLDERS, INDEX_FOLDER), day, lambda _listed: True)
            self.days.forget(day)
            return 0
        parts = [blocks[start : start + JOB_BLOCKS] for start in range(0, len(blocks), JOB_BLOCKS)][:swaps_max]
        for part in parts:
            self._take_out(part)
        return len(parts)

    def _take_out(self, blocks: Sequence[Block]) -> None:
        """Their objects go when no query can be reading them any more, as after a merge."""
        try:
            self.ledger.swap(Job(blocks[0].tenant, 0, tuple(blocks)).name, blocks, ())
        except Conflict:
            return  # somebody swapped one of them meanwhile; the next round sees what there is then

    def _tidy(self, day: KeptDay) -> None:
        """Sweeps what no entry names and nobody works on any more."""
        taken = self.ledger.taken(day.tenant)  # before the entries: who has stopped working has put in his entries
        blocks = [
            *self.ledger.arrived(day.tenant, day.start_ns, day.end_ns),
            *self.ledger.expired(day.tenant, day.start_ns, day.end_ns),
        ]
        if taken.isdisjoint(block.block_id for block in blocks):
            named = {key for block in blocks for key in block.keys}
            now_ns = self.clock_ns()
            self._sweep(DAY_FOLDERS, day, lambda listed: is_orphan(listed, named, now_ns))
        self.days.later(day)

    def _sweep(self, folders: Sequence[str], day: KeptDay, goes: Callable[[Listed], bool]) -> None:
        for folder in folders:
            found = self.objects.listed(f"{day.tenant}/{folder}/{day.day}/")
            self.objects.delete([listed.key for listed in found if goes(listed)])

    def _erase(self, tenant: str, jobs_max: int) -> int:
        """Hands out rewrites of blocks that deletions are about; how many. Deletions that are about none are done
        with, when no block can come any more whose spans arrived before them.
        """
        known = self.book.deletions(tenant)
        about = self._about(tenant, known.pending)
        first = next(about, None)
        if first is None:
            self._finish(tenant, known)
            return 0
        readable = (block for block in chain([first], about) if block.level != SET_ASIDE)
        blocks = list(islice(readable, jobs_max * JOB_BLOCKS))
        if not blocks:  # only those that nobody can read: should that change, what is deleted stays hidden
            self.book.look_again(tenant, known, LOOK_AGAIN_S)
        taken = self.ledger.taken(tenant)
        jobs = [Job(tenant, 0, tuple(part)) for part in parts_of([one for one in blocks if one.block_id not in taken])]
        for job in jobs[:jobs_max]:
            if self.ledger.take(tenant, job.name, [block.block_id for block in job.inputs], TAKEN_S):
                self.jobs.send_each(job)
        return len(jobs[:jobs_max])

    def _about(self, tenant: str, pending: Sequence[Deletion]) -> Iterator[Block]:
        """The blocks that the deletions are about, day after day of arrival."""
        now_ns = self.clock_ns()
        for start_ns in range(self.retention.since_ns(tenant, now_ns), now_ns, DAY_NS):
            for block in self.ledger.arrived(tenant, start_ns, start_ns + DAY_NS) if pending else ():
                if any(deletion.is_about(block) for deletion in pending):
                    yield block

    def _finish(self, tenant: str, known: Deletions) -> None:
        now_ns = self.clock_ns()
        pending = {deletion.name for deletion in known.pending}
        for deletion in known.pending:
            is_done = not self._hides_archived(deletion)
            if is_done and deletion.before_ns + LATE_NS < now_ns:
                self.book.done_with(deletion)
                pending.remove(deletion.name)
        self._forget(tenant, pending)
        self.book.look_again(tenant, known, LOOK_AGAIN_S)

    def _forget(self, tenant: str, pending: Collection[str]) -> None:
        """Deletes the objects of other deletions than these: they have the values that somebody wanted gone. One that
        was written today may be about to be pending.
        """
        before_ns = self.clock_ns() - DAY_NS
        listed = [one for one in self.objects.listed(f"{tenant}/deletions/") if one.written_ns < before_ns]
        self.objects.delete([one.key for one in listed if name_in(one.key) not in pending])

    def _hides_archived(self, deletion: Deletion) -> bool:
        """Whether the deletion has to go on hiding spans of archived traces, which nobody rewrites. An archived trace
        that is deleted as such goes.
        """
        folder = folder_of(deletion.tenant, deletion.trace_id)
        until_ns = deletion.before_ns + ARCHIVING_NS
        found = [one.key for one in self.objects.listed(folder) if one.written_ns < until_ns]
        if deletion.trace_id:
            self.objects.delete(found)
            return False
        return bool(found)


def is_orphan(listed: Listed, named: Collection[str], now_ns: int) -> bool:
    """Whether a block's object, or one of its tally, is named by no entry and was written so long ago that nobody is
    about to name it.
    """
    grace_ns = MERGE_NS if is_merged(listed.key) or "/tallies/" in listed.key else LATE_NS
    return "/merges/" not in listed.key and listed.key not in named and now_ns - listed.written_ns > grace_ns
