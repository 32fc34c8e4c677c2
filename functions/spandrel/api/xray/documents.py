"""A trace as segment documents: JSON texts of segments, with their subsegments in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from spandrel.api.spans import Span
from spandrel.model.limits import KIB

from .inferring import inferred_members
from .members_of_attributes import Json
from .segment import alone, members_of
from .trace_tree import Node, trace_nodes

DOCUMENT_BYTES = 64 * KIB  # as much as X-Ray takes (X-Ray guide, "X-Ray segment documents")
DEPTH_MAX = 50  # of subsegments in one another; JSON readers give up at some depth


@dataclass(slots=True, eq=False)
class Segment:
    """A segment or subsegment: `members` are all but those that stand in it."""

    node: Node
    members: Json
    inner: list[Segment] = field(default_factory=list)
    own_bytes: int = 0
    size_bytes: int = 0
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A document as X-Ray gives it back: the id of its segment, and JSON."""

    id: str
    text: str


def segments_of(spans: Iterable[Span]) -> list[Segment]:
    """The segments and subsegments of one trace, each after the one in which it stands."""
    return [Segment(node, members_of(node)) for node in trace_nodes(spans)]


def documents_of(segments: Sequence[Segment]) -> Iterator[Document]:
    """The documents in their order, each followed by what is inferred from it.

    A subsegment is a document of its own where what it is part of was never sent, would be larger with it than
    DOCUMENT_BYTES, or deeper than DEPTH_MAX.
    """
    tops = _assembled(segments)
    for top in tops:
        yield Document(top.node.id, _text(top))
    for segment in segments:
        inferred = inferred_members(segment.node, segment.members)
        if inferred:
            yield Document(inferred["id"], _json(inferred))


def _assembled(segments: Sequence[Segment]) -> list[Segment]:
    """Puts subsegments where they stand -> those that stand in nothing."""
    by_node = {id(segment.node): segment for segment in segments}
    tops: list[Segment] = []
    for segment in reversed(segments):  # what stands in a segment comes before it
        _settle(segment, tops)
        caller = segment.node.caller
        if segment.node.is_segment or caller is None:
            tops.append(segment)
        else:
            by_node[id(caller)].inner.append(segment)
    tops.reverse()
    return [_standing(top) for top in sorted(tops, key=lambda top: top.node.span.start_ns)]


def _settle(segment: Segment, tops: list[Segment]) -> None:
    """Decides whether what stands in a segment can stay there."""
    segment.inner.reverse()
    own_bytes = len(_json(segment.members))
    segment.size_bytes = own_bytes + sum(inner.size_bytes + 1 for inner in segment.inner)
    segment.depth = 1 + max((inner.depth for inner in segment.inner), default=0)
    if segment.inner and (segment.size_bytes > DOCUMENT_BYTES or segment.depth > DEPTH_MAX):
        tops += segment.inner
        segment.inner, segment.size_bytes, segment.depth = [], own_bytes, 1


def _standing(top: Segment) -> Segment:
    if not top.node.is_segment:
        top.members = alone(top.node, top.members)
    return top


def _text(segment: Segment) -> str:
    """JSON, put together from texts: no JSON writer has to go into all of that depth."""
    own = _json(segment.members)
    if not segment.inner:
        return own
    return f'{own[:-1]},"subsegments":[{",".join(map(_text, segment.inner))}]}}'


def _json(members: Json) -> str:
    return json.dumps(members, separators=(",", ":"))
