"""Finds the blocks that should be merged and hands them out, then what should be indexed; deletes the objects that
nobody reads any more.

Runs every minute. Where nothing is due it is one read of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol

from spandrel.model.catalogue import Block, Due, Eraser, Ledger
from spandrel.model.levels import HOUR_NS, Job, is_closed
from spandrel.model.planning import jobs_of
from spandrel.model.trace_index import NOTED_NS, Indexing, Rollup, Segments, indexings, rollups, unindexed

ROUND_NS = 60 * 10**9  # from one round to the next
TAKEN_S = 900  # Lambda's longest run: after it, whoever took the job is dead


Work = Job | Indexing | Rollup


class Jobs(Protocol):
    """The way from planner to workers."""

    def send(self, job: Work) -> None:
        """Durable when it returns; Overloaded when the same call can succeed later."""


@dataclass(frozen=True, slots=True)
class Planner:
    """`clock_ns` gives unix nanoseconds; `jobs_max` is how many jobs one round hands out, the next goes on."""

    ledger: Ledger
    segments: Segments
    objects: Eraser
    jobs: Jobs
    clock_ns: Callable[[], int]
    jobs_max: int

    def run(self) -> int:
        """One round; how many jobs were handed out."""
        self._bury()
        handed_out = 0
        for job in self._jobs():
            if handed_out == self.jobs_max:
                break
            if self.ledger.take(job.tenant, job.name, job.takes, TAKEN_S):
                self.jobs.send(job)
                handed_out += 1
        return handed_out

    def _jobs(self) -> Iterator[Work]:
        """One merge of each tenant, then the second of each: one with many blocks in many hours comes no more often
        than another. Each round begins with another tenant, so that with many of them all come first at some time.
        """
        hours: dict[str, list[Sequence[Work]]] = {}
        for due in self.ledger.due():
            hours.setdefault(due.tenant, []).append(self._planned(due))
        tenants = [list(_in_turn(plans)) for plans in hours.values()]
        first = self.clock_ns() // ROUND_NS % max(1, len(tenants))
        return _in_turn(tenants[first:] + tenants[:first])

    def _planned(self, due: Due) -> Sequence[Work]:
        """What an hour needs now. One that is over is indexed when it is merged, and then it is done with."""
        now_ns = self.clock_ns()
        blocks = self.ledger.arrived(due.tenant, due.hour_ns, due.hour_ns + HOUR_NS)
        taken = self.ledger.taken(due.tenant)
        jobs = jobs_of(blocks, due.hour_ns, now_ns, taken)
        if not jobs and is_closed(due.hour_ns, now_ns) and taken.isdisjoint(block.block_id for block in blocks):
            return self._finished(due, blocks, taken)
        return jobs

    def _finished(self, due: Due, blocks: Sequence[Block], taken: Collection[str]) -> Sequence[Work]:
        """What is left to do for an hour that is merged: to index it, or else what its end makes possible.

        A note of a block that is not there yet keeps the hour open: done with, the index would deny the block.
        """
        now_ns = self.clock_ns()
        segments = self.segments.listed(due.tenant)
        unknown = unindexed(blocks, segments, due.hour_ns)
        if unknown or now_ns < due.touched_ns + NOTED_NS:
            return indexings(due.tenant, due.hour_ns, unknown)
        self.ledger.done_with(due)
        return rollups([one for one in segments if one.name not in taken], self.segments.unsettled(due.tenant), now_ns)

    def _bury(self) -> None:
        for doomed in self.ledger.doomed():
            self.objects.delete(self.ledger.deletable(doomed))
            self.ledger.buried(doomed)


def _in_turn(plans: Sequence[Sequence[Work]]) -> Iterator[Work]:
    """One job of each plan, then the second of each."""
    for turn in zip_longest(*plans):
        yield from (job for job in turn if job is not None)
