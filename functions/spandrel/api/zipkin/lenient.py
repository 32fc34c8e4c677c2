"""Zipkin's API for those whose services do not agree on the length of ids: what has the lower 64 bits in common is one
trace, as with Zipkin's `STRICT_TRACE_ID=false`. It stands below `/zipkin/lenient`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from spandrel.api.question import Question, ReadApi, json_response
from spandrel.api.spans import Span, spans_of_rows
from spandrel.http.response import Response
from spandrel.model.errors import NotFound, QueryTooBroad, Rejected
from spandrel.query import namesakes, search

from . import v2
from .parameters import end_and_lookback_ms
from .search import search_of
from .span_json import Json, zipkin_trace

BASE = f"{v2.LENS}/lenient"
_MS_NS = 10**6


def one_trace(question: Question) -> Response:
    """GET /zipkin/lenient/api/v2/trace/{trace_id}?endTs&lookback, which say when a trace was whose id is of 64 bits."""
    text = question.path["trace_id"].strip()
    try:
        return json_response(_trace(question, v2.trace_id_in(text)))
    except NotFound as error:
        raise NotFound(f"{text} not found") from error


def many_traces(question: Question) -> Response:
    """GET /zipkin/lenient/api/v2/traceMany?traceIds=a,b: those of them that are there."""
    trace_ids = v2.trace_ids_in(question.parameters)
    if len({namesakes.lower_half(trace_id) for trace_id in trace_ids}) < len(trace_ids):
        raise Rejected("redundant traceId: some have the lower 64 bits in common")
    return json_response(list(_those_found(question, trace_ids)))


def found_traces(question: Question) -> Response:
    """GET /zipkin/lenient/api/v2/traces: whole traces, the newest first."""
    asked = search_of(question.parameters, question.now_ns)
    found = search.search(question.reading, asked.query, asked.start_ns, asked.end_ns, limit=asked.limit)
    if not found.traces:
        return json_response([])
    spans = spans_of_rows(namesakes.spans(question.reading, found))
    traces = groupby(spans, key=lambda span: namesakes.lower_half(span.trace_id))
    return json_response([zipkin_trace(_in_order(trace)) for _, trace in traces])


def _trace(question: Question, trace_id: bytes) -> list[Json]:
    end_ms, lookback_ms = end_and_lookback_ms(question.parameters, question.now_ns)
    end_ns = end_ms * _MS_NS + 1
    try:
        found = namesakes.traces_of(question.reading, trace_id, end_ns - lookback_ms * _MS_NS, end_ns)
    except QueryTooBroad as error:
        raise QueryTooBroad(f"{error}; endTs and lookback say when it was, and all 32 digits need no time") from error
    return zipkin_trace(_in_order(span for rows in found for span in spans_of_rows(rows)))


def _those_found(question: Question, trace_ids: list[bytes]) -> Iterator[list[Json]]:
    for trace_id in trace_ids:
        try:
            yield _trace(question, trace_id)
        except NotFound:
            continue  # as in Zipkin, which leaves them out


def _in_order(spans: Iterator[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: span.start_ns)


API = ReadApi(
    {f"{BASE}{path}": endpoint for path, endpoint in v2.ENDPOINTS.items()}
    | {
        f"{BASE}/api/v2/traces": found_traces,
        f"{BASE}/api/v2/trace/{{trace_id+}}": one_trace,
        f"{BASE}/api/v2/traceMany": many_traces,
        f"{BASE}/config.json": v2.configuration,
    },
    v2.refuse,
)
