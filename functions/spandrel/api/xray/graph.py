"""A graph of services as X-Ray draws it, in pages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .call import Call, Result
from .members_of_attributes import Json
from .services import CLIENT_TYPE
from .statistics import Statistics

PAGE_SERVICES = 250  # of which each may have a histogram of some hundred buckets, twice
_REFERENCE_DIGITS = 7  # of 28 bits: an integer of the service model has 31

Key = tuple[str, str]
"""A service's name and type; the type is empty where nobody said it."""


@dataclass(slots=True)
class Times:
    """From the first start to the last end, unix seconds."""

    start_s: float
    end_s: float

    def add(self, start_s: float, end_s: float) -> None:
        self.start_s, self.end_s = min(self.start_s, start_s), max(self.end_s, end_s)


@dataclass(slots=True)
class Edge:
    """Calls of one service by another. What is not known is None."""

    statistics: Statistics | None = None
    times: Times | None = None


@dataclass(slots=True)
class Service:
    """A node: `edges` lead to those whom it calls. `sent`: whether segments of its own are known."""

    key: Key
    sent: bool = False
    root: bool = False
    statistics: Statistics | None = None
    times: Times | None = None
    edges: dict[Key, Edge] = field(default_factory=dict)


def page_of(call: Call, services: Iterable[Service]) -> Result:
    """The services of a page by name, each with its edges: they say by number where they lead, on whatever page."""
    found = sorted(services, key=lambda service: service.key)
    numbers = _numbers([service.key for service in found])
    position = call.position()
    first = tuple(position) if type(position) is list else ("", "")
    rest = [service for service in found if service.key > first] if position else found
    told: Json = {"Services": [_service(service, numbers) for service in rest[:PAGE_SERVICES]]}
    if len(rest) > PAGE_SERVICES:
        told["NextToken"] = call.token(list(rest[PAGE_SERVICES - 1].key))
    return told


def add_clients(services: dict[Key, Service]) -> None:
    """Puts a client before each root, as X-Ray draws it: it has the name of the service, and nothing else is known."""
    for service in [service for service in services.values() if service.root]:
        key = service.key[0], CLIENT_TYPE
        services.setdefault(key, Service(key)).edges[service.key] = Edge(times=service.times)


def _numbers(keys: Sequence[Key]) -> dict[Key, int]:
    """A number for each, which hardly changes with the others, so that pages fit each other while spans arrive."""
    numbers: dict[Key, int] = {}
    taken: set[int] = set()
    for key in keys:
        number = int(hashlib.sha256("\0".join(key).encode()).hexdigest()[:_REFERENCE_DIGITS], 16)
        while number in taken:
            number += 1
        numbers[key] = number
        taken.add(number)
    return numbers


def _service(service: Service, numbers: dict[Key, int]) -> Json:
    name, kind = service.key
    told: Json = {"ReferenceId": numbers[service.key], "Name": name, "Names": [name]}
    if kind:
        told["Type"] = kind
    if service.root:
        told["Root"] = True
    told["State"] = "active" if service.sent else "unknown"
    told |= _times(service.times)
    told["Edges"] = [_edge(edge, numbers[key]) for key, edge in sorted(service.edges.items())]
    if service.statistics:
        histogram = service.statistics.histogram()
        told["SummaryStatistics"] = service.statistics.summary()
        told |= {"DurationHistogram": histogram, "ResponseTimeHistogram": histogram} if histogram else {}
    return told


def _edge(edge: Edge, number: int) -> Json:
    told: Json = {"ReferenceId": number, **_times(edge.times), "Aliases": []}
    if edge.statistics:
        told["SummaryStatistics"] = edge.statistics.summary()
        histogram = edge.statistics.histogram()
        told |= {"ResponseTimeHistogram": histogram} if histogram else {}
    return told


def _times(times: Times | None) -> Json:
    return {"StartTime": times.start_s, "EndTime": times.end_s} if times else {}
