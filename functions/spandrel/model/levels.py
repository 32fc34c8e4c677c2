"""Which blocks to merge: small ones into larger ones, those of one hour of arrival at most, until they are large
enough.

A level says how often a block's spans were merged; the catalogue needs no more. What bounds a job is what its worker
can hold and what one DynamoDB transaction can swap. Nothing here depends on traffic: more blocks are more jobs, not
larger ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from .catalogue import Block

HOUR_NS = 3600 * 10**9
CLOSED_AFTER_NS = 600 * 10**9  # when an hour is over for so long, what is left of it is merged, however little
MERGE_FROM = 8  # blocks of a level, while their hour goes on
JOB_BLOCKS = 64  # a transaction of 100 items swaps them
JOB_BYTES = 128 * 1024 * 1024
BLOCK_BYTES = 64 * 1024 * 1024  # from which on a merge begins another block
SETTLED_BYTES = 32 * 1024 * 1024  # such a block is merged no more
SET_ASIDE = 99  # the level of a block that does not read: it is shown as such, and merged no more


@dataclass(frozen=True, slots=True)
class Job:
    """Blocks of one tenant that become one or a few. `name` follows from the inputs, and names the outputs."""

    tenant: str
    level: int
    inputs: tuple[Block, ...]

    @property
    def name(self) -> str:
        ids = "\n".join(sorted(block.block_id for block in self.inputs))
        return hashlib.sha256(ids.encode()).hexdigest()[:32]


def hour_of(received_ns: int) -> int:
    """The start of the hour in which something arrived, unix ns."""
    return received_ns - received_ns % HOUR_NS


def is_closed(hour_ns: int, now_ns: int) -> bool:
    """Whether hardly anything of the hour can still arrive."""
    return now_ns >= hour_ns + HOUR_NS + CLOSED_AFTER_NS


def jobs_of(blocks: Collection[Block], hour_ns: int, now_ns: int) -> list[Job]:
    """The merges that one tenant's blocks of one hour of arrival need now; none of them shares a block with another."""
    closed = is_closed(hour_ns, now_ns)
    jobs = []
    for far in (False, True):
        small = [block for block in blocks if block.far is far and _may_grow(block)]
        by_level = [small] if closed else _levels(small)
        for level in by_level:
            least = 2 if closed else MERGE_FROM
            jobs += [_job(part) for part in parts_of(sorted(level, key=_age)) if len(part) >= least]
    return jobs


def _may_grow(block: Block) -> bool:
    return block.size_bytes < SETTLED_BYTES and block.level != SET_ASIDE


def _levels(blocks: Sequence[Block]) -> list[list[Block]]:
    levels = sorted({block.level for block in blocks})
    return [[block for block in blocks if block.level == level] for level in levels]


def _age(block: Block) -> tuple[int, str]:
    return block.received_ns, block.block_id


def parts_of(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Runs of blocks that follow one another, as long as a job may be."""
    part: list[Block] = []
    size_bytes = 0
    for block in blocks:
        if part and (len(part) == JOB_BLOCKS or size_bytes + block.size_bytes > JOB_BYTES):
            yield part
            part, size_bytes = [], 0
        part.append(block)
        size_bytes += block.size_bytes
    if part:
        yield part


def _job(blocks: Sequence[Block]) -> Job:
    return Job(blocks[0].tenant, max(block.level for block in blocks) + 1, tuple(blocks))
