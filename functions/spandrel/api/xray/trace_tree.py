"""Which spans of a trace are segments, which are subsegments, and in what they stand.

A segment is what a service did for one request: a span of kind SERVER or CONSUMER, the first of a trace, or one whose
caller is of another service. All else is a subsegment, in the segment of its own service.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from spandrel.api.spans import Resource, Span
from spandrel.model.spans import KINDS

SERVED = frozenset({KINDS["server"], KINDS["consumer"]})
CALLING = frozenset({KINDS["client"], KINDS["producer"]})


@dataclass(slots=True, eq=False)
class Node:
    """A span in its trace. `id` is in hex: that of the span, but where a client and its server share one, as Zipkin's
    do, the server has another. `caller` is the span under its parent's id, None for one that was never sent.
    """

    span: Span
    id: str
    caller: Node | None = None
    is_segment: bool = False
    children: list[Node] = field(default_factory=list)
    top: Node | None = None
    """What a subsegment stands in at last: a segment, or a subsegment whose own caller was never sent. Else None."""

    @property
    def parent_id(self) -> str:
        return self.caller.id if self.caller else self.span.parent_id.hex()

    @property
    def where(self) -> Resource | None:
        """The resource that is told by what the span stands in."""
        return self.top.span.resource if self.top else None


def trace_nodes(spans: Iterable[Span]) -> list[Node]:
    """All spans of one trace, each after the one that it stands in, and else in their order."""
    nodes = _identified(spans)
    by_id: defaultdict[bytes, list[Node]] = defaultdict(list)
    for node in nodes:
        by_id[node.span.span_id].append(node)
    for node in nodes:
        node.caller = _caller(node, by_id)
        node.is_segment = _is_segment(node)
        if node.caller:
            node.caller.children.append(node)
    return list(_from_the_tops(nodes))


def derived_id(span_id: str, what: str) -> str:
    """An id in hex that follows from another one, so that it is the same whenever somebody asks."""
    return hashlib.sha256(f"{span_id} {what}".encode()).hexdigest()[:16]


def _identified(spans: Iterable[Span]) -> list[Node]:
    """A server comes after the client whose id it has, so that it is the server that gets another."""
    found = list(spans)
    given: set[str] = set()
    ids: dict[int, str] = {}
    for place in sorted(range(len(found)), key=lambda place: found[place].kind in SERVED):
        span_id = found[place].span_id.hex()
        while span_id in given:
            span_id = derived_id(span_id, "again")
        given.add(span_id)
        ids[place] = span_id
    return [Node(span, ids[place]) for place, span in enumerate(found)]


def _caller(node: Node, by_id: Mapping[bytes, Sequence[Node]]) -> Node | None:
    """By the rules of docs/dependencies.md: of a client and a server with one id, the one of the same service."""
    span = node.span
    sharing = by_id.get(span.span_id, ())
    if span.kind in SERVED and len(sharing) > 1:
        client = next((one for one in sharing if one.span.kind in CALLING), None)
        if client:
            return client
    candidates = [one for one in by_id.get(span.parent_id, ()) if one is not node] if span.parent_id else []
    return min(candidates, key=lambda one: _strangeness(one, span), default=None)


def _strangeness(candidate: Node, child: Span) -> tuple[bool, bool]:
    return candidate.span.resource.service != child.resource.service, candidate.span.kind not in SERVED


def _is_segment(node: Node) -> bool:
    span = node.span
    if span.kind in SERVED or not span.parent_id:
        return True
    service = span.resource.service  # none: a subsegment that was sent alone does not say it
    return bool(service) and (node.caller is None or node.caller.span.resource.service not in {service, ""})


def _from_the_tops(nodes: Sequence[Node]) -> Iterator[Node]:
    """Segments and what has no caller, with what stands in them; then circles, which are cut at their first span."""
    reached: set[int] = set()
    for node in nodes:
        if node.is_segment or node.caller is None:
            yield from _below(node, reached)
    for node in nodes:
        if id(node) not in reached:
            if node.caller:
                node.caller.children.remove(node)
            node.caller = None
            yield from _below(node, reached)


def _below(top: Node, reached: set[int]) -> Iterator[Node]:
    todo = [top]
    while todo:
        node = todo.pop()
        reached.add(id(node))
        if not node.is_segment and node.caller:
            node.top = node.caller.top or node.caller
        yield node
        todo += [child for child in reversed(node.children) if not child.is_segment]
