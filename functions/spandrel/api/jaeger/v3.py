"""Jaeger's query API over HTTP, version 3, whose answers are OTLP; `jaeger_classic` has what came before.

Names, aliases, defaults and the form of answers are those of jaegertracing/jaeger (cmd/jaeger/internal/extension/
jaegerquery/internal/apiv3) as Jaeger UI asks them. Unlike there, what cannot be answered as asked is refused: a time
range that is too broad, more traces than a search may return, a filter expression, paging.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from spandrel.api.otlp_json import otlp_json
from spandrel.api.parameters import Parameters, boolean, whole_number
from spandrel.api.question import JSON, Question, ReadApi, json_response
from spandrel.api.time_text import duration_ns, time_ns
from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.response import Response
from spandrel.model.errors import NotFound, QueryTooBroad, Rejected, SpandrelError
from spandrel.model.limits import SEARCH_LIMIT_MAX
from spandrel.model.search import Search, TraceSummary
from spandrel.model.spans import KIND_NAMES, KINDS
from spandrel.model.trace_ids import trace_id_of
from spandrel.query import names, search, trace
from spandrel.query.reading import FOREVER_NS
from spandrel.query.trace import Spans

from .bounds import ATTRIBUTES_MAX, DEFAULT_SEARCH_LIMIT

_NO_TRACES = "No traces found"
_UNSUPPORTED = ("query.filter", "query.orderBy", "query.pagination.pageSize", "query.pagination.pageToken")


def services(question: Question) -> Response:
    """GET /api/v3/services"""
    return json_response({"services": names.services(question.reading)})


def operations(question: Question) -> Response:
    """GET /api/v3/operations?service&spanKind"""
    service = question.parameters.required(str, "service")
    return json_response({"operations": operations_of(question, service)})


def operations_of(question: Question, service: str) -> list[Mapping[str, str]]:
    """Those of a service, of the kind that `spanKind` asks for. What OTLP leaves open is `internal`, as in Jaeger."""
    wanted = question.parameters.parsed(_kind, "spanKind", "span_kind")
    found = {(name, _kind_name(kind)) for name, kind in names.operations(question.reading, service)}
    return [{"name": name, "spanKind": kind} for name, kind in sorted(found) if wanted in (None, kind)]


def one_trace(question: Question) -> Response:
    """GET /api/v3/traces/{trace_id}?startTime&endTime, which are a hint when it was.

    `rawTraces` asks for traces as they were sent, which all of these are.
    """
    try:
        trace_id = trace_id_of(question.path["trace_id"])
    except Rejected as error:
        raise Rejected(f"malformed parameter trace_id: {error}") from error
    parameters = question.parameters
    start_ns = parameters.parsed(time_ns, "startTime", "start_time")
    end_ns = parameters.parsed(time_ns, "endTime", "end_time")
    parameters.parsed(boolean, "rawTraces", "raw_traces")
    if start_ns is not None and end_ns is not None and start_ns > end_ns:
        raise Rejected("startTime must not be after endTime")
    return _traces(_trace(question, trace_id, start_ns, end_ns))


def _trace(question: Question, trace_id: bytes, start_ns: int | None, end_ns: int | None) -> Spans:
    try:
        return trace.trace(
            question.reading,
            trace_id,
            start_ns=0 if start_ns is None else start_ns,
            end_ns=FOREVER_NS if end_ns is None else end_ns + 1,
        )
    except NotFound as error:
        raise NotFound(_NO_TRACES) from error
    except QueryTooBroad as error:
        if start_ns is not None and end_ns is not None:
            raise
        raise QueryTooBroad(f"{error}; startTime and endTime say when the trace was") from error


def found_traces(question: Question) -> Response:
    """GET /api/v3/traces?query.…: all spans of the traces found."""
    found = search.find(question.reading, search_of(question.parameters))
    if not found.summaries:
        raise NotFound(_NO_TRACES)
    return _traces(search.spans(question.reading, found))


def trace_summaries(question: Question) -> Response:
    """GET /api/v3/trace-summaries?query.…: the traces found in short. None are an empty list, as in Jaeger."""
    found = search.find(question.reading, search_of(question.parameters))
    return json_response({"summaries": [_summary(summary) for summary in found.summaries]})


def search_of(parameters: Parameters) -> Search:
    """The search that `query.…` parameters ask for; Rejected names the parameter that does not do."""
    for name in _UNSUPPORTED:
        if parameters.text(name):
            raise Rejected(f"parameter {name} is not supported")
    start_ns = parameters.required(time_ns, "query.startTimeMin", "query.start_time_min")
    end_ns = parameters.required(time_ns, "query.startTimeMax", "query.start_time_max")
    if start_ns >= end_ns:
        raise Rejected("query.startTimeMin must be before query.startTimeMax")
    # Zero is no bound, as in Jaeger.
    shortest_ns = parameters.parsed(duration_ns, "query.durationMin", "query.duration_min") or None
    longest_ns = parameters.parsed(duration_ns, "query.durationMax", "query.duration_max") or None
    if shortest_ns and longest_ns and shortest_ns > longest_ns:
        raise Rejected("query.durationMin must not be longer than query.durationMax")
    limit = parameters.parsed(
        whole_number(1, SEARCH_LIMIT_MAX), "query.searchDepth", "query.search_depth", "query.num_traces"
    )
    parameters.parsed(boolean, "query.rawTraces", "query.raw_traces")
    return Search(
        start_ns=start_ns,
        end_ns=end_ns + 1,  # Jaeger's range takes in its end
        limit=limit or DEFAULT_SEARCH_LIMIT,
        service=parameters.text("query.serviceName", "query.service_name"),
        operation=parameters.text("query.operationName", "query.operation_name"),
        min_duration_ns=shortest_ns,
        max_duration_ns=longest_ns,
        attributes=parameters.parsed(attributes_of, "query.attributes") or (),
    )


def attributes_of(text: str) -> tuple[tuple[str, str], ...]:
    """A JSON object of texts -> its pairs. ValueError says what is taken."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(f'takes a JSON object of texts like {{"http.route":"/cart"}}, not {text[:80]!r}')
    if len(found) > ATTRIBUTES_MAX:
        raise ValueError(f"takes {ATTRIBUTES_MAX} attributes, not {len(found)}")
    return tuple(found.items())


