"""What Jaeger's API of version 3 says of its endpoints, and what both versions share (docs/apis/jaeger.md)."""

from __future__ import annotations

from spandrel.api.asked import (
    DURATION,
    END,
    OPERATION,
    START,
    TAG,
    TAG_VALUE,
    TRACE_ID,
    answered,
    limit,
    service,
)
from spandrel.http.described import JSON, Described, Operation, Parameter
from spandrel.http.schemas import BOOLEAN, DIGITS, INTEGER, TEXT, TIME, hex_id, list_of, named, one_of, record
from spandrel.model.spans import KINDS

from .bounds import ATTRIBUTES_MAX, DEFAULT_SEARCH_LIMIT

ATTRIBUTES_EXAMPLE = f'{{"{TAG}":"{TAG_VALUE}"}}'


def attributes(name: str) -> Parameter:
    """A JSON object of texts, which spans must have as attributes."""
    about = f"A JSON object of texts: attributes that a span has, {ATTRIBUTES_MAX} at most"
    return Parameter(name, about, TEXT, example=ATTRIBUTES_EXAMPLE)


SPAN_KIND = Parameter("spanKind", "Of which kind alone", one_of(*KINDS), aliases=("span_kind",), example="server")

_SEARCH = (
    Parameter(
        "query.startTimeMin",
        "From when on spans start",
        TIME,
        required=True,
        aliases=("query.start_time_min",),
        example=START,
    ),
    Parameter("query.startTimeMax", "Until when", TIME, required=True, aliases=("query.start_time_max",), example=END),
    service("query.serviceName", aliases=("query.service_name",)),
    Parameter("query.operationName", "The span's name", aliases=("query.operation_name",), example=OPERATION),
    Parameter("query.durationMin", "How long a span lasts at least", DURATION, aliases=("query.duration_min",)),
    Parameter("query.durationMax", "How long at most", DURATION, aliases=("query.duration_max",)),
    limit("query.searchDepth", DEFAULT_SEARCH_LIMIT, aliases=("query.search_depth", "query.num_traces")),
    attributes("query.attributes"),
    Parameter(
        "query.rawTraces", "Taken and ignored: traces are as they were sent", BOOLEAN, aliases=("query.raw_traces",)
    ),
    *(
        Parameter(name, "Refused: it is not supported", {"type": "string", "maxLength": 0})
        for name in ("query.filter", "query.orderBy", "query.pagination.pageSize", "query.pagination.pageToken")
    ),
)
_TRACES = answered("The spans, as OTLP", record({"result": named("OtlpTraces")}))
_SUMMARY = record(
    {
        "traceId": hex_id(32),
        "rootServiceName": TEXT,
        "rootOperationName": TEXT,
        "minStartTimeUnixNano": DIGITS,
        "maxEndTimeUnixNano": DIGITS,
        "spanCount": INTEGER,
        "errorSpanCount": INTEGER,
        "orphanSpanCount": INTEGER,
        "services": list_of(record({"name": TEXT, "spanCount": INTEGER, "errorSpanCount": INTEGER})),
    }
)

V3 = Described(
    "Jaeger, version 3",
    "Jaeger's query API whose answers are OTLP, as today's Jaeger UI asks it",
    (
        Operation(
            "GET",
            "/api/v3/services",
            "The services of all spans kept",
            answered("Their names", record({"services": list_of(TEXT)})),
        ),
        Operation(
            "GET",
            "/api/v3/operations",
            "The names and kinds of a service's spans",
            answered("Names and kinds", record({"operations": list_of(named("JaegerOperation"))})),
            (service(required=True), SPAN_KIND),
        ),
        Operation(
            "GET", "/api/v3/traces", "Whole traces that match, the newest first", _TRACES, _SEARCH, refuses=(404,)
        ),
        Operation(
            "GET",
            "/api/v3/traces/{trace_id+}",
            "One trace",
            _TRACES,
            (
                TRACE_ID,
                Parameter("startTime", "A hint when it was", TIME, aliases=("start_time",), example=START),
                Parameter("endTime", "And until when", TIME, aliases=("end_time",), example=END),
                Parameter("rawTraces", "Taken and ignored", BOOLEAN, aliases=("raw_traces",)),
            ),
            refuses=(404,),
        ),
        Operation(
            "GET",
            "/api/v3/trace-summaries",
            "The same traces as a search finds, a line each",
            answered("What is to be known of each", record({"summaries": list_of(_SUMMARY)})),
            _SEARCH,
        ),
    ),
    refusal={JSON: record({"error": record({"httpCode": INTEGER, "message": TEXT})})},
    scope="query",
    schemas={"JaegerOperation": record({"name": TEXT, "spanKind": one_of(*KINDS)})},
    answers_head=True,
    large_answers=True,
)
