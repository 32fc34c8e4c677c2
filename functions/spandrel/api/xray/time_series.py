"""GetTimeSeriesServiceStatistics: calls of a service, or between services, over time, counted from all spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from spandrel.model.errors import Rejected
from spandrel.query import dependencies
from spandrel.query.traffic import Chosen, traffic

from .call import Call, Result
from .filter_parser import parse
from .filter_tree import Edge, Node, Service
from .members import invalid
from .service_graph import SERVED, counted_calls, range_of
from .statistics import Counted

PERIODS_S = (60, 300)
EXPRESSION_CHARACTERS = 500  # the service model's limit
PAGE_STEPS = 1000
_Found = TypeVar("_Found")

Series = dict[int, Counted]
"""What was counted by the start of its step, unix ns."""


def time_series(call: Call) -> Result:
    """StartTime and EndTime -> statistics of each step in which something was called, in pages of PAGE_STEPS steps.

    EntitySelectorExpression says of what: `service("a")`, `edge("a", "b")`, or without it all calls between services.
    """
    start_ns, end_ns = range_of(call)
    step_ns = _period_s(call) * 10**9
    selected = _selected(call)
    if call.members.boolean("ForecastStatistics"):
        raise Rejected("ForecastStatistics are not offered")
    position = call.position()
    first_ns = position if type(position) is int else start_ns
    last_ns = min(end_ns, first_ns - first_ns % step_ns + PAGE_STEPS * step_ns)
    member, series = _series(call, selected, (first_ns, last_ns), step_ns)
    told: Result = {
        "TimeSeriesServiceStatistics": [_entry(at_ns, member, series[at_ns]) for at_ns in sorted(series)],
        "ContainsOldGroupVersions": False,
    }
    return {**told, "NextToken": call.token(last_ns)} if last_ns < end_ns else told


def _period_s(call: Call) -> int:
    period_s = call.members.integer("Period")
    if period_s is None:
        return PERIODS_S[0]
    if period_s not in PERIODS_S:
        raise invalid("Period", period_s, f"Member must be one of {', '.join(map(str, PERIODS_S))}")
    return period_s


def _selected(call: Call) -> Service | Edge:
    expression = call.members.text("EntitySelectorExpression", EXPRESSION_CHARACTERS)
    if not expression:
        return Edge(Node(), Node())
    found = parse(expression)
    if not isinstance(found, Service | Edge) or found.condition is not None:
        raise Rejected('EntitySelectorExpression is service("name") or edge("source", "destination"), and no more')
    nodes = [found.node] if isinstance(found, Service) else [found.source, found.destination]
    if any(node.type is not None or node.account is not None for node in nodes):
        raise Rejected("what is counted of all spans knows services by name, not by type or account")
    return found


def _series(call: Call, selected: Service | Edge, range_ns: tuple[int, int], step_ns: int) -> tuple[str, Series]:
    """The member in which statistics are told, and these."""
    if isinstance(selected, Edge):
        return "EdgeSummaryStatistics", _between(call, selected, range_ns, step_ns)
    name = selected.node.name
    chosen = Chosen(None if name is None else [name], SERVED)
    counted = traffic(call.reading, *range_ns, step_ns=step_ns, apart=(), chosen=chosen)
    series = {at_ns: Counted.of(some) for at_ns, some in _by_step((one.start_ns, one) for one in counted).items()}
    if not series and name is not None:  # it may be one that is inferred: then calls of it are all that is known
        series = _between(call, Edge(Node(), selected.node), range_ns, step_ns)
    return "ServiceSummaryStatistics", series


def _between(call: Call, edge: Edge, range_ns: tuple[int, int], step_ns: int) -> Series:
    source, destination = edge.source.name, edge.destination.name
    calls = [
        one
        for one in dependencies.calls(call.reading, *range_ns, step_ns=step_ns)
        if source in (None, one.link.parent) and destination in (None, one.link.child)
    ]
    return {at_ns: counted_calls(some) for at_ns, some in _by_step((one.start_ns, one) for one in calls).items()}


def _by_step(found: Iterable[tuple[int, _Found]]) -> dict[int, list[_Found]]:
    steps: defaultdict[int, list[_Found]] = defaultdict(list)
    for at_ns, one in found:
        steps[at_ns].append(one)
    return steps


def _entry(at_ns: int, member: str, counted: Counted) -> Result:
    told: Result = {"Timestamp": at_ns / 10**9, member: counted.summary()}
    histogram = counted.histogram()
    return {**told, "ResponseTimeHistogram": histogram} if histogram else told
