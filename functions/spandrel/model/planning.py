"""Which blocks to merge: small ones into larger ones, those of one hour of arrival at most, until they are large
enough and no two of them hold the same traces.

While an hour goes on, blocks of one level are merged as soon as there are enough of them. When it is over, an hour that
fits into one merge is merged whole. A larger one is cut at fences (`spandrel.model.fences`): blocks that lie across
them are cut at about SPREAD fences at a time, coarsely first, and what lies between two fences is merged last. So a
span is rewritten once for each power of SPREAD in the number of ranges, and twice or three times more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from .catalogue import Block
from .fences import fences_of, range_of
from .levels import (
    BLOCK_BYTES,
    JOB_BLOCKS,
    JOB_BYTES,
    MERGE_FROM,
    REWRITES_MAX,
    SETTLED_BYTES,
    Job,
    is_closed,
    job,
    parts_of,
)

SPREAD = 16  # ranges that a block is cut into at once, up to twice as many the last time
CUT_BLOCKS = 32  # in one merge that cuts: with what comes out of it, one transaction swaps them
CUT_FROM_BYTES = 256 * 1024  # for each range, or blocks that lie across fences are left as they are
WORTH = 8  # a merge is worth it when what it adds is the so-manieth part of what lies there
CHEAP_BYTES = 8 * 1024 * 1024  # merged whatever it adds


def jobs_of(blocks: Collection[Block], hour_ns: int, now_ns: int, taken: Collection[str] = frozenset()) -> list[Job]:
    """The merges that one tenant's blocks of one hour of arrival need now; none of them shares a block with another or
    has one that is `taken`.
    """
    jobs: list[Job] = []
    for far in (False, True):
        mergeable = sorted((one for one in blocks if one.far is far and one.level < REWRITES_MAX), key=_age)
        if is_closed(hour_ns, now_ns):
            jobs += _closing(mergeable, taken)
        else:
            jobs += _by_level(_free(mergeable, taken))
    return jobs


def _age(block: Block) -> tuple[int, str]:
    return block.received_ns, block.block_id


def _free(blocks: Sequence[Block], taken: Collection[str]) -> list[Block]:
    return [block for block in blocks if block.block_id not in taken]


def _by_level(blocks: Sequence[Block]) -> Iterator[Job]:
    """Blocks of a level that are MERGE_FROM or more, and not large enough yet."""
    small = [block for block in blocks if block.size_bytes < SETTLED_BYTES]
    for level in sorted({block.level for block in small}):
        parts = parts_of([block for block in small if block.level == level])
        yield from (job(part) for part in parts if len(part) >= MERGE_FROM)


def _closing(blocks: Sequence[Block], taken: Collection[str]) -> Iterator[Job]:
    """The merges of an hour that is over."""
    fences = fences_of(blocks)
    between: dict[int, list[Block]] = {}
    across: dict[tuple[int, int], list[Block]] = {}
    for block in blocks:
        first, last = range_of(fences, block.min_trace_id), range_of(fences, block.max_trace_id)
        if first == last:
            between.setdefault(first, []).append(block)
        else:
            across.setdefault(_coarseness(first, last), []).append(block)
    unsettled: set[int] = set()
    for (step, _), group in sorted(across.items()):
        cuts = _cuts(fences, group, step)
        if sum(block.size_bytes for block in group) < CUT_FROM_BYTES * (len(cuts) + 1):
            yield from _gathered(group, taken)
            continue
        unsettled |= {number for block in group for number in _ranges(fences, block)}
        free = sorted(_free(group, taken), key=lambda block: (block.min_trace_id, _age(block)))
        yield from (job(part, _cuts(fences, part, step)) for part in parts_of(free, CUT_BLOCKS))
    for number, group in sorted(between.items()):
        if number not in unsettled:
            yield from _gathered(group, taken)


def _coarseness(first: int, last: int) -> tuple[int, int]:
    """For a block across ranges: at every how manieth fence it is cut, and which stretch of ranges its middle is in.

    Fences move a little from round to round, so a block may be somewhat wider than what it was cut out to be.
    """
    step = 1
    while last - first > 2 * SPREAD * step:
        step *= SPREAD
    return step, (first + last) // 2 // (SPREAD * step)


def _cuts(fences: Sequence[bytes], blocks: Sequence[Block], step: int) -> list[bytes]:
    """Every `step`-th fence that any of the blocks lies across."""
    first = min(range_of(fences, block.min_trace_id) for block in blocks)
    last = max(range_of(fences, block.max_trace_id) for block in blocks)
    return [fences[at] for at in range(first, last) if (at + 1) % step == 0]


def _ranges(fences: Sequence[bytes], block: Block) -> range:
    return range(range_of(fences, block.min_trace_id), range_of(fences, block.max_trace_id) + 1)


def _gathered(blocks: Sequence[Block], taken: Collection[str]) -> Iterator[Job]:
    """The merges of blocks that are to become one, or as few as their size allows."""
    free = _free(blocks, taken)
    if sum(block.size_bytes for block in blocks) > JOB_BYTES or len(blocks) > JOB_BLOCKS:
        small = [block for block in free if block.size_bytes < SETTLED_BYTES]
        yield from (job(part) for part in parts_of(small) if len(part) > 1)
    elif len(free) == len(blocks) and not _settled(blocks):
        yield from [job(blocks)] if _worth_it(blocks) else _by_level(blocks)


def _settled(blocks: Sequence[Block]) -> bool:
    """Whether a merge of all would leave them as they are."""
    total_bytes = sum(block.size_bytes for block in blocks)
    return _disjoint(blocks) and len(blocks) <= total_bytes // BLOCK_BYTES + 1


def _worth_it(blocks: Sequence[Block]) -> bool:
    """Whether enough has come since the last merge: else each block that comes late would rewrite a whole range."""
    core: list[Block] = []
    for block in sorted(blocks, key=lambda block: -block.size_bytes):
        core += [block] if _disjoint([*core, block]) else []
    core_bytes, total_bytes = (sum(block.size_bytes for block in some) for some in (core, blocks))
    return total_bytes <= CHEAP_BYTES or not _settled(core) or (total_bytes - core_bytes) * WORTH >= core_bytes


def _disjoint(blocks: Sequence[Block]) -> bool:
    ordered = sorted(blocks, key=lambda block: block.min_trace_id)
    return all(before.max_trace_id < after.min_trace_id for before, after in pairwise(ordered))
