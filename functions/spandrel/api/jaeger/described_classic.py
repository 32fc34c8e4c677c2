"""What Jaeger's classic API says of its endpoints (docs/apis/jaeger.md)."""

from __future__ import annotations

from spandrel.api.asked import (
    DURATION,
    END_S,
    SERVICE,
    START_S,
    TAG,
    TAG_VALUE,
    TRACE,
    TRACE_ID,
    answered,
    limit,
    service,
)
from spandrel.http.described import JSON, Body, Described, Operation, Parameter, in_path
from spandrel.http.schemas import (
    ANYTHING,
    BOOLEAN,
    INTEGER,
    NULL,
    NUMBER,
    TEXT,
    TIME,
    Schema,
    hex_id,
    list_of,
    map_of,
    named,
    nullable,
    one_of,
    record,
    whole,
)
from spandrel.model.spans import KINDS
from spandrel.wire.otlp.schemas import EXAMPLE

from .bounds import (
    DEFAULT_DEPENDENCIES_LOOKBACK_MS,
    DEFAULT_LOOKBACK,
    DEFAULT_METRICS_LOOKBACK_MS,
    DEFAULT_RATE_MS,
    DEFAULT_SEARCH_LIMIT,
    MINUTE_MS,
    MS_MAX,
    SERVICES_MAX,
    TRACE_IDS_MAX,
    US_MAX,
)
from .described import SPAN_KIND, attributes

_IDS = hex_id(16, 32)
_TAGS = list_of(named("JaegerTag"))


def _enveloped(data: Schema, errors: Schema = NULL) -> Schema:
    return record({"data": data, "total": INTEGER, "limit": INTEGER, "offset": INTEGER, "errors": errors})


_SCHEMAS = {
    "JaegerTag": record(
        {"key": TEXT, "type": one_of("string", "bool", "int64", "float64", "binary"), "value": ANYTHING}
    ),
    "JaegerSpan": record(
        {
            "traceID": _IDS,
            "spanID": hex_id(16),
            "flags?": ANYTHING,
            "operationName": TEXT,
            "references": list_of(
                record({"refType": one_of("CHILD_OF", "FOLLOWS_FROM"), "traceID": _IDS, "spanID": hex_id(16)})
            ),
            "startTime": INTEGER,
            "duration": INTEGER,
            "tags": _TAGS,
            "logs": list_of(record({"timestamp": INTEGER, "fields": _TAGS})),
            "processID": TEXT,
            "warnings": ANYTHING,
        }
    ),
    "JaegerTrace": record(
        {
            "traceID": _IDS,
            "spans": list_of(named("JaegerSpan")),
            "processes": map_of(record({"serviceName": TEXT, "tags": _TAGS})),
            "warnings": NULL,
        }
    ),
    "JaegerMetrics": record(
        {
            "name": TEXT,
            "type": one_of("GAUGE"),
            "help": TEXT,
            "metrics": list_of(
                record(
                    {
                        "labels": list_of(record({"name": TEXT, "value": TEXT})),
                        "metricPoints": list_of(
                            record({"timestamp": TIME, "gaugeValue": record({"doubleValue": NUMBER})})
                        ),
                    }
                )
            ),
        }
    ),
}
_TRACES = answered(
    "The traces, in Jaeger's envelope",
    _enveloped(
        list_of(named("JaegerTrace")),
        nullable(list_of(record({"msg": TEXT, "traceID": TEXT}))),
    ),
)
_RAW = Parameter("raw", "`true`: as the spans were sent. Else what cannot be drawn is changed, and says so", BOOLEAN)
_PRETTY = Parameter("prettyPrint", "`true`: with line breaks", BOOLEAN)
_START = Parameter("start", "Unix microseconds", whole(0, US_MAX), example=START_S * 10**6)
_END = Parameter("end", "Unix microseconds; now", whole(0, US_MAX), example=END_S * 10**6)
_END_MS = Parameter("endTs", "Unix milliseconds; now", whole(0, MS_MAX), example=END_S * 1000)
_SERVICE_IN_PATH = in_path("service", "The service", SERVICE)
_NAMES = answered("Names", _enveloped(list_of(TEXT)))

