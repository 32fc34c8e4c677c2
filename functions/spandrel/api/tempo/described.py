"""What Tempo's API says of its endpoints (docs/apis/tempo.md)."""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.api.asked import END_S, START_S, TAG, TAG_VALUE, TRACE_ID, answered, limit
from spandrel.http.described import JSON, PLAIN, Answer, Described, Operation, Parameter, in_path
from spandrel.http.schemas import DIGITS, INTEGER, NUMBER, TEXT, Schema, list_of, map_of, named, one_of, record, whole

from .bounds import DEFAULT_LIMIT, DEFAULT_SPANS, SPANS_MAX

_PREFIX = "/tempo/"
_UINT32_MAX = 2**32 - 1
_PROTOBUF = "application/protobuf"

_QUERY = f'{{ span.{TAG} = "{TAG_VALUE}" }}'
_RATE = "{ } | rate() by (resource.service.name)"
_SECONDS = whole(0, _UINT32_MAX)
_TIMES = (
    Parameter("start", "Unix seconds; without times the last hour", _SECONDS, example=START_S),
    Parameter("end", "Unix seconds", _SECONDS, example=END_S),
)
_HINT = (
    Parameter("start", "Unix seconds: a hint when it was", _SECONDS, example=START_S),
    Parameter("end", "Unix seconds", _SECONDS, example=END_S),
)
_REFUSED = {"type": "string", "maxLength": 0}
_WHOLE_TRACE = (
    TRACE_ID,
    *_HINT,
    Parameter("q", "Refused: it is not supported", _REFUSED),
    Parameter("span_pruning", "Refused: it is not supported", _REFUSED),
)
_DURATION = {"type": "string", "pattern": "^[0-9]{1,6}(ms|s|m|h)$"}
_SEARCH = (
    Parameter("q", "TraceQL", example=_QUERY),
    Parameter("tags", "logfmt, as before TraceQL; not beside `q`"),
    Parameter("minDuration", "Of the trace, in whole milliseconds; not looked at beside `q`", _DURATION),
    Parameter("maxDuration", "Likewise", _DURATION),
    limit("limit", DEFAULT_LIMIT),
    Parameter("spss", "Spans of a set", whole(0, SPANS_MAX, DEFAULT_SPANS)),
    *_TIMES,
)
_SCOPE = Parameter(
    "scope", "Of which alone", one_of("span", "resource", "event", "link", "instrumentation", "intrinsic", "none")
)
_COUNT = Parameter("limit", "How many at most; 0 is no limit", _SECONDS)
_CHOSEN = Parameter("q", "TraceQL: of which spans to tell", example="{ kind = server }")
_MOMENT: Schema = {"type": "string", "pattern": "^[0-9]{1,10}$"}
_STEP: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,2}[smh]$"}
_METRICS = (
    Parameter("q", "TraceQL", required=True, aliases=("query",), example=_RATE),
    Parameter("start", "Unix seconds or nanoseconds, or RFC 3339; `since` the end", _MOMENT, example=START_S),
    Parameter("end", "Likewise; now", _MOMENT, example=END_S),
    Parameter("since", "A duration; an hour", {"type": "string", "pattern": "^[1-9][0-9]{0,3}[smhd]$"}),
)

_NOTHING: Mapping[str, Schema] = {"metrics": record({}), "status?": one_of("PARTIAL"), "message?": TEXT}
_LABELS = list_of(named("TempoKeyValue"))
_VALUE: Mapping[str, Schema] = {"value?": NUMBER}
_SAMPLE = record({"timestampMs": DIGITS, **_VALUE})
_EXEMPLAR = record({"labels": _LABELS, "timestampMs": DIGITS, **_VALUE})
_SPANS = list_of(
    record(
        {
            "spanID": TEXT,
            "name?": TEXT,
            "startTimeUnixNano": DIGITS,
            "durationNanos?": DIGITS,
            "attributes?": _LABELS,
        }
    )
)
_SCHEMAS: Mapping[str, Schema] = {
    "TempoKeyValue": record({"key": TEXT, "value": record({}, others=True)}),
    "TempoSpanSet": record({"spans": _SPANS, "matched?": INTEGER, "attributes?": _LABELS}),
    "TempoResourceSpans": record(
        {
            "resource": record({}, others=True),
            "scopeSpans": list_of(
                record(
                    {
                        "scope": record({}, others=True),
                        "spans": list_of(record({"traceId": TEXT, "spanId": TEXT}, others=True)),
                        "schemaUrl?": TEXT,
                    }
                )
            ),
            "schemaUrl?": TEXT,
        }
    ),
    "TempoTrace": record(
        {
            "traceID": {"type": "string", "pattern": "^[0-9a-f]{1,32}$"},
            "rootServiceName?": TEXT,
            "rootTraceName?": TEXT,
            "startTimeUnixNano": DIGITS,
            "durationMs?": INTEGER,
            "serviceStats": map_of(record({"spanCount?": INTEGER, "errorCount?": INTEGER})),
            "spanSet?": named("TempoSpanSet"),
            "spanSets?": list_of(named("TempoSpanSet")),
        }
    ),
}
_RESOURCE_SPANS = list_of(named("TempoResourceSpans"))
_INSPECTED = record(
    {
        "inspectedBytes?": DIGITS,
        "totalBlocks?": INTEGER,
        "completedJobs": INTEGER,
        "totalJobs": INTEGER,
        "totalBlockBytes?": DIGITS,
        "inspectedSpans?": DIGITS,
    }
)


