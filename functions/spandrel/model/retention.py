"""How long spans are kept: one setting for all tenants, in which some may have their own number of days."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

DAY_NS = 86_400 * 10**9
EVERYBODY = "*"  # in a setting by tenant: who is not named. No tenant is called that


@dataclass(frozen=True, slots=True)
class Retention:
    """Days, counted from the arrival of spans."""

    default_days: int
    days_of: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_text(cls, text: str) -> Retention:
        """The setting as JSON: a number of days, or an object of them by tenant, `*` for everybody else."""
        said = json.loads(text)
        if isinstance(said, int):
            return cls(said)
        return cls(said[EVERYBODY], {tenant: days for tenant, days in said.items() if tenant != EVERYBODY})

    def days(self, tenant: str) -> int:
        return self.days_of.get(tenant, self.default_days)

    def since_ns(self, tenant: str, now_ns: int) -> int:
        """What arrived before is shown no more, unix ns."""
        return now_ns - self.days(tenant) * DAY_NS

    @property
    def shortest_days(self) -> int:
        return min([self.default_days, *self.days_of.values()])

    @property
    def longest_days(self) -> int:
        return max([self.default_days, *self.days_of.values()])


@dataclass(frozen=True, slots=True)
class KeptDay:
    """A day of arrival of one tenant; `mark` names the note of it."""

    tenant: str
    start_ns: int
    mark: str

    @property
    def end_ns(self) -> int:
        return self.start_ns + DAY_NS

    @property
    def day(self) -> str:
        return day_of(self.start_ns)


def day_of(at_ns: int) -> str:
    """The UTC day of a unix time, YYYY-MM-DD."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_ns // 10**9)).date().isoformat()


def day_start_ns(day: str) -> int:
    """The unix time at which a UTC day, YYYY-MM-DD, begins; ValueError for what is no day."""
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()) * 10**9
