"""What bounds a merge, and what one is.

A level says how often a block's spans were merged; the catalogue needs no more. What bounds a job is what its worker
can hold and what one DynamoDB transaction can swap. Nothing here depends on traffic: more blocks are more jobs, not
larger ones. Which blocks are merged is `spandrel.model.planning`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .catalogue import Block

HOUR_NS = 3600 * 10**9
CLOSED_AFTER_NS = 600 * 10**9  # when an hour is over for so long, what is left of it is merged, however little
MERGE_FROM = 8  # blocks of a level, while their hour goes on
JOB_BLOCKS = 64  # a transaction of 100 items swaps them
JOB_BYTES = 128 * 1024 * 1024
BLOCK_BYTES = 64 * 1024 * 1024  # from which on a merge begins another block
SETTLED_BYTES = 32 * 1024 * 1024  # such a block is merged no more while its hour goes on
REWRITES_MAX = 48  # far more than any traffic needs: a fault in planning comes to an end
SET_ASIDE = 99  # the level of a block that does not read: it is shown as such, and merged no more


@dataclass(frozen=True, slots=True)
class Job:
    """Blocks of one tenant that become one or a few, each of `cuts` (trace ids, in order) beginning another.

    `name` follows from the rest, and names the outputs.
    """

    tenant: str
    level: int
    inputs: tuple[Block, ...]
    cuts: tuple[bytes, ...] = ()

    @property
    def name(self) -> str:
        parts = [*sorted(self.takes), *(cut.hex() for cut in self.cuts)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    @property
    def takes(self) -> list[str]:
        """What nobody else may work on meanwhile: the ids of its blocks."""
        return [block.block_id for block in self.inputs]


def hour_of(received_ns: int) -> int:
    """The start of the hour in which something arrived, unix ns."""
    return received_ns - received_ns % HOUR_NS


def is_closed(hour_ns: int, now_ns: int) -> bool:
    """Whether hardly anything of the hour can still arrive."""
    return now_ns >= hour_ns + HOUR_NS + CLOSED_AFTER_NS


def parts_of(blocks: Sequence[Block], blocks_max: int | None = None) -> Iterator[list[Block]]:
    """Runs of blocks that follow one another, as long as a job may be; of `blocks_max` (JOB_BLOCKS) at most."""
    part: list[Block] = []
    size_bytes = 0
    for block in blocks:
        if part and (len(part) == (blocks_max or JOB_BLOCKS) or size_bytes + block.size_bytes > JOB_BYTES):
            yield part
            part, size_bytes = [], 0
        part.append(block)
        size_bytes += block.size_bytes
    if part:
        yield part


def job(blocks: Sequence[Block], cuts: Sequence[bytes] = ()) -> Job:
    """The merge of these blocks."""
    return Job(blocks[0].tenant, max(block.level for block in blocks) + 1, tuple(blocks), tuple(cuts))
