"""An hour of a tenant's blocks as the planner sees it, without spans: what compaction makes of any traffic, in seconds.

A block is how many bytes lie in which parts of the hour's trace ids. A trace id is a number from 0 to 1, which `Ids`
maps to the ids that some tracer makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from spandrel.blocks.writer import PARTS, draft
from spandrel.model.catalogue import Block
from spandrel.model.levels import BLOCK_BYTES, CLOSED_AFTER_NS, HOUR_NS, Job
from spandrel.model.planning import jobs_of

from .spans import START_NS

FIRST_NS = START_NS - START_NS % HOUR_NS
SPAN_BYTES = 32
BATCH_SPANS = 50_000  # 16 MiB of OTLP, the most that `store` makes one block of
BATCHES_A_MINUTE = 12  # at least, where there is traffic: the batching window is five seconds
_MINUTE_NS = 60 * 10**9
_EXACT = 40  # halvings until a quantile is found
ROUNDS_MAX = 1000

Part = tuple[float, float]
Content = dict[Part, float]


@dataclass(frozen=True, slots=True)
class Ids:
    """How some tracer's trace ids lie: stretches of ids, each with its share of the traces."""

    name: str
    stretches: tuple[tuple[float, int, int], ...]  # up to which share, from which id, below which
    in_time: bool = False  # whether they grow with the time

    def id_at(self, share: float) -> bytes:
        begun = 0.0
        for until, first, end in self.stretches:
            if share <= until:
                return min(first + int((end - first) * (share - begun) / (until - begun)), end - 1).to_bytes(16, "big")
            begun = until
        raise ValueError(f"{share} is no share")

    def share_at(self, trace_id: bytes) -> float:
        number, begun = int.from_bytes(trace_id, "big"), 0.0
        for until, first, end in self.stretches:
            if number < end:
                return begun + (until - begun) * max(0.0, (number - first) / (end - first))
            begun = until
        return 1.0


RANDOM = Ids("random ids", ((1.0, 0, 2**128),))
_HOUR_S = FIRST_NS // 10**9
ALL_IDS = (
    RANDOM,
    Ids("64-bit ids", ((1.0, 0, 2**64),)),
    Ids("half 64-bit, half random", ((0.5, 0, 2**64), (1.0, 2**64, 2**128))),
    Ids("X-Ray's, which begin with the time", ((1.0, _HOUR_S << 96, (_HOUR_S + 3600) << 96),), in_time=True),
)


