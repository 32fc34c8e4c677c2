"""GetTraceGraph: the services of some traces, and their calls, from their spans."""

from __future__ import annotations

from spandrel.model.errors import QueryTooBroad

from .call import Call, Result
from .documents import Segment, segments_of
from .graph import Edge, Key, Service, Times, add_clients, page_of
from .inferring import inferred_members
from .members_of_attributes import Json
from .statistics import Ended
from .trace_tree import Node
from .traces import TRACE_SPANS, ids_of, spans_of_trace


def trace_graph(call: Call) -> Result:
    """TraceIds -> Services of all these traces together. A trace that is not there adds none.

    Rejected for what is no id, QueryTooBroad for a trace that is larger than BatchGetTraces tells.
    """
    services: dict[Key, Service] = {}
    for text in ids_of(call):
        spans = list(spans_of_trace(call.reading, text))
        if len(spans) > TRACE_SPANS:
            raise QueryTooBroad(f"the trace {text} has {len(spans):,} spans, and a graph is of {TRACE_SPANS:,} at most")
        _add_trace(segments_of(spans), services)
    add_clients(services)
    return page_of(call, services.values())


def _add_trace(segments: list[Segment], services: dict[Key, Service]) -> None:
    members_by_node = {id(segment.node): segment.members for segment in segments}
    for segment in segments:
        node, members = segment.node, segment.members
        if node.is_segment:
            service = _counted(services, _key(members), members)
            service.sent = True
            service.root |= not node.parent_id
            callee: Key | None = service.key
        else:
            inferred = inferred_members(node, members)
            callee = _counted(services, _key(inferred), inferred).key if inferred else None
        caller = _owner(node)
        if callee and caller:
            calling = members_by_node[id(node.caller)] if node.is_segment else members
            _add_edge(services, _key(members_by_node[id(caller)]), callee, calling, members)


def _owner(node: Node) -> Node | None:
    """The segment that makes a call; None where that is not known."""
    within = node.caller if node.is_segment else node
    owner = (within.top or within) if within else None
    return owner if owner and owner.is_segment else None


def _add_edge(services: dict[Key, Service], caller: Key, callee: Key, calling: Json, called: Json) -> None:
    """Counts a call as its caller saw it, where a subsegment was made for it."""
    seen = calling if "namespace" in calling else called
    edge = services.setdefault(caller, Service(caller)).edges.setdefault(callee, Edge(Ended()))
    assert isinstance(edge.statistics, Ended)
    edge.statistics.add(seen)
    edge.times = _joined(edge.times, seen)


def _counted(services: dict[Key, Service], key: Key, members: Json) -> Service:
    service = services.setdefault(key, Service(key))
    service.statistics = service.statistics or Ended()
    assert isinstance(service.statistics, Ended)
    service.statistics.add(members)
    service.times = _joined(service.times, members)
    return service


def _key(members: Json) -> Key:
    return members["name"], str(members.get("origin", ""))


def _joined(times: Times | None, members: Json) -> Times:
    start_s: float = members["start_time"]
    end_s: float = members.get("end_time", start_s)
    if times is None:
        return Times(start_s, end_s)
    times.add(start_s, end_s)
    return times