def _trace(path: str, about: str, schema: Schema, *refuses: int) -> Operation:
    told = answered(about, schema)
    binary = {"type": "string", "format": "binary"}
    answer = Answer(told.about, {JSON: schema, _PROTOBUF: binary}, headers=told.headers)
    summary = "One trace, in protobuf where `Accept` asks for it"
    return Operation("GET", f"{_PREFIX}{path}", summary, answer, _WHOLE_TRACE, refuses=refuses)


def _asked(path: str, summary: str, schema: Schema, parameters: tuple[Parameter, ...]) -> Operation:
    return Operation("GET", f"{_PREFIX}{path}", summary, answered("What there is", schema), parameters)


def _word(path: str, summary: str) -> Operation:
    return Operation("GET", f"{_PREFIX}{path}", summary, Answer("It is there", {PLAIN: TEXT}))


TEMPO = Described(
    "Tempo",
    "Grafana Tempo's API, as Grafana's data source and Kiali ask it. `X-Scope-OrgID` may name the key's tenant",
    (
        _word("ready", "Whether this is there"),
        _word("api/echo", "By which Grafana tests a data source"),
        _asked(
            "api/status/buildinfo",
            "The version",
            record(dict.fromkeys(("version", "revision", "branch", "buildUser", "buildDate", "goVersion"), TEXT)),
            (),
        ),
        _trace("api/traces/{trace_id+}", "Its spans", record({"batches": _RESOURCE_SPANS}), 404),
        _trace(
            "api/v2/traces/{trace_id+}",
            "Its spans; none where there is no such trace",
            record({"trace": record({"resourceSpans?": _RESOURCE_SPANS}), **_NOTHING}),
        ),
        _asked(
            "api/search",
            "The newest traces that match",
            record({"traces": list_of(named("TempoTrace")), "metrics": _INSPECTED}),
            _SEARCH,
        ),
        _asked(
            "api/search/tags",
            "Names of attributes",
            record({"tagNames": list_of(TEXT), **_NOTHING}),
            (_SCOPE, _CHOSEN, *_TIMES, _COUNT),
        ),
        _asked(
            "api/v2/search/tags",
            "Names of attributes by scope",
            record({"scopes": list_of(record({"name": TEXT, "tags": list_of(TEXT)})), **_NOTHING}),
            (_SCOPE, _CHOSEN, *_TIMES, _COUNT),
        ),
        _asked(
            "api/search/tag/{tag+}/values",
            "Values of an attribute, as texts",
            record({"tagValues": list_of(TEXT), **_NOTHING}),
            (in_path("tag", "Its name, without a scope", TAG), _CHOSEN, *_TIMES, _COUNT),
        ),
        _asked(
            "api/v2/search/tag/{tag+}/values",
            "Values of a field, with their types",
            record({"tagValues": list_of(record({"type": TEXT, "value": TEXT})), **_NOTHING}),
            (in_path("tag", "TraceQL's name of the field", f"span.{TAG}"), _CHOSEN, *_TIMES, _COUNT),
        ),
        _asked(
            "api/metrics/query",
            "One number of each series of a TraceQL metrics query",
            record({"series": list_of(record({"labels": _LABELS, **_VALUE})), **_NOTHING}),
            _METRICS,
        ),
        _asked(
            "api/metrics/query_range",
            "The series of a TraceQL metrics query, step by step",
            record(
                {
                    "series": list_of(
                        record({"labels": _LABELS, "samples": list_of(_SAMPLE), "exemplars?": list_of(_EXEMPLAR)})
                    ),
                    **_NOTHING,
                }
            ),
            (
                *_METRICS,
                Parameter("step", "Seconds or a duration; a 240th of the range", _STEP),
                Parameter("exemplars", "How many spans stand for points", whole(0, _UINT32_MAX, 0)),
            ),
        ),
    ),
    refusal={PLAIN: TEXT},
    scope="query",
    schemas=_SCHEMAS,
    answers_head=True,
    large_answers=True,
)
