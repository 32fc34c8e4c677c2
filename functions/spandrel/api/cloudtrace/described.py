"""What Cloud Trace's read API says of its endpoints (docs/apis/cloudtrace.md)."""

from __future__ import annotations

from spandrel.api.asked import END, OPERATION, START, TRACE_ID, answered
from spandrel.http.described import Described, Operation, Parameter
from spandrel.http.schemas import DIGITS, TEXT, TIME, hex_id, list_of, map_of, named, one_of, record, whole
from spandrel.wire.cloudtrace.described import PROJECT, REFUSAL

from .bounds import DEFAULT_PAGE_SIZE, INT32_MAX, PAGE_SIZE_MAX, PAGE_SPANS_MAX

_ORDERED = "By what of the root"
_ORDERS = [f"{field}{way}" for field in ("start", "duration", "name", "trace_id") for way in ("", " desc")]
_KIND = {"enum": ["RPC_SERVER", "RPC_CLIENT", 1, 2]}
_FORM = Parameter(
    "$alt",
    "`json`, or `json;enum-encoding=int`: kinds as numbers",
    {"type": "string", "pattern": "^json(;.*)?$"},
    aliases=("alt",),
)
_SPAN = record(
    {
        "spanId": DIGITS,
        "kind?": _KIND,
        "name?": TEXT,
        "startTime": TIME,
        "endTime?": TIME,
        "parentSpanId?": DIGITS,
        "labels?": map_of(TEXT),
    }
)
_TRACE = named("CloudTraceTrace")

CLOUD_TRACE = Described(
    "Cloud Trace",
    "Google Cloud Trace's read API, version 1: what google-cloud-trace and Grafana's data source ask",
    (
        Operation(
            "GET",
            "/v1/projects/{project}/traces",
            "ListTraces: traces that match, page by page",
            answered("As much of each as `view` says", record({"traces?": list_of(_TRACE), "nextPageToken?": TEXT})),
            (
                PROJECT,
                Parameter("filter", "Cloud Trace's filter language", example=f'root:"{OPERATION}"'),
                Parameter(
                    "startTime", "The root's start; a day before the end", TIME, aliases=("start_time",), example=START
                ),
                Parameter("endTime", "Now", TIME, aliases=("end_time",), example=END),
                Parameter(
                    "view",
                    "How much of each trace is told",
                    {**one_of("MINIMAL", "ROOTSPAN", "COMPLETE"), "default": "MINIMAL"},
                    example="COMPLETE",
                ),
                Parameter(
                    "orderBy",
                    "By what of the root",
                    {**one_of(*_ORDERS), "default": "start desc"},
                    aliases=("order_by",),
                ),
                Parameter(
                    "pageSize",
                    f"{PAGE_SIZE_MAX} at most; a page of whole traces ends before it has over {PAGE_SPANS_MAX} spans",
                    whole(0, INT32_MAX, DEFAULT_PAGE_SIZE),
                    aliases=("page_size",),
                ),
                Parameter("pageToken", "`nextPageToken` of the page before", aliases=("page_token",)),
                _FORM,
            ),
        ),
        Operation(
            "GET",
            "/v1/projects/{project}/traces/{trace_id+}",
            "GetTrace: one trace",
            answered("All its spans", _TRACE),
            (PROJECT, TRACE_ID, _FORM),
            refuses=(404,),
        ),
    ),
    refusal=REFUSAL,
    scope="query",
    schemas={
        "CloudTraceTrace": record({"projectId": TEXT, "traceId": hex_id(32), "spans?": list_of(_SPAN)}),
    },
    answers_head=True,
    large_answers=True,
)
