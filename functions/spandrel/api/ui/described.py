"""What the API of the web UI's own pages says of its endpoints (docs/ui.md)."""

from __future__ import annotations

from spandrel.api.asked import END_S, SERVICE, SPAN, START_S, TAG, TAG_VALUE, TRACE_ID, answered, limit
from spandrel.http.described import JSON, Described, Operation, Parameter, in_path
from spandrel.http.schemas import (
    ANYTHING,
    BOOLEAN,
    DIGITS,
    INTEGER,
    NULL,
    NUMBER,
    TEXT,
    hex_id,
    list_of,
    map_of,
    named,
    nullable,
    one_of,
    record,
    row_of,
    whole,
)

from .bounds import DEFAULT_LIMIT, EXEMPLARS_MAX, FACETS_MAX, KIND_MAX, MS_MAX

_QUERY = f'{{ span.{TAG} = "{TAG_VALUE}" }}'
_TIMES = (
    Parameter("start", "Unix milliseconds; an hour before the end", whole(0, MS_MAX), example=START_S * 1000),
    Parameter("end", "Unix milliseconds; now", whole(0, MS_MAX), example=END_S * 1000),
)


_FOUND = record(
    {
        "id": hex_id(32),
        "service": TEXT,
        "name": TEXT,
        "start_unix_nano": DIGITS,
        "duration_us": NUMBER,
        "spans": INTEGER,
        "errors": INTEGER,
        "services": list_of(record({"name": TEXT, "spans": INTEGER, "errors": INTEGER})),
        "matched": INTEGER,
        "spans_found": list_of(record({"id": hex_id(16), "service": TEXT, "name": TEXT, "duration_us": NUMBER})),
    }
)
_SERIES = record(
    {
        "labels": map_of(ANYTHING),
        "points": list_of(nullable(NUMBER)),
        "exemplars": list_of(row_of(3, hex_id(32), NUMBER, NULL)),
    }
)
_QUANTILES = row_of(3, NUMBER, NULL)
_WORK = {"calls": INTEGER, "errors": INTEGER, "quantiles_us": _QUANTILES}
_LINK = record({"parent": TEXT, "child": TEXT, "calls": INTEGER, "errors": INTEGER})
_POINT = row_of(5, NUMBER, NULL)
_OUTLINE = record(
    {
        "trace_id": hex_id(32),
        "start_unix_nano": DIGITS,
        "services": list_of(TEXT),
        "names": list_of(TEXT),
        "ids": {"type": "string", "pattern": "^([0-9a-f]{16})+$"},
        **{name: list_of(INTEGER) for name in ("parent", "service", "name", "kind", "errors")},
        **{name: list_of(NUMBER) for name in ("start", "duration")},
        "events": list_of(row_of(2, INTEGER, list_of(NUMBER))),
        "links": list_of(row_of(2, INTEGER)),
    }
)

