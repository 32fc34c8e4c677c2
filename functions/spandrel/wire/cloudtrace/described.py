"""What the endpoints of Cloud Trace's clients say of themselves."""

from __future__ import annotations

from spandrel.http.described import JSON, Body, Described, Operation, Parameter, in_path, json_answer
from spandrel.http.schemas import INTEGER, TEXT, TIME, list_of, map_of, named, one_of, record

REFUSAL = {JSON: record({"error": record({"code": INTEGER, "message": TEXT, "status": TEXT})})}
PROJECT = in_path("project", "The project, which becomes an attribute of the resource", "shop")

_TRACE, _SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
_TIMES = {"startTime": "2026-09-21T14:13:20Z", "endTime": "2026-09-21T14:13:20.250Z"}
_NAMED = {"displayName": {"value": "POST /checkout"}, **_TIMES, "spanKind": "SERVER"}
_NOTHING = json_answer("google.protobuf.Empty", record({}))

_SCHEMAS = {
    "CloudTraceSpan": record(
        {
            "name?": TEXT,
            "spanId?": TEXT,
            "parentSpanId?": TEXT,
            "displayName?": record({"value?": TEXT, "truncatedByteCount?": INTEGER}),
            "startTime": TIME,
            "endTime": TIME,
            "spanKind?": one_of("SPAN_KIND_UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"),
        },
        others=True,
    ),
    "CloudTraceTraceV1": record(
        {
            "projectId?": TEXT,
            "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "spans": list_of(
                record(
                    {
                        "spanId": {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"},
                        "name?": TEXT,
                        "kind?": one_of("SPAN_KIND_UNSPECIFIED", "RPC_SERVER", "RPC_CLIENT"),
                        "startTime": TIME,
                        "endTime": TIME,
                        "parentSpanId?": {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"},
                        "labels?": map_of(TEXT),
                    }
                )
            ),
        }
    ),
}
_PATCH = Operation(
    "PATCH",
    "/v1/projects/{project}/traces",
    "PatchTraces",
    _NOTHING,
    (PROJECT,),
    Body(
        {JSON: record({"traces": list_of(named("CloudTraceTraceV1"))})},
        "Traces of version 1",
        {"traces": [{"projectId": "shop", "traceId": _TRACE, "spans": [{"spanId": "7", "name": "web", **_TIMES}]}]},
    ),
)
_OVERRIDE = Parameter(
    "x-http-method-override",
    "For clients that cannot send PATCH",
    one_of("PATCH"),
    required=True,
    example="PATCH",
    place="header",
)
_SPAN_BODY = Body({JSON: named("CloudTraceSpan")}, "A span of version 2", {"spanId": _SPAN, **_NAMED})
_CREATED = json_answer("The span, as it was sent", record({"name": TEXT, "spanId": TEXT}, others=True))
_TRACE_IN_PATH = in_path("trace", "The trace's id, 32 hex digits", _TRACE)

CLOUD_TRACE = Described(
    "Cloud Trace's clients",
    "Google Cloud Trace's calls that bring spans, versions 1 and 2 (docs/wire/cloudtrace.md)",
    (
        _PATCH,
        Operation(
            "POST",
            _PATCH.path,
            "PatchTraces, of clients that cannot send PATCH",
            _NOTHING,
            (PROJECT, _OVERRIDE),
            _PATCH.body,
            refuses=(405,),
        ),
        Operation(
            "POST",
            "/v2/projects/{project}/traces:batchWrite",
            "BatchWriteSpans",
            _NOTHING,
            (PROJECT,),
            Body(
                {JSON: record({"name?": TEXT, "spans": list_of(named("CloudTraceSpan"))})},
                "Spans of version 2",
                {"spans": [{"name": f"projects/shop/traces/{_TRACE}/spans/{_SPAN}", "spanId": _SPAN, **_NAMED}]},
            ),
        ),
        Operation(
            "POST",
            "/v2/projects/{project}/traces/{trace}/spans/{span}",
            "CreateSpan",
            _CREATED,
            (PROJECT, _TRACE_IN_PATH, in_path("span", "The span's id, 16 hex digits", _SPAN)),
            _SPAN_BODY,
        ),
        Operation(
            "POST",
            "/v2/projects/{project}/traces/{trace}/spans",
            "CreateSpan, the span's id in the body alone",
            _CREATED,
            (PROJECT, _TRACE_IN_PATH),
            _SPAN_BODY,
        ),
    ),
    refusal=REFUSAL,
    scope="ingest",
    schemas=_SCHEMAS,
)
