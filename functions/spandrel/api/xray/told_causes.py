"""Root causes as GetTraceSummaries tells them; `root_causes` says what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from spandrel.api.spans import Event

from .outcome import first_text, outcome_of
from .root_causes import SLOW_SHARE
from .span_places import CALLING, Placed, ServiceId, entries

CAUSES_MAX = 10  # of each kind, in the summary of one trace
_AtFault = Callable[[Placed], bool]
_Entity = Callable[[Placed], dict[str, Any]]


def causes_of(spans: Sequence[Placed], duration_ns: int) -> dict[str, list[dict[str, Any]]]:
    """The members `FaultRootCauses`, `ErrorRootCauses` and `ResponseTimeRootCauses` of a summary."""

    def with_coverage(one: Placed) -> dict[str, Any]:
        return {"Coverage": _duration_ns(one) / duration_ns, **_named(one)}

    def is_slow(one: Placed) -> bool:
        return bool(duration_ns) and _duration_ns(one) / duration_ns >= SLOW_SHARE

    return {
        "FaultRootCauses": _causes(spans, lambda one: outcome_of(one.span).fault, _with_exceptions),
        "ErrorRootCauses": _causes(spans, lambda one: outcome_of(one.span).error, _with_exceptions),
        "ResponseTimeRootCauses": _causes(spans, is_slow, with_coverage),
    }


def _causes(spans: Sequence[Placed], at_fault: _AtFault, entity: _Entity) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for entry in entries(spans):
        for path in _paths(entry, at_fault):
            if len(found) == CAUSES_MAX:
                return found
            found.append({"Services": _services(path, entity), "ClientImpacting": True})
    return found


def _paths(entry: Placed, at_fault: _AtFault) -> Iterator[list[Placed]]:
    """The paths down from an entry as far as spans are at fault."""
    todo = [entry] if at_fault(entry) else []
    while todo:
        one = todo.pop()
        below = [child for child in one.children if at_fault(child)]
        if not below:
            yield list(_down_to(one))
        todo += reversed(below)


def _down_to(last: Placed) -> Iterator[Placed]:
    above = [last]
    while above[-1].parent is not None:
        above.append(above[-1].parent)
    return reversed(above)


def _services(path: Sequence[Placed], entity: _Entity) -> list[dict[str, Any]]:
    """The services on a path, and what of it is in each."""
    found = [
        _service(service, [entity(one) for one in spans]) for service, spans in groupby(path, lambda one: one.service)
    ]
    called = path[-1].called
    return [*found, _service(called, [{"Name": called.name, "Remote": False}])] if called else found


def _service(service: ServiceId, path: list[dict[str, Any]]) -> dict[str, Any]:
    return {**service.members, "EntityPath": path, "Inferred": service.inferred}


def _with_exceptions(one: Placed) -> dict[str, Any]:
    exceptions = [_exception(event) for event in one.span.events if event.name == "exception"]
    return {**_named(one), "Exceptions": exceptions}


def _exception(event: Event) -> dict[str, str]:
    told = {"Name": "exception.type", "Message": "exception.message"}
    return {name: text for name, key in told.items() if (text := first_text(event.attributes, (key,)))}


def _named(one: Placed) -> dict[str, Any]:
    """Segments have the names of their services."""
    own = one.service.name if one.serves or one.parent is None else ""
    return {"Name": own or one.span.name, "Remote": one.span.kind in CALLING}


def _duration_ns(one: Placed) -> int:
    return max(one.span.end_ns - one.span.start_ns, 0)
