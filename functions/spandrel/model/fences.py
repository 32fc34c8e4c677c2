"""Where the blocks of an hour that is too large for one merge are cut: at trace ids that all its merges agree on.

Ids need not be spread evenly (X-Ray's begin with the time, 64-bit ones with zeros), so the fences stand at quantiles of
the ids that were seen, which the entries of merged blocks tell. Nobody keeps the fences: they are found again from the
entries, because each stands where the fewest bytes of blocks lie on both sides of it: where blocks were cut before.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from .catalogue import Block
from .ids import TRACE_ID_BYTES
from .levels import JOB_BYTES

RANGE_BYTES = 48 * 1024 * 1024  # between two fences, about
LEAST, MOST = 0.5, 1.6  # of that: what may lie between two fences


def fences_of(blocks: Sequence[Block]) -> list[bytes]:
    """The first trace id of each range but the first. None where one merge takes all, or too few entries tell
    quantiles.
    """
    total_bytes = sum(block.size_bytes for block in blocks)
    known = [block for block in blocks if block.quantiles]
    if total_bytes <= JOB_BYTES or 2 * sum(block.size_bytes for block in known) < total_bytes:
        return []
    return list(_fences(_Seen(blocks, known), total_bytes))


def range_of(fences: Sequence[bytes], trace_id: bytes) -> int:
    """The number of the range that the trace lies in."""
    return bisect_right(fences, trace_id)


class _Seen:
    """The ids that blocks tell of, with how many bytes lie before each, and how many a fence would part."""

    def __init__(self, blocks: Sequence[Block], known: Sequence[Block]) -> None:
        points = sorted(point for block in known for point in _points(block))
        self.ids = [trace_id for trace_id, _ in points]
        self.passed = list(accumulate(weight for _, weight in points))
        self._begins, self._begun = _sums([(block.min_trace_id, block.size_bytes) for block in blocks])
        self._ends, self._ended = _sums([(block.max_trace_id, block.size_bytes) for block in blocks])

    def near(self, first: float, last: float) -> list[bytes]:
        """The ids that have between two numbers of bytes before them, and those at which blocks begin there."""
        here = self.ids[bisect_left(self.passed, first) : bisect_right(self.passed, last)]
        if not here:
            return []
        begin = self._begins[bisect_left(self._begins, here[0]) : bisect_right(self._begins, here[-1])]
        return sorted({*here, *begin})

    def before(self, trace_id: bytes) -> float:
        """How many bytes lie before the id, of those that are known."""
        at = bisect_left(self.ids, trace_id)
        return self.passed[at - 1] if at else 0.0

    def parted_bytes(self, fence: bytes) -> int:
        """Of the blocks that have spans on both sides of a fence."""
        begun = self._begun[bisect_left(self._begins, fence)]
        return begun - self._ended[bisect_left(self._ends, fence)]


def _points(block: Block) -> Iterator[tuple[bytes, float]]:
    """One id of each of a block's parts, at the same place in each, with the part's bytes.

    Blocks of random ids tell nearly the same quantiles; each at a place of its own, they tell of what lies between.
    """
    place = zlib.crc32(block.block_id.encode()) / 2**32
    bounds = (block.min_trace_id, *block.quantiles, block.max_trace_id)
    for first, last in pairwise(map(_number, bounds)):
        trace_id = first + int((last - first) * place)
        yield trace_id.to_bytes(TRACE_ID_BYTES, "big"), block.size_bytes / (len(bounds) - 1)


def _sums(sized: Sequence[tuple[bytes, int]]) -> tuple[list[bytes], list[int]]:
    """Ids in order, and the bytes before each of them and behind the last."""
    ordered = sorted(sized)
    return [trace_id for trace_id, _ in ordered], [0, *accumulate(size for _, size in ordered)]


def _fences(seen: _Seen, total_bytes: int) -> Iterator[bytes]:
    """From fence to fence, so that one that moves takes no other with it where blocks were cut before."""
    wanted = RANGE_BYTES * seen.passed[-1] / total_bytes
    last, here = seen.ids[0], 0.0
    while here + MOST * wanted < seen.passed[-1]:
        near = [fence for fence in seen.near(here + LEAST * wanted, here + MOST * wanted) if fence > last]
        if near:
            last = min(near, key=lambda fence: (seen.parted_bytes(fence), abs(seen.before(fence) - here - wanted)))
            yield last
        here = max(here + wanted, seen.before(last)) if not near else seen.before(last)


def _number(trace_id: bytes) -> int:
    return int.from_bytes(trace_id, "big")
