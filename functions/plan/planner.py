"""Finds the blocks that should be merged and hands them out; deletes the objects that nobody reads any more.

Runs every minute. Where nothing is due it is one read of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol

from spandrel.model.catalogue import Due, Eraser, Ledger
from spandrel.model.levels import HOUR_NS, Job, is_closed
from spandrel.model.planning import jobs_of

ROUND_NS = 60 * 10**9  # from one round to the next
TAKEN_S = 900  # Lambda's longest run: after it, whoever took the job is dead


class Jobs(Protocol):
    """The way from planner to workers."""

    def send(self, job: Job) -> None:
        """Durable when it returns; Overloaded when the same call can succeed later."""


@dataclass(frozen=True, slots=True)
class Planner:
    """`clock_ns` gives unix nanoseconds; `jobs_max` is how many jobs one round hands out, the next goes on."""

    ledger: Ledger
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
            if self.ledger.take(job.tenant, job.name, [block.block_id for block in job.inputs], TAKEN_S):
                self.jobs.send(job)
                handed_out += 1
        return handed_out

    def _jobs(self) -> Iterator[Job]:
        """One merge of each tenant, then the second of each: one with many blocks in many hours comes no more often
        than another. Each round begins with another tenant, so that with many of them all come first at some time.
        """
        hours: dict[str, list[list[Job]]] = {}
        for due in self.ledger.due():
            hours.setdefault(due.tenant, []).append(self._planned(due))
        tenants = [list(_in_turn(plans)) for plans in hours.values()]
        first = self.clock_ns() // ROUND_NS % max(1, len(tenants))
        return _in_turn(tenants[first:] + tenants[:first])

    def _planned(self, due: Due) -> list[Job]:
        """What an hour needs now. An hour that is over and needs nothing is done with."""
        now_ns = self.clock_ns()
        blocks = self.ledger.arrived(due.tenant, due.hour_ns, due.hour_ns + HOUR_NS)
        taken = self.ledger.taken(due.tenant)
        jobs = jobs_of(blocks, due.hour_ns, now_ns, taken)
        if not jobs and is_closed(due.hour_ns, now_ns) and taken.isdisjoint(block.block_id for block in blocks):
            self.ledger.done_with(due)
        return jobs

    def _bury(self) -> None:
        for doomed in self.ledger.doomed():
            self.objects.delete(self.ledger.deletable(doomed))
            self.ledger.buried(doomed)


def _in_turn(plans: Sequence[Sequence[Job]]) -> Iterator[Job]:
    """One job of each plan, then the second of each."""
    for turn in zip_longest(*plans):
        yield from (job for job in turn if job is not None)
