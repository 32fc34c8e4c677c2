from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

from spandrel.model.catalogue import Block
from spandrel.model.fences import RANGE_BYTES, fences_of, range_of
from spandrel.model.levels import JOB_BYTES
from tests.builders import block


def holding(name: str, ids: list[bytes], size_bytes: int = RANGE_BYTES) -> Block:
    """A merged block of these traces, as its writer describes it."""
    ordered = sorted(ids)
    quantiles = tuple(ordered[len(ordered) * part // 16] for part in range(1, 16))
    ends = {"min_trace_id": ordered[0], "max_trace_id": ordered[-1]}
    return replace(block(name), size_bytes=size_bytes, quantiles=quantiles, **ends)  # type: ignore[arg-type]


def drawn(seed: int, count: int = 2000) -> list[bytes]:
    """Ids of which half are of 64 bits and half random."""
    draw = random.Random(seed)
    return [bytes(8) + draw.randbytes(8) if at % 2 else draw.randbytes(16) for at in range(count)]


def shares(fences: list[bytes], ids: list[bytes]) -> list[float]:
    counts = [0] * (len(fences) + 1)
    for trace_id in ids:
        counts[range_of(fences, trace_id)] += 1
    return [count / len(ids) for count in counts]


def test_what_one_merge_takes_has_no_fences() -> None:
    assert fences_of([]) == []
    assert fences_of([holding(str(n), drawn(n), JOB_BYTES // 2) for n in range(2)]) == []


def test_blocks_that_do_not_tell_how_their_ids_lie_are_merged_first() -> None:
    untold = [replace(holding(str(n), drawn(n)), quantiles=()) for n in range(6)]
    assert fences_of([*untold, holding("told", drawn(7))]) == []


def test_between_two_fences_lies_about_the_same_of_ids_that_are_spread_unevenly() -> None:
    ids = [drawn(n) for n in range(8)]
    fences = fences_of([holding(str(n), some) for n, some in enumerate(ids)])
    assert fences == sorted(set(fences))
    assert len(fences) == 7
    assert all(0.5 / 8 < share < 1.6 / 8 for share in shares(fences, [one for some in ids for one in some]))


def test_fences_stand_where_blocks_were_cut_before() -> None:
    ids = [drawn(n) for n in range(8)]
    blocks = [holding(str(n), some) for n, some in enumerate(ids)]
    fences = fences_of(blocks)
    bounds = [bytes(16), *fences, b"\xff" * 16]
    pieces = [
        holding(f"cut {low.hex()}", [one for one in ids[0] if low <= one < high], RANGE_BYTES // 8)
        for low, high in pairwise(bounds)
    ]
    again = fences_of([*blocks[1:], *pieces])
    assert len(again) == len(fences)
    assert all(range_of(again, p.min_trace_id) == range_of(again, p.max_trace_id) for p in pieces)


def test_one_trace_cannot_be_parted_however_much_it_holds() -> None:
    assert fences_of([holding(str(n), [b"\7" * 16] * 100) for n in range(8)]) == []
