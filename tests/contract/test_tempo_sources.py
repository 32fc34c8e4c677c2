"""Whoever sent a trace, Grafana's Tempo data source draws it and finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status, TracesData

from query.answering import Answering
from tests.archive import archive_in
from tests.asking import Asking
from tests.contract.tempo_answers import TRACE, assert_fits
from tests.contract.test_any_source import CASES, Case, is_named
from tests.otlp import spans_of as spans_compared
from tests.recorded_traces import decoded, spans_of


@pytest.mark.parametrize("case", CASES, ids=is_named)
def test_a_trace_of_any_source_renders_in_grafana(tmp_path: Path, case: Case) -> None:
    otlp = decoded(case.recording)
    sent = next(span for span in spans_of(otlp) if span.name == case.operation)
    now_ns = max(span.start_time_unix_nano for span in spans_of(otlp)) + 10**9
    with archive_in(tmp_path) as archive:
        archive.add(otlp, received_ns=now_ns)
        asking = Asking(Answering(archive.store, archive.objects, lambda: now_ns).answer)
        assert_in_tempo(asking, case, sent)
        assert_found_by_tempo(asking, case, sent, now_ns)


@pytest.mark.parametrize("recording", sorted({case.recording for case in CASES}))
def test_no_span_of_a_recording_is_missing_in_grafana(tmp_path: Path, recording: str) -> None:
    otlp = decoded(recording)
    sent = {(span.trace_id, span.span_id) for span in spans_of(otlp)}
    now_ns = max(span.start_time_unix_nano for span in spans_of(otlp)) + 10**9
    with archive_in(tmp_path) as archive:
        archive.add(otlp, received_ns=now_ns)
        asking = Asking(Answering(archive.store, archive.objects, lambda: now_ns).answer)
        traces = [in_protobuf(asking, trace_id.hex()) for trace_id in {one for one, _ in sent}]
    found = {
        (span.trace_id, span.span_id)
        for trace in traces
        for resource in trace
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert found == sent


def assert_in_tempo(asking: Asking, case: Case, sent: Span) -> None:
    """Grafana gets the span itself, and JSON says the same."""
    trace = in_protobuf(asking, sent.trace_id.hex())
    resource, found = next(
        (resource.resource, span)
        for resource in trace
        for scope in resource.scope_spans
        for span in scope.spans
        if span.span_id == sent.span_id and span.name == case.operation
    )
    services = [one.value.string_value for one in resource.attributes if one.key == "service.name"]
    assert services == [case.service] * bool(case.service)
    assert (found.status.code == Status.STATUS_CODE_ERROR) is case.failed
    assert compared(found) == compared(sent)
    reply = asking.get(f"/tempo/api/traces/{sent.trace_id.hex()}").json
    assert_fits(reply, TRACE)
    read = ParseDict({"resourceSpans": reply["batches"]}, TracesData())
    assert spans_compared(read.resource_spans) == spans_compared(trace)


def compared(span: Span) -> Any:
    """A form in which two spans can be compared."""
    return spans_compared([ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])


def in_protobuf(asking: Asking, trace_id: str) -> Any:
    reply = asking.get(f"/tempo/api/traces/{trace_id}", accept="application/protobuf")
    return TracesData.FromString(reply.body).resource_spans


def assert_found_by_tempo(asking: Asking, case: Case, sent: Span, now_ns: int) -> None:
    """By TraceQL and by tags; the summary names what Grafana lists."""
    times = {"start": str(sent.start_time_unix_nano // 10**9 - 1), "end": str(now_ns // 10**9 + 1)}
    service = [f"resource.service.name = {json.dumps(case.service)}"] if case.service else []
    failed = ["status = error"] if case.failed else []
    query = f"{{ {' && '.join([f'name = {json.dumps(case.operation)}', *service, *failed])} }}"
    (by_query,) = asking.get("/tempo/api/search", {"q": query, **times}).json["traces"]
    assert by_query["traceID"] == sent.trace_id.hex().lstrip("0")
    assert sent.span_id.hex() in {span["spanID"] for span in by_query["spanSet"]["spans"]}
    assert case.service in by_query["serviceStats"]
    tags = f'name="{case.operation}"' + (f' service.name="{case.service}"' if case.service else "")
    by_tags = asking.get("/tempo/api/search", {"tags": tags, **times}).json["traces"]
    assert by_query["traceID"] in [one["traceID"] for one in by_tags]
