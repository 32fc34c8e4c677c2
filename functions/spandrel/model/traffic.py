"""How often an operation is called, how often that fails, and how long it takes.

Latencies are counted in buckets whose bounds grow by GROWTH, so that histograms of any minutes, blocks or operations
add up, and a quantile read off them is never more than QUANTILE_ERROR beside the true one. It is the histogram of
DDSketch (Masson, Rim, Lee: "DDSketch", VLDB 2019, section 2), without its limit on the number of buckets: all
durations that 64 bits can say need 460.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

MINUTE_NS = 60 * 10**9
GROWTH = 1.1
QUANTILE_ERROR = (GROWTH - 1) / (GROWTH + 1)  # 0.0477
INSTANT = -1
"""The bucket of spans that took no time at all."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Spans by bucket: bucket n holds durations above GROWTH^(n-1) and up to GROWTH^n nanoseconds.

    Spans that ended before they began have no latency, so they are in no bucket.
    """

    counts: Mapping[int, int]

    def __add__(self, other: Latency) -> Latency:
        return Latency(Counter(self.counts) + Counter(other.counts))

    @property
    def spans(self) -> int:
        """How many spans have a latency."""
        return sum(self.counts.values())

    def quantile(self, share: float) -> float | None:
        """The duration, ns, that `share` (0 to 1) of the spans do not exceed, within QUANTILE_ERROR; None of none."""
        rank = max(1, math.ceil(share * self.spans))
        passed = 0
        for bucket in sorted(self.counts):
            passed += self.counts[bucket]
            if passed >= rank:
                return duration_of(bucket)
        return None


def duration_of(bucket: int) -> float:
    """The duration, ns, that stands for all of a bucket: no other one is nearer, relatively, to both of its bounds."""
    return 0.0 if bucket == INSTANT else 2 * GROWTH**bucket / (GROWTH + 1)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Spans that start in [start_ns, start_ns + the step asked for) and share service, operation and kind.

    What was not asked to be told apart is empty (`service`, `operation`) or -1 (`kind`, OTLP's number).
    """

    start_ns: int
    service: str
    operation: str
    kind: int
    calls: int
    errors: int
    latency: Latency
