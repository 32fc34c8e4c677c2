"""What Jaeger UI's page "Monitor" asks: latencies, calls and errors of services over time, computed from spans.

The form is that of Jaeger's MetricFamily (jaeger-idl, model/proto/metrics/openmetrics.proto), names and parameters are
those of cmd/query/app/http_handler.go. As with Prometheus behind Jaeger, a point tells of the time `ratePer` before it;
here in whole minutes, for which traffic is counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from spandrel.api.parameters import Parameters, boolean, whole_number
from spandrel.api.question import Endpoint, Question, json_response
from spandrel.http.response import Response
from spandrel.model.errors import Rejected
from spandrel.model.spans import KINDS
from spandrel.model.traffic import MINUTE_NS, Latency, Traffic
from spandrel.query.traffic import Chosen, Side, traffic

from .bounds import (
    DEFAULT_METRICS_LOOKBACK_MS,
    DEFAULT_RATE_MS,
    MINUTE_MS,
    MS_MAX,
    MS_NS,
    POINTS_MAX,
    SERVICES_MAX,
)

_SECOND_NS = 10**9
_KIND_PREFIX = "span_kind_"

Series = tuple[str, str]
"""Service and operation; the operation is empty where they are not told apart."""
Value = Callable[[Traffic], float | None]
"""What a point says of the traffic of its time; None: nothing."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Times in unix ns. `points` are those at which something is said, `window_ns` how far back each looks."""

    chosen: Chosen
    by_operation: bool
    points: range
    window_ns: int

    @property
    def apart(self) -> tuple[Side, ...]:
        return ("service", "operation") if self.by_operation else ("service",)


def latencies(question: Question) -> Response:
    """GET /api/metrics/latencies?service&quantile&…: milliseconds."""
    share = question.parameters.required(_share, "quantile")

    def milliseconds(found: Traffic) -> float | None:
        duration_ns = found.latency.quantile(share)
        return None if duration_ns is None else duration_ns / MS_NS

    return _family(question, "latencies", f"{share:g}th quantile latency in milliseconds", milliseconds)


def calls(question: Question) -> Response:
    """GET /api/metrics/calls?service&…: calls a second."""
    asked = _asked(question)
    seconds = asked.window_ns / _SECOND_NS
    return _family(question, "call_rate", "calls a second", lambda found: found.calls / seconds)


def errors(question: Question) -> Response:
    """GET /api/metrics/errors?service&…: the share of calls that failed."""

    def share(found: Traffic) -> float | None:
        return found.errors / found.calls if found.calls else None

    return _family(question, "error_rate", "share of calls that failed", share)


def least_step(_question: Question) -> Response:
    """GET /api/metrics/minstep, milliseconds"""
    return json_response({"data": MINUTE_MS, "total": 0, "limit": 0, "offset": 0, "errors": None})


ENDPOINTS: Mapping[str, Endpoint] = {
    "/api/metrics/latencies": latencies,
    "/api/metrics/calls": calls,
    "/api/metrics/errors": errors,
    "/api/metrics/minstep": least_step,
}


def _family(question: Question, name: str, told: str, value: Value) -> Response:
    asked = _asked(question)
    found = traffic(
        question.reading,
        asked.points[0] - asked.window_ns,
        asked.points[-1],
        apart=asked.apart,
        chosen=asked.chosen,
    )
    metrics = [
        {"labels": _labels(series, asked), "metricPoints": _points(_moving(minutes, asked), value)}
        for series, minutes in _by_series(found).items()
    ]
    prefix = "service_operation" if asked.by_operation else "service"
    whose = "service and operation" if asked.by_operation else "service"
    return json_response(
        {"name": f"{prefix}_{name}", "type": "GAUGE", "help": f"{told}, by {whose}", "metrics": metrics}
    )


