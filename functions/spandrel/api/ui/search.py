"""What the web UI's search page asks (docs/ui.md). Times are unix milliseconds, queries are TraceQL."""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.api.literal_text import literal_text
from spandrel.api.parameters import whole_number
from spandrel.api.question import Question, json_response
from spandrel.http.response import Response
from spandrel.model.errors import Rejected
from spandrel.model.limits import SEARCH_LIMIT_MAX
from spandrel.model.search import TraceSummary
from spandrel.query import search
from spandrel.query.found import Found, FoundTrace, Order
from spandrel.query.metrics import metrics
from spandrel.query.metrics_series import LabelValue
from spandrel.query.reading import Reading
from spandrel.query.tag_values import tag_type, tag_values
from spandrel.query.tags import tag_names
from spandrel.traceql.checking import check
from spandrel.traceql.intrinsics import ValueType
from spandrel.traceql.parser import parse, parse_field

from .bounds import DEFAULT_LIMIT, EXEMPLARS_MAX, FACET_VALUES_MAX, FACETS_MAX, MS_MAX, MS_NS
from .traffic import range_of

_EVERYTHING = "{ }"


def found_traces(question: Question) -> Response:
    """GET /api/ui/search?q&start&end&limit&order: the newest or the slowest traces of which the query finds a span."""
    parameters = question.parameters
    start_ns, end_ns = range_of(question)
    order = parameters.parsed(_order, "order") or Order.NEWEST
    limit = parameters.parsed(whole_number(1, SEARCH_LIMIT_MAX), "limit") or DEFAULT_LIMIT
    query = parse(parameters.text("q") or _EVERYTHING)
    return json_response(_told(search.search(question.reading, query, start_ns, end_ns, limit=limit, order=order)))


def metric_series(question: Question) -> Response:
    """GET /api/ui/metrics?q&start&end&step&exemplars: the series of a metrics query, in steps of `step` milliseconds.

    Without `step` there is one. Labels are as the query's fields print; a duration is in seconds.
    """
    parameters = question.parameters
    start_ns, end_ns = range_of(question)
    step_ms = parameters.parsed(whole_number(1, MS_MAX), "step")
    exemplars = parameters.parsed(whole_number(0, EXEMPLARS_MAX), "exemplars") or 0
    query = check(parse(parameters.required(str, "q")))
    step_ns = None if step_ms is None else step_ms * MS_NS
    answer = metrics(question.reading, query, start_ns, end_ns, step_ns, exemplars)
    series = [
        {
            "labels": {name: _label(value) for name, value in labels},
            "points": of_labels.points,
            "exemplars": [[one.trace_id.hex(), one.start_ns // MS_NS, one.value] for one in of_labels.exemplars],
        }
        for labels, of_labels in answer.series.items()
    ]
    steps = answer.steps
    times = {"start_ms": steps.start_ns // MS_NS, "step_ms": steps.step_ns / MS_NS, "steps": steps.count}
    return json_response({**times, "series": series, "source": answer.source})


def facets(question: Question) -> Response:
    """GET /api/ui/facets?q&start&end&by: how many of the spans that `q` finds have which value of each of the fields,
    most frequent first. `by` is a list of fields with commas between.
    """
    times = range_of(question)
    query = question.parameters.text("q") or _EVERYTHING
    fields = question.parameters.required(str, "by").split(",")
    if len(fields) > FACETS_MAX:
        raise Rejected(f"parameter by takes {FACETS_MAX} fields at most, not {len(fields)}")
    return json_response({"facets": [_facet(question.reading, query, field, times) for field in fields]})


def _facet(reading: Reading, query: str, field: str, times: tuple[int, int]) -> Mapping[str, object]:
    parse_field(field)  # so that it is one field and nothing else
    answer = metrics(reading, check(parse(f"{query} | count_over_time() by ({field})")), *times)
    counts = [
        (value, sum(point or 0 for point in of_value.points))
        for labels, of_value in answer.series.items()
        for _, value in labels
    ]
    told = [{"value": _label(value), "spans": spans} for value, spans in counts if value is not None and spans]
    told.sort(key=lambda one: (-float(str(one["spans"])), str(one["value"])))
    return {"field": field, "values": told[:FACET_VALUES_MAX], "distinct": len(told)}


def names_of_tags(question: Question) -> Response:
    """GET /api/ui/tags?start&end: what a query can name, with its scope and the types of its values."""
    found = tag_names(question.reading, *range_of(question))
    tags = [{"scope": one.scope, "name": one.name, "types": one.types} for one in found.names]
    return json_response({"tags": tags, "incomplete": found.incomplete})


def values_of_tag(question: Question) -> Response:
    """GET /api/ui/values?tag&start&end&q: values of a field, of the spans that `q` finds."""
    text = question.parameters.text("q")
    query = check(parse(text)) if text else None
    field = parse_field(question.parameters.required(str, "tag"))
    found = tag_values(question.reading, field, *range_of(question), query)
    values = [{"type": tag_type(one), "value": literal_text(one)} for one in found.values]
    return json_response({"values": values, "incomplete": found.incomplete})


def _order(text: str) -> Order:
    return Order(text)


def _told(found: Found) -> Mapping[str, object]:
    inspected = found.inspected
    return {
        "traces": [_trace(one) for one in found.traces],
        "inspected": {"blocks": inspected.blocks, "bytes": inspected.size_bytes, "spans": inspected.spans},
    }


def _trace(found: FoundTrace) -> Mapping[str, object]:
    spans = [span for spanset in found.spansets for span in spanset.spans]
    return {
        **_summary(found.summary),
        "matched": sum(spanset.matched for spanset in found.spansets),
        "spans_found": [
            {
                "id": span.span_id.hex(),
                "service": span.service,
                "name": span.name,
                "duration_us": span.duration_ns / 1000,
            }
            for span in spans
        ],
    }


def _summary(summary: TraceSummary) -> Mapping[str, object]:
    return {
        "id": summary.trace_id.hex(),
        "service": summary.root_service,
        "name": summary.root_operation,
        "start_unix_nano": str(summary.start_ns),
        "duration_us": (summary.end_ns - summary.start_ns) / 1000,
        "spans": summary.spans,
        "errors": summary.errors,
        "services": [{"name": one.service, "spans": one.spans, "errors": one.errors} for one in summary.services],
    }


def _label(value: LabelValue) -> object:
    """A label as JSON has it: words for status and kind, numbers as numbers, a list as its text."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return ", ".join(literal_text(one) for one in value)
    if value.type in (ValueType.STATUS, ValueType.KIND):
        return literal_text(value)
    return value.value
