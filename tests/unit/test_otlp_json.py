from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from spandrel.api.otlp_json import PROTOBUF, otlp_json, resource_spans_json
from spandrel.api.otlp_protobuf import otlp_protobuf
from spandrel.model.errors import NotFound
from spandrel.query.trace import trace
from spandrel.wire.otlp.json_encoding import request_from_json
from tests.archive import Archive
from tests.builders import request_of, span
from tests.otlp import REQUESTS, spans_of

ID = bytes(15) + b"\1"


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(REQUESTS, min_size=1, max_size=2))
def test_what_is_answered_equals_what_was_sent(archive: Archive, requests: list[ExportTraceServiceRequest]) -> None:
    tenant = f"tenant-{len(archive.catalogue.kept)}"
    spans = [
        one
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for one in scope.spans
    ]
    assume(len({(one.trace_id, one.span_id) for one in spans}) == len(spans))
    for request in requests:
        archive.add(request, tenant=tenant)
    sent = sum((spans_of(request.resource_spans) for request in requests), spans_of([]))
    in_json, by_protobufs_rules, in_protobuf = spans_of([]), spans_of([]), spans_of([])
    for trace_id in {one.trace_id for one in spans}:
        rows = trace(archive.reading(tenant), trace_id)
        message, warning = request_from_json(otlp_json(rows).encode())
        assert warning == ""
        in_json += spans_of(message.resource_spans)
        text = f'{{"resourceSpans":{resource_spans_json(rows, PROTOBUF)}}}'
        by_protobufs_rules += spans_of(Parse(text, TracesData()).resource_spans)
        in_protobuf += spans_of(TracesData.FromString(otlp_protobuf(rows)).resource_spans)
    assert in_json == by_protobufs_rules == in_protobuf == sent


def document(archive: Archive) -> Any:
    return json.loads(otlp_json(trace(archive.reading(), ID)))


def attribute(archive: Archive, value: Any) -> Any:
    archive.add(request_of(span("a", attributes={"k": value})))
    (resource,) = document(archive)["resourceSpans"]
    (pair,) = resource["scopeSpans"][0]["spans"][0]["attributes"]
    assert pair["key"] == "k"
    return pair["value"]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ('é\n"', {"stringValue": 'é\n"'}),
        ("", {"stringValue": ""}),
        (True, {"boolValue": True}),
        (False, {"boolValue": False}),
        (2**63 - 1, {"intValue": "9223372036854775807"}),
        (0, {"intValue": "0"}),
        (0.5, {"doubleValue": 0.5}),
        (math.inf, {"doubleValue": "Infinity"}),
        (-math.inf, {"doubleValue": "-Infinity"}),
        (math.nan, {"doubleValue": "NaN"}),
        (b"\0\xff", {"bytesValue": "AP8="}),
        (["a"], {"arrayValue": {"values": [{"stringValue": "a"}]}}),
        (
            [1, "a", [b"\0"]],
            {
                "arrayValue": {
                    "values": [
                        {"intValue": "1"},
                        {"stringValue": "a"},
                        {"arrayValue": {"values": [{"bytesValue": "AA=="}]}},
                    ]
                }
            },
        ),
        ({"x": None}, {"kvlistValue": {"values": [{"key": "x", "value": {}}]}}),
        (None, {}),
    ],
)
def test_each_type_of_attribute_is_written_as_otlp_says(archive: Archive, value: Any, encoded: Any) -> None:
    assert attribute(archive, value) == encoded


def test_spans_of_equal_resource_and_scope_stand_together(archive: Archive) -> None:
    archive.add(request_of(span("a"), service="web"))
    archive.add(request_of(span("b"), service="pay"))
    archive.add(request_of(span("c"), service="web"))
    groups = [
        [span["name"] for scope in resource["scopeSpans"] for span in scope["spans"]]
        for resource in document(archive)["resourceSpans"]
    ]
    assert sorted(map(sorted, groups)) == [["a", "c"], ["b"]]


def test_what_says_nothing_is_left_out(archive: Archive) -> None:
    archive.add(request_of(span("a", kind=Span.SPAN_KIND_UNSPECIFIED)))
    (resource,) = document(archive)["resourceSpans"]
    assert set(resource) == {"resource", "scopeSpans"}
    (one,) = resource["scopeSpans"][0]["spans"]
    assert set(one) == {"traceId", "spanId", "name", "startTimeUnixNano", "endTimeUnixNano", "status"}


def test_another_trace_is_not_there(archive: Archive) -> None:
    archive.add(request_of(span("a")))
    with pytest.raises(NotFound):
        trace(archive.reading(), b"another trace id")
