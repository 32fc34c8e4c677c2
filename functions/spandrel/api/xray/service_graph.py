"""GetServiceGraph: the services of a time range, and their calls, from what is counted of all spans."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from spandrel.model.errors import Rejected
from spandrel.model.links import Calls
from spandrel.model.spans import KINDS
from spandrel.model.traffic import MINUTE_NS, Traffic
from spandrel.query import dependencies
from spandrel.query.reading import check_range
from spandrel.query.traffic import traffic

from .call import Call, Result
from .graph import Edge, Key, Service, add_clients, page_of
from .group_calls import asked_group, book_of
from .services import REMOTE_TYPE
from .statistics import Counted

ALL_TRACES = "Default"  # X-Ray's name for the group that every trace is in
SERVED = (KINDS["server"], KINDS["consumer"])
_LONG_NS = 2**27 * MINUTE_NS  # a step of 255 years: the whole range is in one


def service_graph(call: Call) -> Result:
    """StartTime and EndTime -> Services, in pages."""
    start_ns, end_ns = range_of(call)
    counted = traffic(call.reading, start_ns, end_ns, step_ns=_LONG_NS, apart=("service", "kind"))
    calls = dependencies.calls(call.reading, start_ns, end_ns)
    services = _services(counted, calls)
    add_clients(services)
    times = {"StartTime": start_ns / 10**9, "EndTime": end_ns / 10**9}
    return {**times, "ContainsOldGroupVersions": False, **page_of(call, services.values())}


def range_of(call: Call) -> tuple[int, int]:
    """StartTime and EndTime, unix ns. Rejected where a group is named that holds less than all traces."""
    start_ns, end_ns = call.members.required_time_ns("StartTime"), call.members.required_time_ns("EndTime")
    named = [text for text in map(call.members.text, ("GroupName", "GroupARN")) if text]
    if named and named != [ALL_TRACES] and book_of(call).named(*asked_group(call)).expression:
        raise Rejected("calls are counted of all traces, and not of those of a group: leave GroupName out")
    check_range(start_ns, end_ns)
    return start_ns, end_ns


def _services(counted: Sequence[Traffic], calls: Sequence[Calls]) -> dict[Key, Service]:
    sent = {one.service for one in counted if one.service}
    served: defaultdict[str, list[Traffic]] = defaultdict(list)
    for one in counted:
        if one.kind in SERVED:
            served[one.service].append(one)
    incoming: defaultdict[str, list[Calls]] = defaultdict(list)
    for call in calls:
        incoming[call.link.child].append(call)
    names = sent.union(incoming, (call.link.parent for call in calls))
    services = {name: _service(name, name in sent, served[name], incoming[name]) for name in names}
    for (parent, child), edge in _edges(calls).items():
        services[parent].edges[services[child].key] = edge
    return {service.key: service for service in services.values()}


def _service(name: str, sent: bool, served: Sequence[Traffic], incoming: Sequence[Calls]) -> Service:
    if not sent:  # inferred: what is known of it is what is known of calls of it
        return Service((name, REMOTE_TYPE), statistics=counted_calls(incoming) if incoming else None)
    called = sum(one.link.calls for one in incoming)
    root = not incoming or sum(one.calls for one in served) > called
    return Service((name, ""), sent=True, root=root, statistics=Counted.of(served) if served else None)


def _edges(calls: Iterable[Calls]) -> dict[tuple[str, str], Edge]:
    count: Counter[tuple[str, str]] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    for one in calls:
        count[one.link.parent, one.link.child] += one.link.calls
        failed[one.link.parent, one.link.child] += one.link.errors
    return {pair: Edge(Counted(count[pair], failed[pair])) for pair in count}


def counted_calls(calls: Iterable[Calls]) -> Counted:
    """Calls together. How long they took, tallies of calls do not say."""
    links = [one.link for one in calls]
    return Counted(sum(link.calls for link in links), sum(link.errors for link in links))
