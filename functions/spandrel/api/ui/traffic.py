"""What the web UI's map and services pages ask (docs/ui.md). Times are unix milliseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from spandrel.api.parameters import whole_number
from spandrel.api.question import Question, json_response
from spandrel.http.response import Response
from spandrel.model.errors import Rejected
from spandrel.model.spans import KINDS
from spandrel.model.traffic import MINUTE_NS, Latency, Traffic
from spandrel.query import dependencies
from spandrel.query.traffic import Chosen, Side, traffic

from .bounds import DEFAULT_RANGE_NS, MS_MAX, MS_NS, STEPS_MAX

QUANTILES = (0.5, 0.95, 0.99)
# What a service does for others: it answers calls and takes messages. What it asks of others is their work.
_SERVING = (KINDS["server"], KINDS["consumer"])


def service_map(question: Question) -> Response:
    """GET /api/ui/map?start&end: links between services with calls and errors, and what each service does."""
    start_ns, end_ns = range_of(question)
    links = dependencies.links(question.reading, start_ns, end_ns)
    served: defaultdict[str, list[Traffic]] = defaultdict(list)
    for part in _work(question, (start_ns, end_ns), _whole(start_ns, end_ns), "service"):
        served[part.service].append(part)
    return json_response(
        {
            "links": [
                {"parent": link.parent, "child": link.child, "calls": link.calls, "errors": link.errors}
                for link in links
            ],
            "services": [{"service": name, **_told(parts)} for name, parts in sorted(served.items())],
        }
    )


def series(question: Question) -> Response:
    """GET /api/ui/traffic?start&end&step&service: calls, errors and latency quantiles over time, of each service, or
    of each operation of one. `step` is in milliseconds, and rounded up to whole minutes.
    """
    start_ns, end_ns = range_of(question)
    service = question.parameters.text("service")
    step_ms = question.parameters.required(whole_number(1, MS_MAX), "step")
    step_ns = -(-step_ms * MS_NS // MINUTE_NS) * MINUTE_NS
    first_ns = start_ns - start_ns % step_ns
    steps = -(-(end_ns - first_ns) // step_ns)
    if steps > STEPS_MAX:
        raise Rejected(f"the range has {steps} steps; {STEPS_MAX} can be told: widen the step")
    side: Side = "operation" if service else "service"
    parts: defaultdict[str, list[Traffic]] = defaultdict(list)
    for part in _work(question, (start_ns, end_ns), step_ns, side, None if service is None else (service,)):
        parts[getattr(part, side)].append(part)
    told = [
        {side: name, **_told(some), "points": _points(some, first_ns, step_ns, steps)} for name, some in parts.items()
    ]
    return json_response({"start_ms": first_ns // MS_NS, "step_ms": step_ns // MS_NS, "steps": steps, "series": told})


def range_of(question: Question) -> tuple[int, int]:
    """[start, end) in unix nanoseconds: without `end` until now, without `start` an hour."""
    moment = whole_number(0, MS_MAX)
    start_ms, end_ms = (question.parameters.parsed(moment, name) for name in ("start", "end"))
    end_ns = question.now_ns if end_ms is None else end_ms * MS_NS
    return max(0, end_ns - DEFAULT_RANGE_NS) if start_ms is None else start_ms * MS_NS, end_ns


def _whole(start_ns: int, end_ns: int) -> int:
    """A step that the range does not pass by more than one boundary."""
    return max(1, -(-(end_ns - start_ns) // MINUTE_NS)) * MINUTE_NS


def _work(
    question: Question, times: tuple[int, int], step_ns: int, side: Side, services: Collection[str] | None = None
) -> list[Traffic]:
    """What each did for others; of those that did nothing for others (a job, a client) all that they did.

    Asked for in two, because told apart by kind it would be several times as much, and an answer holds so much.
    """
    serving, every = (
        traffic(question.reading, *times, step_ns=step_ns, apart=(side,), chosen=Chosen(services, kinds))
        for kinds in (_SERVING, None)
    )
    those = {getattr(part, side) for part in serving}
    return [*serving, *(part for part in every if getattr(part, side) not in those)]


def _told(parts: Iterable[Traffic]) -> Mapping[str, object]:
    calls, errors, latency = _added(parts)
    return {"calls": calls, "errors": errors, "quantiles_us": _quantiles(latency)}


def _points(parts: Sequence[Traffic], first_ns: int, step_ns: int, steps: int) -> list[list[object]]:
    """For each step calls, errors and the quantiles."""
    by_step: defaultdict[int, list[Traffic]] = defaultdict(list)
    for part in parts:
        by_step[(part.start_ns - first_ns) // step_ns].append(part)
    points: list[list[object]] = []
    for step in range(steps):
        calls, errors, latency = _added(by_step[step])
        points.append([calls, errors, *_quantiles(latency)])
    return points


def _added(parts: Iterable[Traffic]) -> tuple[int, int, Latency]:
    calls, errors, latency = 0, 0, Latency({})
    for part in parts:
        calls, errors, latency = calls + part.calls, errors + part.errors, latency + part.latency
    return calls, errors, latency


def _quantiles(latency: Latency) -> list[float | None]:
    """Microseconds, for each of QUANTILES."""
    found = [latency.quantile(share) for share in QUANTILES]
    return [None if ns is None else round(ns / 1000, 1) for ns in found]