def _kind(text: str) -> str:
    if text.lower() not in KINDS:
        raise ValueError(f"takes one of {', '.join(KINDS)}, not {text[:80]!r}")
    return _kind_name(KINDS[text.lower()])


def _kind_name(kind: int) -> str:
    name = KIND_NAMES.get(kind, "unspecified")
    return "internal" if name == "unspecified" else name


def _traces(spans: Spans) -> Response:
    return Response(200, JSON, f'{{"result":{otlp_json(spans)}}}'.encode())


def _summary(summary: TraceSummary) -> Mapping[str, object]:
    return {
        "traceId": summary.trace_id.hex(),
        "rootServiceName": summary.root_service,
        "rootOperationName": summary.root_operation,
        "minStartTimeUnixNano": str(summary.start_ns),
        "maxEndTimeUnixNano": str(summary.end_ns),
        "spanCount": summary.spans,
        "errorSpanCount": summary.errors,
        "orphanSpanCount": summary.orphans,
        "services": [
            {"name": count.service, "spanCount": count.spans, "errorSpanCount": count.errors}
            for count in summary.services
        ],
    }


def _refuse_v3(error: SpandrelError) -> Response:
    def rendered(refusal: Refusal) -> tuple[str, bytes]:
        return JSON, json_response({"error": {"httpCode": refusal.status, "message": refusal.message}}).body

    return refusals.refused(error, rendered)


API = ReadApi(
    {
        "/api/v3/services": services,
        "/api/v3/operations": operations,
        "/api/v3/traces": found_traces,
        "/api/v3/traces/{trace_id+}": one_trace,  # some spellings of an id have a slash
        "/api/v3/trace-summaries": trace_summaries,
    },
    _refuse_v3,
)
