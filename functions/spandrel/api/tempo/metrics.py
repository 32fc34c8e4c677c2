"""Series of numbers that TraceQL's metrics queries make of spans."""

from __future__ import annotations

from collections.abc import Iterator

from spandrel.api.parameters import whole_number
from spandrel.api.question import Question, json_response
from spandrel.http.response import Response
from spandrel.model.errors import Rejected
from spandrel.query import metrics
from spandrel.query.metrics_series import Exemplar, Labels, Series, Steps
from spandrel.traceql import printing
from spandrel.traceql.checking import check
from spandrel.traceql.metrics import Metrics, MetricsPipeline, OverTime, Query, Refined
from spandrel.traceql.parser import parse
from spandrel.traceql.spansets import Pipeline

from .any_value import Json, key_value, text_value
from .partial import status_of
from .search import trace_id_text
from .times import aligned, range_of_metrics, step_of

NAME = "__name__"  # the label of a series that has no other
_COUNT_MAX = 2**32 - 1
_MS_NS = 10**6


def series_by_step(question: Question) -> Response:
    """GET /api/metrics/query_range?q&start&end|since&step&exemplars: a number for each step of each series.

    A step is told by its end. Grafana's other data sources call the query `query`, so Tempo takes both.
    """
    parameters = question.parameters
    start_ns, end_ns = range_of_metrics(parameters, question.now_ns)
    step_ns = step_of(parameters, start_ns, end_ns)
    exemplars = parameters.parsed(whole_number(0, _COUNT_MAX), "exemplars") or 0
    query, name = _asked(question)
    answer = metrics.metrics(question.reading, query, *aligned(start_ns, end_ns, step_ns), step_ns, exemplars)
    series = [
        {
            "labels": _labels(labels, name),
            "samples": list(_samples(of_labels, answer.steps)),
            **_exemplars(of_labels, answer.steps),
        }
        for labels, of_labels in answer.series.items()
    ]
    return json_response({"series": series, "metrics": {}, **status_of(question.reading)})


def numbers(question: Question) -> Response:
    """GET /api/metrics/query?q&start&end|since: one number for each series, of the whole range."""
    times = range_of_metrics(question.parameters, question.now_ns)
    query, name = _asked(question)
    answer = metrics.metrics(question.reading, query, *times)
    series = [
        {"labels": _labels(labels, name), **_value(of_labels.points[0])}
        for labels, of_labels in answer.series.items()
        if of_labels.points[0] is not None
    ]
    return json_response({"series": series, "metrics": {}, **status_of(question.reading)})


def _asked(question: Question) -> tuple[Query, str]:
    """The query, and how a series is called that has no labels."""
    query = check(parse(question.parameters.required(str, "q", "query")))
    if isinstance(query.expression, Pipeline):
        raise Rejected("not a metrics query")
    return query, _name(query.expression)


def _name(expression: Metrics) -> str:
    """The function's, or where series are calculated with each other how that is written."""
    match expression:
        case MetricsPipeline(_, OverTime(function)):
            return function.value
        case Refined(source, _):
            return _name(source)
    return printing.metrics(expression)


def _labels(labels: Labels, name: str) -> list[Json]:
    return [key_value(label, value) for label, value in labels] or [text_value(NAME, name)]


def _samples(series: Series, steps: Steps) -> Iterator[Json]:
    for at, point in enumerate(series.points):
        if point is not None:
            end_ns = steps.start_ns + (at + 1) * steps.step_ns
            yield {"timestampMs": str(end_ns // _MS_NS), **_value(point)}


def _value(point: float | None) -> Json:
    """What is 0 is left out, as protobuf does."""
    return {"value": point} if point else {}


def _exemplars(series: Series, steps: Steps) -> Json:
    """A span that is counted has no number of its own: it stands at its point's."""
    told = [_exemplar(one, series.points[steps.of(one.start_ns)]) for one in series.exemplars]
    return {"exemplars": told} if told else {}


def _exemplar(exemplar: Exemplar, point: float | None) -> Json:
    return {
        "labels": [
            text_value("trace:id", trace_id_text(exemplar.trace_id)),
            text_value("span:id", exemplar.span_id.hex()),
        ],
        **_value(point if exemplar.value is None else exemplar.value),
        "timestampMs": str(exemplar.start_ns // _MS_NS),
    }
