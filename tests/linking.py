"""The rules of docs/dependencies.md in plain Python, one span after another: what the SQL is held to.

Knows spans alone: no blocks, no copies (`distinct` takes them out), no windows.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

HOUR_NS = 3600 * 10**9
UNSPECIFIED, INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(6)
NAMED = ("zipkin.remoteEndpoint.serviceName", "service.peer.name", "peer.service")
DATABASE, BROKER, HOST = ("db.system.name", "db.system"), ("messaging.system",), ("server.address", "net.peer.name")


@dataclass(frozen=True, eq=False)
class Sent:
    """A span as somebody sent it; ids are small numbers, 0 is no parent."""

    number: int
    parent: int = 0
    trace: int = 1
    kind: int = INTERNAL
    service: str = ""
    name: str = "work"
    start_ns: int = 0
    duration_ns: int = 1000
    failed: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[object, ...]:
        return self.trace, self.number, self.kind, self.service, self.start_ns

    @property
    def peer(self) -> str | None:
        named, database, broker, host = (self._first(keys) for keys in (NAMED, DATABASE, BROKER, HOST))
        if host and re.fullmatch(r"[0-9.]+|.*:.*", host):
            host = None
        said = {
            CLIENT: (named, database, broker, host),
            PRODUCER: (named, broker),
            CONSUMER: (named, broker),
            SERVER: (named,),
            UNSPECIFIED: (named,),
        }
        return next(filter(None, said.get(self.kind, ())), None)

    @property
    def via(self) -> str:
        if self.kind in (PRODUCER, CONSUMER):
            return "message"
        if self.kind == CLIENT and self._first(DATABASE):
            return "database"
        return "message" if self.kind == CLIENT and self._first(BROKER) else "peer"

    @property
    def client(self) -> bool:
        return self.kind == CLIENT or (self.kind == UNSPECIFIED and self.peer is not None)

    def _first(self, keys: Iterable[str]) -> str | None:
        return next((self.attributes[key] for key in keys if self.attributes.get(key)), None)


@dataclass(frozen=True)
class Call:
    """One call, at the start of the span that stands for it."""

    start_ns: int
    parent: str
    child: str
    via: str
    failed: bool


def distinct(spans: Iterable[Sent]) -> list[Sent]:
    """Each span once, of its copies the one that lasts longest."""
    kept: dict[tuple[object, ...], Sent] = {}
    for span in spans:
        known = kept.get(span.identity)
        if known is None or span.duration_ns > known.duration_ns:
            kept[span.identity] = span
    return list(kept.values())


def calls_in(spans: Iterable[Sent]) -> list[Call]:
    """All calls of all traces."""
    traces: dict[int, list[Sent]] = defaultdict(list)
    for span in spans:
        if span.start_ns > 0:
            traces[span.trace].append(span)
    return [call for trace in traces.values() for span in trace for call in _calls_of(span, trace)]


def links_of(calls: Iterable[Call]) -> dict[tuple[str, str], tuple[int, int]]:
    """Calls and errors of each parent and child."""
    found: Counter[tuple[str, str]] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    for call in calls:
        found[call.parent, call.child] += 1
        failed[call.parent, call.child] += call.failed
    return {pair: (count, failed[pair]) for pair, count in found.items()}


def _calls_of(span: Sent, trace: Sequence[Sent]) -> Iterable[Call]:
    caller, direct = _caller(span, trace)
    if span.service and caller is not None:
        broker_called = span.kind == CONSUMER and span.peer is not None
        loop = caller.kind in (CLIENT, PRODUCER) and span.kind in (SERVER, CONSUMER)
        if (caller.service != span.service or loop) and not broker_called:
            via = "call" if span.kind == SERVER or span.client else "unmarked"
            failed = (span.failed and not span.client) or (direct and caller.client and caller.failed)
            yield Call(span.start_ns, caller.service, span.service, via, failed)
    elif span.service and span.kind == SERVER and span.peer:
        yield Call(span.start_ns, span.peer, span.service, "peer", span.failed)
    owner = span.service or (caller.service if caller else "")
    if not owner or not span.peer or span.kind == SERVER:
        return
    if span.kind == CONSUMER:
        yield Call(span.start_ns, span.peer, owner, span.via, span.failed)
    elif not (span.client and _answered(span, trace)):
        yield Call(span.start_ns, owner, span.peer, span.via, span.failed)


def _answered(span: Sent, trace: Sequence[Sent]) -> bool:
    children = [one for one in trace if one is not span and one.parent == span.number and _near(one, span)]
    if span.kind == CLIENT:
        sharing = [one for one in trace if one.number == span.number and one.kind == SERVER and _near(one, span)]
        return bool(children or sharing)
    return any(one.service != span.service for one in children)


def _caller(span: Sent, trace: Sequence[Sent]) -> tuple[Sent | None, bool]:
    """The nearest ancestor that has a service, if it is near enough, and whether nothing is between."""
    seen: set[Sent] = set()
    at, direct = _nearest(span, trace), True
    while at is not None and not at.service and at not in seen:
        seen.add(at)
        at, direct = _nearest(at, trace), False
    if at is None or not at.service or not _near(at, span):
        return None, False
    return at, direct


def _nearest(span: Sent, trace: Sequence[Sent]) -> Sent | None:
    near = [one for one in trace if one is not span and _near(one, span)]
    if span.kind == SERVER:
        clients = [one for one in near if one.number == span.number and one.kind in (CLIENT, PRODUCER)]
        if clients:
            return min(clients, key=lambda one: _preference(one, span))
    parents = [one for one in near if span.parent and one.number == span.parent]
    return min(parents, key=lambda one: _preference(one, span), default=None)


def _preference(caller: Sent, callee: Sent) -> tuple[object, ...]:
    own = bool(caller.service) and caller.service == callee.service
    server = caller.kind in (SERVER, CONSUMER)
    return not own, not server, caller.start_ns, caller.kind, not caller.service, caller.service


def _near(one: Sent, other: Sent) -> bool:
    return abs(one.start_ns - other.start_ns) <= HOUR_NS
