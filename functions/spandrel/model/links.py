"""Who calls whom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Calls from the service `parent` to the service `child`, and how many of them failed."""

    parent: str
    child: str
    calls: int
    errors: int