_SEARCH = (
    Parameter(
        "traceID",
        f"Traces by their ids, {TRACE_IDS_MAX} at most; then nothing else of the search counts",
        repeated=True,
        example=TRACE,
    ),
    Parameter("service", "The service; needed unless traces are named", example=SERVICE),
    Parameter("operation", "The span's name"),
    Parameter("start", "Unix microseconds; `lookback` before the end", whole(0, US_MAX)),
    Parameter("end", "Unix microseconds; now", whole(0, US_MAX)),
    Parameter(
        "lookback",
        "How far back where there is no start: a duration, or days and weeks",
        {**DURATION, "default": DEFAULT_LOOKBACK},
    ),
    Parameter("minDuration", "How long a span lasts at least", DURATION),
    Parameter("maxDuration", "How long at most", DURATION),
    limit("limit", DEFAULT_SEARCH_LIMIT),
    Parameter(
        "tag",
        "`key:value` of a span",
        {"type": "string", "pattern": "^[^:]+:.*$"},
        repeated=True,
        example=f"{TAG}:{TAG_VALUE}",
    ),
    attributes("tags"),
    _RAW,
    _PRETTY,
)
_KINDS = one_of(*KINDS, *(f"SPAN_KIND_{kind.upper()}" for kind in KINDS))
_METRICS = (
    Parameter("service", f"A service, {SERVICES_MAX} at most", required=True, repeated=True, example=SERVICE),
    Parameter("groupByOperation", "Whether operations are told apart", {**BOOLEAN, "default": False}),
    Parameter("spanKind", "Of which kinds; `server`", _KINDS, repeated=True, example="server"),
    Parameter("endTs", "Unix milliseconds; now", whole(1, MS_MAX), example=END_S * 1000),
    Parameter("lookback", "Milliseconds", whole(1, MS_MAX, DEFAULT_METRICS_LOOKBACK_MS)),
    Parameter(
        "step", "Whole minutes in milliseconds", {**whole(MINUTE_MS, MS_MAX, MINUTE_MS), "multipleOf": MINUTE_MS}
    ),
    Parameter(
        "ratePer",
        "Whole minutes in milliseconds: of how long before it a point tells",
        {**whole(MINUTE_MS, MS_MAX, DEFAULT_RATE_MS), "multipleOf": MINUTE_MS},
    ),
)
_QUANTILE = Parameter(
    "quantile", "A share", {"type": "number", "minimum": 0, "maximum": 1}, required=True, example=0.95
)
_SERIES = answered("A series of each service or operation", named("JaegerMetrics"))

CLASSIC = Described(
    "Jaeger, classic",
    "Jaeger's query API from before version 3: what Jaeger UI and Grafana's data source ask",
    (
        Operation("GET", "/api/services", "The services of all spans kept", _NAMES),
        Operation(
            "GET", "/api/services/{service+}/operations", "The names of a service's spans", _NAMES, (_SERVICE_IN_PATH,)
        ),
        Operation(
            "GET",
            "/api/operations",
            "The names and kinds of a service's spans",
            answered("Names and kinds", _enveloped(list_of(named("JaegerOperation")))),
            (service(required=True), SPAN_KIND),
        ),
        Operation(
            "GET", "/api/traces", "Whole traces that match, the newest first, or traces by their ids", _TRACES, _SEARCH
        ),
        Operation(
            "GET",
            "/api/traces/{trace_id+}",
            "One trace",
            _TRACES,
            (TRACE_ID, _START, _END, _RAW, _PRETTY),
            refuses=(404,),
        ),
        Operation(
            "GET",
            "/api/dependencies",
            "Who calls whom, and how often",
            answered("Links", _enveloped(list_of(named("JaegerLink")))),
            (
                _END_MS,
                Parameter("lookback", "Milliseconds", whole(1, MS_MAX, DEFAULT_DEPENDENCIES_LOOKBACK_MS)),
                Parameter("service", "Links of this service alone", example=SERVICE),
            ),
        ),
        Operation(
            "GET",
            "/api/metrics/latencies",
            "A quantile of latencies over time, milliseconds",
            _SERIES,
            (_QUANTILE, *_METRICS),
        ),
        Operation("GET", "/api/metrics/calls", "Calls a second over time", _SERIES, _METRICS),
        Operation("GET", "/api/metrics/errors", "The share of calls that failed, over time", _SERIES, _METRICS),
        Operation(
            "GET",
            "/api/metrics/minstep",
            "The shortest step of these series, milliseconds",
            answered("The step", _enveloped(INTEGER)),
        ),
        Operation(
            "POST",
            "/api/transform",
            "OTLP's JSON as Jaeger's; nothing is stored",
            _TRACES,
            (_RAW, _PRETTY),
            Body({JSON: named("OtlpTraces")}, "Spans as OTLP's JSON, without a Content-Encoding", EXAMPLE),
        ),
        Operation(
            "POST",
            "/api/archive/{trace_id+}",
            "Keeps a trace when retention is over",
            answered("Nothing to tell", _enveloped(list_of(ANYTHING), list_of(ANYTHING))),
            (TRACE_ID,),
            refuses=(404,),
        ),
    ),
    refusal={JSON: _enveloped(NULL, list_of(record({"code": INTEGER, "msg": TEXT})))},
    scope="query",
    schemas={
        **_SCHEMAS,
        "JaegerLink": record({"parent": TEXT, "child": TEXT, "callCount": INTEGER, "errorCount": INTEGER}),
    },
    answers_head=True,
    large_answers=True,
)
