"""Where the spans of traces lie, found from the spans that are known."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from spandrel.model.catalogue import Block

from .reading import Reading

MARGIN_NS = 3600 * 10**9
"""How far from a span of a trace its other spans are looked for."""

_LOCATED_BY = ("trace_id", "start_time_unix_nano")
_LOCATE = """
    SELECT filename, trace_id, min(start_time_unix_nano), max(start_time_unix_nano)
    FROM spans WHERE trace_id IN (SELECT unnest(?::BLOB[])) GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """The starts of the first and the last span of a trace that are known, unix nanoseconds."""

    first_ns: int
    last_ns: int

    def __or__(self, other: Extent) -> Extent:
        return Extent(min(self.first_ns, other.first_ns), max(self.last_ns, other.last_ns))


Extents = dict[bytes, Extent]


def holding(
    reading: Reading, live: Sequence[Block], known: Extents, held_in: Collection[str] = frozenset()
) -> list[Block]:
    """Those of the live blocks that hold spans of the known traces, in the order of `live`. `held_in`: ids of blocks of
    which that is known already. They are not looked into, so nothing that lies in them extends a trace: who names some
    asks `beyond` afterwards.

    Looked for where a span is MARGIN_NS or less from another one of its trace, beginning with what is known. Spans
    that are far from their arrival (`Block.far`: a bad clock) are found like any, but do not extend their trace.
    """
    extents = dict(known)
    looked = set(held_in)
    found = set(held_in)
    while new := [block for block in _around(live, extents) if block.block_id not in looked]:
        looked |= {block.block_id for block in new}
        for block, here in located(reading, new, known):
            found.add(block.block_id)
            for trace_id, extent in here.items() if not block.far else ():
                extents[trace_id] |= extent
    return [block for block in live if block.block_id in found]


def beyond(reading: Reading, live: Sequence[Block], known: Extents, whole: Extents) -> bool:
    """Whether traces have spans in blocks that are near the `whole` of them and were not near what was `known`."""
    near = {block.block_id for block in _around(live, known)}
    further = [block for block in _around(live, whole) if block.block_id not in near]
    return bool(further) and bool(located(reading, further, known))


def located(reading: Reading, blocks: Sequence[Block], trace_ids: Collection[bytes]) -> list[tuple[Block, Extents]]:
    """Those of the blocks that hold spans of these traces, and which."""
    opened = reading.open(blocks)
    by_block: dict[str, tuple[Block, Extents]] = {}
    for filename, trace_id, first_ns, last_ns in opened.select(_LOCATE, [list(trace_ids)], columns=_LOCATED_BY):
        block = opened.block(filename)
        by_block.setdefault(block.block_id, (block, {}))[1][trace_id] = Extent(first_ns, last_ns)
    return list(by_block.values())


def _around(blocks: Iterable[Block], extents: Extents) -> list[Block]:
    """Those of the blocks that have spans near any extent and an id of any of the traces in their range."""
    ids = sorted(extents)
    starts, ends = _merged(extents.values())
    return [block for block in blocks if _overlaps(block, starts, ends) and _may_hold(block, ids)]


def _merged(extents: Iterable[Extent]) -> tuple[list[int], list[int]]:
    """Starts and ends of the stretches of time within the margin of any extent, disjoint and in order."""
    starts: list[int] = []
    ends: list[int] = []
    for first_ns, last_ns in sorted((one.first_ns - MARGIN_NS, one.last_ns + MARGIN_NS) for one in extents):
        if ends and first_ns <= ends[-1]:
            ends[-1] = max(ends[-1], last_ns)
        else:
            starts.append(first_ns)
            ends.append(last_ns)
    return starts, ends


def _overlaps(block: Block, starts: Sequence[int], ends: Sequence[int]) -> bool:
    last = bisect_right(starts, block.max_start_ns) - 1
    return last >= 0 and ends[last] >= block.min_start_ns


def _may_hold(block: Block, ids: Sequence[bytes]) -> bool:
    first = bisect_left(ids, block.min_trace_id)
    return first < len(ids) and ids[first] <= block.max_trace_id
