"""One object of the trace index: hashes of trace ids with the hours in which the traces have spans, sorted.

    4 bytes   SPT1
    4 bytes   how many entries, big-endian
    the rest  zlib of six planes of so many bytes each: the five bytes of all hashes, first bytes first, then the places

A place is the hour's number in its window, plus FAR where the spans are in blocks that are far from their arrival.
Planes, because the first bytes of sorted hashes repeat and so take nothing. Read without Arrow, which `query` has not.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left

from spandrel.model.errors import Corrupt
from spandrel.model.trace_index import HASH_BITS

MAGIC = b"SPT1"
FAR = 64  # windows are up to 64 hours long
HASH_BYTES = HASH_BITS // 8
PLANES = HASH_BYTES + 1
_HEAD_BYTES = len(MAGIC) + 4
_LEVEL = 1  # the planes that compress at all do so at any level


def packed(count: int, planes: bytes) -> bytes:
    """The object of `count` entries."""
    return MAGIC + count.to_bytes(4, "big") + zlib.compress(planes, _LEVEL)


def planes_of(body: bytes, where: str) -> tuple[int, bytes]:
    """An object -> how many entries it has, and their planes. Corrupt, naming `where`, when it is none."""
    try:
        planes = zlib.decompress(body[_HEAD_BYTES:])
    except zlib.error as error:
        raise Corrupt(f"a part of the trace index does not read: {error}", where) from error
    count = int.from_bytes(body[len(MAGIC) : _HEAD_BYTES], "big")
    if body[: len(MAGIC)] != MAGIC or len(planes) != PLANES * count:
        raise Corrupt("a part of the trace index is not what was written", where)
    return count, planes


def places_of(hashed: int, body: bytes, where: str) -> list[int]:
    """The places of one trace in an object; none where it is not in it. Corrupt when it is no such object."""
    count, planes = planes_of(body, where)

    def entry(at: int) -> int:
        return int.from_bytes(planes[at : HASH_BYTES * count : count], "big")

    first = bisect_left(range(count), hashed, key=entry)
    places = []
    while first < count and entry(first) == hashed:
        places.append(planes[HASH_BYTES * count + first])
        first += 1
    return places
