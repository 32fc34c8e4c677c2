"""The trace index: in which hours of arrival a trace has spans, so that a lookup need not ask every hour's blocks.

An hour that is over and merged is written down as a segment: the hash of each trace id in it. Segments of hours that
follow one another become one for all of them, and so again (docs/trace-index.md). An hour that is `due` (Ledger) counts
as not indexed, whatever segments say, so an index that lags costs requests and never an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from .catalogue import Block
from .levels import HOUR_NS, JOB_BLOCKS, SET_ASIDE
from .retention import day_of

WINDOW_HOURS = (64, 8)  # what segments of an hour grow into, largest first; windows begin at multiples since 1970
HASH_BITS = 40  # of a trace id that segments keep: one of 33 million strange ids is taken for another at 1 in 33,000
SHARD_TRACES = 65_536  # about as many traces are in one object, of a quarter of a MB
SHARD_BITS_MAX = 16
ROLLUP_INPUTS = 90  # a transaction of 100 items swaps them
ROLLUP_TRACES = 500_000_000  # in one segment: a worker merges so many in a part of its 15 minutes
NOTED_NS = 600 * 10**9  # for so long a note that an hour is due may still wait for its block: `store` has 60 s

ODD = 0x9E3779B97F4A7C15  # of 64 bits, without a pattern: the golden ratio
ODD_TOO = 0xD6E8FEB86659FD93
_WORD = 2**64 - 1


def trace_hash(trace_id: bytes) -> int:
    """HASH_BITS of a trace id that are spread evenly however ids are made: some begin with a time, some with zeros.

    `spandrel.blocks.trace_segments` computes the same for columns.
    """
    mixed = int.from_bytes(trace_id[8:], "little") ^ (int.from_bytes(trace_id[:8], "little") * ODD & _WORD)
    mixed = (mixed ^ mixed >> 32) * ODD_TOO & _WORD
    return (mixed ^ mixed >> 32) >> (64 - HASH_BITS)


def shard_bits(traces: int) -> int:
    """How many bits of the hash choose a trace's object."""
    return min(SHARD_BITS_MAX, max(0, (traces - 1) // SHARD_TRACES).bit_length())


@dataclass(frozen=True, slots=True)
class Segment:
    """Traces that have spans in the hours of arrival of one window, `hours` long from `start_ns` (unix ns).

    They lie in 2**shard_bits objects. Ids of traces are inclusive bounds. `block_ids` are the blocks that it was made
    of, where it is of one hour; `name` follows from what it was made of.
    """

    tenant: str
    name: str
    start_ns: int
    hours: int
    shard_bits: int
    traces: int
    size_bytes: int
    min_trace_id: bytes
    max_trace_id: bytes
    block_ids: tuple[str, ...] = ()

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.hours * HOUR_NS

    def key(self, shard: int) -> str:
        """Where the object lies of the traces whose hashes begin with these bits; day is the last of the window."""
        return f"{self.tenant}/traces/{day_of(self.end_ns - 1)}/{self.name}/{shard:04x}"

    def object_keys(self) -> Iterator[str]:
        """All its objects."""
        return map(self.key, range(2**self.shard_bits))

    def shard_of(self, hashed: int) -> int:
        return hashed >> (HASH_BITS - self.shard_bits)

    def covers(self, hour_ns: int) -> bool:
        return self.start_ns <= hour_ns < self.end_ns

    def may_hold(self, trace_id: bytes) -> bool:
        return self.min_trace_id <= trace_id <= self.max_trace_id

    def record(self) -> dict[str, Any]:
        """What JSON can hold of it: ids as hex."""
        return asdict(self) | {"min_trace_id": self.min_trace_id.hex(), "max_trace_id": self.max_trace_id.hex()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Segment:
        """The segment that `record` gave; TypeError, ValueError or KeyError when it gave none."""
        told = {
            "min_trace_id": bytes.fromhex(record["min_trace_id"]),
            "max_trace_id": bytes.fromhex(record["max_trace_id"]),
            "block_ids": tuple(record["block_ids"]),
        }
        return cls(**{**record, **told})


@dataclass(frozen=True, slots=True)
class Indexing:
    """Settled blocks of one hour of arrival, which are to become a segment."""

    tenant: str
    hour_ns: int
    blocks: tuple[Block, ...]

    @property
    def takes(self) -> list[str]:
        return [block.block_id for block in self.blocks]

    @property
    def name(self) -> str:
        return _name_of("hour", self.takes)


@dataclass(frozen=True, slots=True)
class Rollup:
    """Segments within one window, which are to become one."""

    tenant: str
    start_ns: int
    hours: int
    inputs: tuple[Segment, ...]

    @property
    def takes(self) -> list[str]:
        return [segment.name for segment in self.inputs]

    @property
    def name(self) -> str:
        return _name_of(f"{self.hours} hours", self.takes)


class Segments(Protocol):
    """Which segments count. An entry comes only after its objects."""

    def listed(self, tenant: str) -> Sequence[Segment]:
        """All that count at this moment, in the order of time, but for those of hours that are not shown any more."""

    def expired(self, tenant: str) -> Sequence[Segment]:
        """Those of hours that are not shown any more: to be removed with their objects."""

    def unsettled(self, tenant: str) -> frozenset[int]:
        """The hours of arrival, unix ns, that have blocks of which the index need not know. To be read before `listed`:
        an hour leaves this list after its segment entered the other.
        """

    def add(self, segment: Segment, job: str) -> None:
        """The segment counts, and its job is done with. Adding the same one again changes nothing."""

    def swap(self, rollup: Rollup, output: Segment) -> None:
        """All inputs out and the output in, in one step. Conflict: nothing was done, because an input is gone."""

    def remove(self, segments: Sequence[Segment]) -> None:
        """They count no more."""


def unindexed(blocks: Collection[Block], segments: Collection[Segment], hour_ns: int) -> list[Block]:
    """Those of an hour's blocks that no segment was made of, in the order of their trace ids."""
    known = {block_id for segment in segments if segment.covers(hour_ns) for block_id in segment.block_ids}
    return sorted((b for b in blocks if b.block_id not in known), key=lambda b: (b.far, b.min_trace_id, b.block_id))


def indexings(tenant: str, hour_ns: int, blocks: Sequence[Block]) -> list[Indexing]:
    """The jobs that index these blocks of an hour. One that was set aside does not read, so its hour stays due."""
    readable = [block for block in blocks if block.level != SET_ASIDE]
    parts = [readable[at : at + JOB_BLOCKS] for at in range(0, len(readable), JOB_BLOCKS)]
    return [Indexing(tenant, hour_ns, tuple(part)) for part in parts]


def rollups(segments: Collection[Segment], unsettled: Collection[int], now_ns: int) -> list[Rollup]:
    """What one tenant's segments should become now: one for each window that is over and that has several of them.

    A window with an hour that is due waits for it. Segments that together would be more than ROLLUP_TRACES stay.
    """
    left = sorted(segments, key=lambda segment: (segment.start_ns, segment.name))
    found = []
    for hours in WINDOW_HOURS:
        for start_ns in sorted({_window(segment.start_ns, hours) for segment in left}):
            within = [one for one in left if one.hours <= hours and _window(one.start_ns, hours) == start_ns]
            over_ns = start_ns + hours * HOUR_NS
            settled = over_ns <= now_ns and not any(start_ns <= hour_ns < over_ns for hour_ns in unsettled)
            few = sum(one.traces for one in within) <= ROLLUP_TRACES
            if len(within) > 1 and settled and few:
                chosen = within[:ROLLUP_INPUTS]
                found.append(Rollup(chosen[0].tenant, start_ns, hours, tuple(chosen)))
                left = [one for one in left if one not in chosen]
    return found


def _window(at_ns: int, hours: int) -> int:
    return at_ns - at_ns % (hours * HOUR_NS)


def _name_of(what: str, parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join([what, *sorted(parts)]).encode()).hexdigest()[:32]
