"""Where the blocks of an hour that is too large for one merge are cut: at trace ids that all its merges agree on.

Ids need not be spread evenly (X-Ray's begin with the time, 64-bit ones with zeros), so the fences stand at quantiles of
the ids that were seen, which the entries of merged blocks tell. Nobody keeps the fences: they are found again from the
entries, because each moves to where the fewest bytes of blocks lie on both sides of it, and that is where blocks were
cut before.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from .catalogue import Block
from .ids import TRACE_ID_BYTES
from .levels import JOB_BYTES

RANGE_BYTES = 48 * 1024 * 1024  # between two fences
_SEARCHED = 0.35  # of a range: how far to either side of its quantile a fence may move


def fences_of(blocks: Sequence[Block]) -> list[bytes]:
    """The first trace id of each range but the first. None where one merge takes all, or too few entries tell
    quantiles.
    """
    total_bytes = sum(block.size_bytes for block in blocks)
    known = [block for block in blocks if block.quantiles]
    if total_bytes <= JOB_BYTES or 2 * sum(block.size_bytes for block in known) < total_bytes:
        return []
    return list(_fences(_Seen(blocks, known), -(-total_bytes // RANGE_BYTES)))


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

    def near(self, quantile: float, reach: float) -> list[bytes]:
        """The ids within `reach` of a quantile, both as bytes before them, and those at which blocks begin there."""
        first = bisect_left(self.passed, quantile - reach)
        last = min(bisect_right(self.passed, quantile + reach), len(self.ids) - 1)
        here = self.ids[first : last + 1]
        begin = self._begins[bisect_left(self._begins, here[0]) : bisect_right(self._begins, here[-1])]
        return sorted({*here, *begin})

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


def _fences(seen: _Seen, ranges: int) -> Iterator[bytes]:
    step = seen.passed[-1] / ranges
    last = seen.ids[0]
    for number in range(1, ranges):
        near = seen.near(number * step, _SEARCHED * step)
        middle = near[len(near) // 2]
        found = min(near, key=lambda fence: (seen.parted_bytes(fence), abs(_number(fence) - _number(middle))))
        if found > last:
            last = found
            yield found


def _number(trace_id: bytes) -> int:
    return int.from_bytes(trace_id, "big")