@dataclass
class Hour:
    """What was done to the blocks of one hour that ended, from its first minute until nothing is left to do."""

    ids: Ids
    live: dict[str, tuple[Block, Content]] = field(default_factory=dict)
    stored_bytes: float = 0.0
    rewritten_bytes: float = 0.0
    largest_job: tuple[int, int] = (0, 0)  # blocks in and out, bytes
    jobs: int = 0

    @property
    def blocks(self) -> list[Block]:
        return sorted((block for block, _ in self.live.values()), key=lambda block: block.min_trace_id)

    @property
    def rewrites(self) -> float:
        """How many times a span was rewritten on average."""
        return self.rewritten_bytes / self.stored_bytes

    @property
    def most_rewrites(self) -> int:
        """How many times any span was, at most."""
        return max(block.level for block in self.blocks)

    def holding(self, trace_id: bytes) -> list[Block]:
        """The blocks that a lookup of the trace cannot rule out."""
        return [block for block in self.blocks if block.min_trace_id <= trace_id <= block.max_trace_id]

    def store(self, minute: int, spans: float, number: int = 0) -> None:
        """A block of so many spans, as `store` writes it."""
        part = (minute / 60, (minute + 1) / 60) if self.ids.in_time else (0.0, 1.0)
        begun = replace(
            draft("bench", FIRST_NS + minute * _MINUTE_NS, f"{minute}-{number}", is_far=False), spans=round(spans)
        )
        self._add(begun, {part: spans * SPAN_BYTES})
        self.stored_bytes += spans * SPAN_BYTES

    def compact(self, now_ns: int, most: int | None = None) -> bool:
        """One round of the planner, of whose jobs at most so many are done; whether there were any."""
        jobs = jobs_of([block for block, _ in self.live.values()], FIRST_NS, now_ns)
        for job in jobs[:most]:
            self._merge(job)
        return bool(jobs)

    def _add(self, begun: Block, content: Content) -> None:
        low, high = min(part[0] for part in content), max(part[1] for part in content)
        block = replace(
            begun,
            size_bytes=int(sum(content.values())),
            min_trace_id=self.ids.id_at(low),
            max_trace_id=(int.from_bytes(self.ids.id_at(high), "big") - 1).to_bytes(16, "big"),
            quantiles=tuple(self._quantiles(content)) if begun.level else (),
        )
        self.live[block.block_id] = (block, content)

    def _quantiles(self, content: Content) -> Iterator[bytes]:
        total = sum(content.values())
        yield from (self.ids.id_at(_share_before(content, total * part / PARTS)) for part in range(1, PARTS))

    def _merge(self, job: Job) -> None:
        content: Content = {}
        for block in job.inputs:
            for part, size in self.live.pop(block.block_id)[1].items():
                content[part] = content.get(part, 0.0) + size
        outputs = list(self._outputs(content, job.cuts))
        for number, output in enumerate(outputs):
            self._add(replace(job.inputs[-1], block_id=f"{job.name}-{number}", level=job.level), output)
        size_bytes = int(sum(content.values()))
        self.rewritten_bytes += size_bytes
        self.jobs += 1
        self.largest_job = max(self.largest_job, (len(job.inputs) + len(outputs), size_bytes))

    def _outputs(self, content: Content, cuts: Sequence[bytes]) -> Iterator[Content]:
        """What a worker makes of it: cut where it is told and where a block is full."""
        for low, high in pairwise([0.0, *map(self.ids.share_at, cuts), 1.0]):
            part = _between(content, low, high)
            while sum(part.values()) > BLOCK_BYTES:
                full = _share_before(part, BLOCK_BYTES)
                yield _between(part, 0.0, full)
                part = _between(part, full, 1.0)
            if part:
                yield part


def hour_of_traffic(spans_a_day: float, ids: Ids = RANDOM) -> Hour:
    """An hour of even traffic, compacted as soon as there is anything to do and until there is nothing."""
    hour = unfinished_hour(spans_a_day, 60, ids)
    settle(hour)
    return hour


def unfinished_hour(spans_a_day: float, minutes: int, ids: Ids = RANDOM) -> Hour:
    """The first minutes of such an hour, before it is closed."""
    hour = Hour(ids)
    a_minute = spans_a_day / 1440
    batches = max(BATCHES_A_MINUTE, round(a_minute / BATCH_SPANS))
    for minute in range(minutes):
        for number in range(batches):
            hour.store(minute, a_minute / batches, number)
        hour.compact(FIRST_NS + (minute + 1) * _MINUTE_NS)
    return hour


def settle(hour: Hour, most: int | None = None) -> None:
    """Compacts the hour that is over, at most so many jobs a round; LookupError when that comes to no end."""
    for _ in range(ROUNDS_MAX):
        if not hour.compact(FIRST_NS + HOUR_NS + CLOSED_AFTER_NS, most):
            return
    raise LookupError(f"after {ROUNDS_MAX} rounds there are still blocks to merge")


def _between(content: Content, low: float, high: float) -> Content:
    """What lies in a stretch of shares, without crumbs of rounding."""
    found: Content = {}
    for (first, last), size in content.items():
        begin, end = max(first, low), min(last, high)
        if end - begin > 1e-12:
            found[begin, end] = size * (end - begin) / (last - first)
    return found


def _share_before(content: Content, wanted: float) -> float:
    """Up to where so many bytes lie."""
    low, high = 0.0, 1.0
    for _ in range(_EXACT):
        middle = (low + high) / 2
        low, high = (middle, high) if _bytes_before(content, middle) < wanted else (low, middle)
    return high


def _bytes_before(content: Content, share: float) -> float:
    return sum(
        size * min(1.0, (share - first) / (last - first)) for (first, last), size in content.items() if share > first
    )
