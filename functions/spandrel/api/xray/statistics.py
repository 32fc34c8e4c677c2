"""How often something was called, how that ended and how long it took, as X-Ray's graphs and series tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from spandrel.model.traffic import Latency, Traffic, duration_of

from .members_of_attributes import Json


@dataclass(slots=True)
class Ended:
    """What is known of requests one by one: how each ended, and its duration."""

    ok: int = 0
    throttled: int = 0
    errors: int = 0
    faults: int = 0
    total_s: float = 0.0
    durations_s: Counter[float] = field(default_factory=Counter)

    def add(self, members: Json) -> None:
        """Counts a segment or subsegment by its members. One in progress has not ended, so it does not count."""
        if "end_time" not in members:
            return
        duration_s = max(0.0, round(members["end_time"] - members["start_time"], 6))
        self.durations_s[duration_s] += 1
        self.total_s += duration_s
        if members.get("fault") is True:
            self.faults += 1
        elif members.get("throttle") is True:
            self.throttled += 1
        elif members.get("error") is True:
            self.errors += 1
        else:
            self.ok += 1

    @property
    def total(self) -> int:
        return self.ok + self.throttled + self.errors + self.faults

    def summary(self) -> Json:
        """The shapes ServiceStatistics and EdgeStatistics."""
        failed = self.throttled + self.errors
        return {
            "OkCount": self.ok,
            "ErrorStatistics": {"ThrottleCount": self.throttled, "OtherCount": self.errors, "TotalCount": failed},
            "FaultStatistics": {"OtherCount": self.faults, "TotalCount": self.faults},
            "TotalCount": self.total,
            "TotalResponseTime": round(self.total_s, 6),
        }

    def histogram(self) -> list[Json]:
        return [{"Value": value, "Count": count} for value, count in sorted(self.durations_s.items())]


@dataclass(frozen=True, slots=True)
class Counted:
    """What tallies say: how many there were, how many failed, and how long they took, if that is known.

    They do not say whose fault a failure was, so ErrorStatistics and FaultStatistics are left out.
    """

    calls: int
    failed: int
    latency: Latency | None = None

    @classmethod
    def of(cls, traffic: Iterable[Traffic]) -> Counted:
        found = list(traffic)
        buckets: Counter[int] = Counter()
        for one in found:
            buckets.update(one.latency.counts)
        return cls(sum(one.calls for one in found), sum(one.errors for one in found), Latency(buckets))

    def summary(self) -> Json:
        told: dict[str, Any] = {"OkCount": self.calls - self.failed, "TotalCount": self.calls}
        if self.latency:
            total_ns = sum(duration_of(bucket) * count for bucket, count in self.latency.counts.items())
            told["TotalResponseTime"] = round(total_ns / 10**9, 6)
        return told

    def histogram(self) -> list[Json]:
        """Durations that stand for all of a bucket, within QUANTILE_ERROR."""
        counts = self.latency.counts if self.latency else {}
        return [{"Value": round(duration_of(one) / 10**9, 9), "Count": counts[one]} for one in sorted(counts)]


Statistics = Ended | Counted