def _asked(question: Question) -> _Asked:
    parameters = question.parameters
    services = parameters.texts("service")
    if not services:
        raise Rejected("please provide at least one service name")
    if len(services) > SERVICES_MAX:
        raise Rejected(f"a request takes {SERVICES_MAX} services, not {len(services)}")
    kinds = [_kind(text) for text in parameters.texts("spanKind")] or [KINDS["server"]]
    window_ns = _minutes(parameters, "ratePer", DEFAULT_RATE_MS) * MINUTE_NS
    return _Asked(
        Chosen(services, kinds), parameters.parsed(boolean, "groupByOperation") or False, _times(question), window_ns
    )


def _times(question: Question) -> range:
    """The multiples of the step from the start to the end, the end taken in; at least one."""
    parameters = question.parameters
    end_ms = parameters.parsed(whole_number(1, MS_MAX), "endTs")
    lookback_ms = parameters.parsed(whole_number(1, MS_MAX), "lookback") or DEFAULT_METRICS_LOOKBACK_MS
    end_ns = question.now_ns if end_ms is None else end_ms * MS_NS
    step_ns = _minutes(parameters, "step", MINUTE_MS) * MINUTE_NS
    last_ns = end_ns // step_ns * step_ns
    points = range(last_ns - lookback_ms * MS_NS // step_ns * step_ns, last_ns + 1, step_ns)
    if len(points) > POINTS_MAX:
        raise Rejected(
            f"this asks for {len(points)} points, and a series has {POINTS_MAX} at most: make the step longer"
        )
    return points


def _minutes(parameters: Parameters, name: str, default_ms: int) -> int:
    length_ms = parameters.parsed(whole_number(1, MS_MAX), name) or default_ms
    if length_ms % MINUTE_MS:
        raise Rejected(f"parameter {name} takes whole minutes in milliseconds, not {length_ms}")
    return length_ms // MINUTE_MS


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"takes a number from 0 to 1, not {text[:80]!r}")
    return share


def _kind(text: str) -> int:
    """`server` or, as some clients of Jaeger say it, `SPAN_KIND_SERVER`."""
    name = text.lower().removeprefix(_KIND_PREFIX)
    if name not in KINDS:
        raise Rejected(f"unsupported span kind: {text[:80]!r}")
    return KINDS[name]


def _by_series(found: Iterable[Traffic]) -> Mapping[Series, Mapping[int, Traffic]]:
    series: defaultdict[Series, dict[int, Traffic]] = defaultdict(dict)
    for one in found:
        series[one.service, one.operation][one.start_ns] = one
    return series


def _moving(minutes: Mapping[int, Traffic], asked: _Asked) -> Iterator[tuple[int, Traffic]]:
    """At each point the traffic of the window that ends there: what comes in is added, what leaves taken off."""
    calls, errors, counts = 0, 0, Counter[int]()
    for last_ns, end_ns in pairwise([asked.points[0] - asked.window_ns, *asked.points]):
        for one in _between(minutes, last_ns, end_ns):
            calls, errors = calls + one.calls, errors + one.errors
            counts.update(one.latency.counts)
        for one in _between(minutes, last_ns - asked.window_ns, end_ns - asked.window_ns):
            calls, errors = calls - one.calls, errors - one.errors
            counts.subtract(one.latency.counts)
        yield end_ns, Traffic(end_ns - asked.window_ns, "", "", -1, calls, errors, Latency(+counts))


def _between(minutes: Mapping[int, Traffic], start_ns: int, end_ns: int) -> Iterator[Traffic]:
    return (minutes[minute_ns] for minute_ns in range(start_ns, end_ns, MINUTE_NS) if minute_ns in minutes)


def _labels(series: Series, asked: _Asked) -> list[Mapping[str, str]]:
    service, operation = series
    named = [{"name": "operation", "value": operation}] if asked.by_operation else []
    return [*named, {"name": "service_name", "value": service}]


def _points(found: Iterable[tuple[int, Traffic]], value: Value) -> list[Mapping[str, object]]:
    """Those at which there is anything to say."""
    said = ((time_ns, value(one)) for time_ns, one in found)
    return [
        {"timestamp": _time_text(time_ns), "gaugeValue": {"doubleValue": number}}
        for time_ns, number in said
        if number is not None
    ]


def _time_text(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // _SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
