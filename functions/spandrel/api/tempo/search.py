"""Searches for traces, and what is told of those that are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spandrel.api.parameters import whole_number
from spandrel.api.question import Question, json_response
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.http.response import Response
from spandrel.model.limits import SEARCH_LIMIT_MAX
from spandrel.model.search import ServiceCount, TraceSummary
from spandrel.query import search
from spandrel.query.found import Found, FoundTrace, Inspected, MatchedSpan, Spanset
from spandrel.traceql.expressions import Attribute, Field
from spandrel.traceql.intrinsics import Intrinsic

from .any_value import Json, key_value, text_value
from .bounds import DEFAULT_LIMIT, DEFAULT_SPANS, SPANS_MAX
from .queries import query_of
from .times import range_of

NO_ROOT = "<root span not yet received>"
_MS_NS = 10**6

# What the answer says of a span or its trace in other words.
_SAID_ELSEWHERE = {
    Intrinsic.NAME,
    Intrinsic.DURATION,
    Intrinsic.TRACE_DURATION,
    Intrinsic.ROOT_SERVICE,
    Intrinsic.ROOT_NAME,
    Intrinsic.TRACE_ID,
    Intrinsic.SPAN_ID,
}


def found_traces(question: Question) -> Response:
    """GET /api/search?q|tags&minDuration&maxDuration&limit&spss&start&end: the newest traces that match.

    Sets of spans are told of where TraceQL asked for them.
    """
    parameters = question.parameters
    limit = parameters.parsed(whole_number(1, SEARCH_LIMIT_MAX), "limit") or DEFAULT_LIMIT
    spans = parameters.parsed(whole_number(0, SPANS_MAX), "spss") or DEFAULT_SPANS
    start_ns, end_ns = range_of(parameters, question.now_ns)
    query = query_of(parameters)
    found = search.search(question.reading, query, start_ns, end_ns, limit=limit, spans_per_spanset=spans)
    return json_response(_told(found, with_sets=parameters.text("q") is not None))


def trace_id_text(trace_id: bytes) -> str:
    """Tempo writes no leading zeros."""
    return trace_id.hex().lstrip("0")


def _told(found: Found, *, with_sets: bool) -> Json:
    return {
        "traces": [_trace(one, with_sets=with_sets) for one in found.traces],
        "metrics": _inspected(found.inspected),
    }


def _inspected(inspected: Inspected) -> Json:
    """64-bit numbers are texts in protobuf's JSON."""
    return {
        **_said(inspectedBytes=str(inspected.size_bytes or ""), totalBlocks=inspected.blocks),
        "completedJobs": 1,
        "totalJobs": 1,
        **_said(totalBlockBytes=str(inspected.size_bytes or ""), inspectedSpans=str(inspected.spans or "")),
    }


def _trace(found: FoundTrace, *, with_sets: bool) -> Json:
    sets = [_spanset(one) for one in found.spansets] if with_sets else []
    return {**_summary(found.summary), **({"spanSet": sets[0], "spanSets": sets} if sets else {})}


def _summary(summary: TraceSummary) -> Mapping[str, object]:
    no_root = not summary.root_service and not summary.root_operation
    return {
        "traceID": trace_id_text(summary.trace_id),
        **_said(
            rootServiceName=NO_ROOT if no_root else summary.root_service,
            rootTraceName=NO_ROOT if no_root else summary.root_operation,
        ),
        "startTimeUnixNano": str(summary.start_ns),
        **_said(durationMs=(summary.end_ns - summary.start_ns) // _MS_NS),
        "serviceStats": {one.service: _service(one) for one in summary.services},
    }


def _service(count: ServiceCount) -> Json:
    return _said(spanCount=count.spans, errorCount=count.errors)


def _spanset(spanset: Spanset) -> Json:
    return {
        "spans": [_span(span) for span in spanset.spans],
        **_said(
            matched=spanset.matched,
            attributes=[key_value(name, value) for name, value in spanset.values],
        ),
    }


def _span(span: MatchedSpan) -> Json:
    return {
        "spanID": span.span_id.hex(),
        **_said(name=span.name),
        "startTimeUnixNano": str(span.start_ns),
        **_said(durationNanos=str(span.duration_ns or ""), attributes=list(_attributes(span))),
    }


def _attributes(span: MatchedSpan) -> Iterator[Json]:
    """Those that the query names, by their keys alone, and the service, by which Grafana colours spans."""
    told = [(_key(field), value) for field, value in span.attributes if field not in _SAID_ELSEWHERE]
    if span.service and SERVICE_NAME not in dict(told):
        yield text_value(SERVICE_NAME, span.service)
    yield from (key_value(key, value) for key, value in told)


def _key(field: Field) -> str:
    return field.key if isinstance(field, Attribute) else field.value


def _said(**fields: object) -> dict[str, object]:
    """The fields that differ from protobuf's defaults."""
    return {name: value for name, value in fields.items() if value}
