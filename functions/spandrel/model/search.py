"""What read APIs ask for, and the short form in which they list what was found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Search:
    """Conditions on spans; all of them must hold for one span of a trace, and then the whole trace is meant.

    Start times lie in [start_ns, end_ns), unix nanoseconds; durations are inclusive. `kind` is OTLP's number.
    `attributes` are pairs of key and value, the value as text (`spandrel.query.attributes` says which values it
    stands for). `limit` counts traces, newest first: those whose latest matching span starts last.
    """

    start_ns: int
    end_ns: int
    limit: int
    service: str | None = None
    operation: str | None = None
    kind: int | None = None
    min_duration_ns: int | None = None
    max_duration_ns: int | None = None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceCount:
    """A service's share of a trace. A span without a service counts under the empty text."""

    service: str
    spans: int
    errors: int


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """A trace in short: all its spans, not only those that matched.

    The root is the earliest span without a parent; its service and operation are empty where there is none. `orphans`
    are spans whose parent is not there. Services are in order of their names.
    """

    trace_id: bytes
    root_service: str
    root_operation: str
    start_ns: int
    end_ns: int
    spans: int
    errors: int
    orphans: int
    services: tuple[ServiceCount, ...]