UI = Described(
    "Web UI",
    "What the web UI's own pages ask besides",
    (
        Operation(
            "GET",
            "/api/ui/search",
            "The newest or the slowest traces of which a TraceQL query finds a span",
            answered(
                "Traces, and what was read for it",
                record(
                    {
                        "traces": list_of(_FOUND),
                        "inspected": record({"blocks": INTEGER, "bytes": INTEGER, "spans": INTEGER}),
                    }
                ),
            ),
            (
                Parameter("q", "TraceQL; without it all spans", example=_QUERY),
                *_TIMES,
                limit("limit", DEFAULT_LIMIT),
                Parameter("order", "Which first", {**one_of("newest", "slowest"), "default": "newest"}),
            ),
        ),
        Operation(
            "GET",
            "/api/ui/metrics",
            "The series of a TraceQL metrics query",
            answered(
                "Series, a point for each step",
                record(
                    {
                        "start_ms": INTEGER,
                        "step_ms": NUMBER,
                        "steps": INTEGER,
                        "series": list_of(_SERIES),
                        "source": TEXT,
                    }
                ),
            ),
            (
                Parameter("q", "TraceQL", required=True, example="{ } | rate() by (resource.service.name)"),
                *_TIMES,
                Parameter("step", "Milliseconds; without it there is one step", whole(1, MS_MAX), example=60_000),
                Parameter("exemplars", "How many spans stand for points", whole(0, EXEMPLARS_MAX, 0)),
            ),
        ),
        Operation(
            "GET",
            "/api/ui/facets",
            "How many of the spans that a query finds have which value of each field",
            answered(
                "The most frequent values",
                record(
                    {
                        "facets": list_of(
                            record(
                                {
                                    "field": TEXT,
                                    "values": list_of(record({"value": ANYTHING, "spans": NUMBER})),
                                    "distinct": INTEGER,
                                }
                            )
                        )
                    }
                ),
            ),
            (
                Parameter("q", "TraceQL; without it all spans", example=_QUERY),
                *_TIMES,
                Parameter(
                    "by",
                    f"TraceQL's fields, with commas, {FACETS_MAX} at most",
                    required=True,
                    example=f"name,span.{TAG}",
                ),
            ),
        ),
        Operation(
            "GET",
            "/api/ui/map",
            "Who calls whom, and what each service does",
            answered(
                "Links and services",
                record({"links": list_of(_LINK), "services": list_of(record({"service": TEXT, **_WORK}))}),
            ),
            _TIMES,
        ),
        Operation(
            "GET",
            "/api/ui/traffic",
            "Calls, errors and latencies over time",
            answered(
                "Of each service, or of each operation of one; for each step calls, errors and three quantiles",
                record(
                    {
                        "start_ms": INTEGER,
                        "step_ms": INTEGER,
                        "steps": INTEGER,
                        "series": list_of(
                            record({"service?": TEXT, "operation?": TEXT, **_WORK, "points": list_of(_POINT)})
                        ),
                    }
                ),
            ),
            (
                *_TIMES,
                Parameter(
                    "step", "Milliseconds, rounded up to minutes", whole(1, MS_MAX), required=True, example=60_000
                ),
                Parameter("service", "Its operations are told apart", example=SERVICE),
            ),
        ),
        Operation(
            "GET",
            "/api/ui/tags",
            "What a query can name",
            answered(
                "Names, by scope",
                record(
                    {
                        "tags": list_of(record({"scope": TEXT, "name": TEXT, "types": list_of(TEXT)})),
                        "incomplete": BOOLEAN,
                    }
                ),
            ),
            _TIMES,
        ),
        Operation(
            "GET",
            "/api/ui/values",
            "The values of a field",
            answered(
                "Values, with their types",
                record({"values": list_of(record({"type": TEXT, "value": TEXT})), "incomplete": BOOLEAN}),
            ),
            (
                Parameter("tag", "TraceQL's name of the field", required=True, example=f"span.{TAG}"),
                *_TIMES,
                Parameter("q", "TraceQL: of which spans alone", example="{ kind = server }"),
            ),
        ),
        Operation(
            "GET",
            "/api/ui/traces/{trace_id}",
            "One trace in outline, a column each",
            answered("Its columns (docs/ui.md)", _OUTLINE),
            (TRACE_ID,),
            refuses=(404,),
        ),
        Operation(
            "GET",
            "/api/ui/traces/{trace_id}/spans/{span_id}",
            "One span with all that it says",
            answered(
                "As OTLP's JSON",
                record({"resource": named("OtlpResource"), "scope": named("OtlpScope"), "span": named("OtlpSpan")}),
            ),
            (
                TRACE_ID,
                in_path("span_id", "The span's id in hex", SPAN),
                Parameter("kind", "OTLP's number, where spans share an id", whole(0, KIND_MAX), example=2),
                Parameter("service", "The service, where spans share an id", example=SERVICE),
            ),
            refuses=(404,),
        ),
    ),
    refusal={JSON: record({"error": record({"status": INTEGER, "message": TEXT})})},
    scope="query",
    answers_head=True,
    large_answers=True,
)
