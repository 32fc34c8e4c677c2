"""Whoever sent a trace, it renders in Jaeger UI, Zipkin Lens and Cloud Trace: service, operation, tags, failure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from query.answering import Answering
from spandrel.model.cloudtrace import SERVICE_NAMES, TODAY
from tests.archive import archive_in
from tests.asking import Asking
from tests.recorded_traces import decoded, spans_of

TODAYS_LABELS = {attribute: label for label, attribute in TODAY.items()}


class Case(NamedTuple):
    """A recording, one of its spans by name, and what all of them are told of it. Tags are as Jaeger has them."""

    recording: str
    operation: str
    service: str
    tags: Mapping[str, Any]
    zipkin: Mapping[str, str]
    failed: bool = False
    remote: str | None = None


CASES = [
    Case(
        "otlp-node-json",
        "GET /checkout/:id",
        "checkout-js",
        {"http.response.status_code": 500, "user.name": "Zoë ⻩ 💩", "otel.status_description": "upstream failed"},
        {"http.response.status_code": "500", "error": "upstream failed", "host.name": "box-2"},
        failed=True,
    ),
    Case(
        "otlp-python-protobuf",
        "process order",
        "checkout-py",
        {"messaging.system": "kafka", "span.kind": "consumer"},
        {"messaging.system": "kafka", "telemetry.sdk.language": "python"},
    ),
    Case(
        "jaeger-client-node",
        "child",
        "jc-js",
        {"peer.service": "db", "blob": "AAAwOQ==", "span.kind": "client"},
        {"peer.service": "db", "error": ""},
        failed=True,
        remote="db",
    ),
    Case(
        "zipkin-js-json",
        "get user",
        "frontend-js",
        {"service.peer.name": "users", "error": "timeout", "span.kind": "client"},
        {"error": "timeout"},
        failed=True,
        remote="users",
    ),
    Case(
        "datadog-python-v04",
        "web.request",
        "shop",
        {"http.request.method": "GET", "n": 3.5, "resource.name": "GET /cart"},
        {"http.request.method": "GET", "n": "3.5", "service.version": "1.2.3"},
    ),
    Case(
        "xray-boto3-segments",
        "checkout-xray",
        "checkout-xray",
        {"http.response.status_code": 500, "order_id": 42, "beta": True, "span.kind": "server"},
        {"url.full": "https://shop.example/checkout/42", "error": ""},
        failed=True,
    ),
    Case(
        "xray-boto3-segments",
        "orders-db",
        "checkout-xray",
        {"db.query.text": "SELECT * FROM orders WHERE id = ?", "span.kind": "client"},
        {"db.system.name": "PostgreSQL"},
        remote="orders-db",
    ),
    Case(
        "cloudtrace-python-v1",
        "db",
        "",
        {"span.kind": "client", "otel.status_description": "Zoë"},
        {"error": "Zoë"},
        failed=True,
    ),
    Case(
        "cloudtrace-otel-python",
        "SELECT",
        "checkout",
        {"db.query.text": "SELECT 1", "http.response.status_code": 500},
        {"error": "ValueError: no such card"},
        failed=True,
    ),
]


def is_named(case: Case) -> Any:
    return f"{case.recording} {case.operation}"


@pytest.mark.parametrize("case", CASES, ids=is_named)
def test_a_trace_of_any_source_renders_everywhere(tmp_path: Path, case: Case) -> None:
    otlp = decoded(case.recording)
    sent = next(span for span in spans_of(otlp) if span.name == case.operation)
    now_ns = max(span.start_time_unix_nano for span in spans_of(otlp)) + 10**9
    with archive_in(tmp_path) as archive:
        archive.add(otlp, received_ns=now_ns)
        asking = Asking(Answering(archive.store, archive.objects, lambda: now_ns).answer)
        assert_in_jaeger(asking, case, sent)
        assert_in_zipkin(asking, case, sent)
        assert_in_cloud_trace(asking, case, sent)
        if case.service:
            assert_found_by_all(asking, case, sent, now_ns)


def assert_in_jaeger(asking: Asking, case: Case, sent: Span) -> None:
    (trace,) = asking.get(f"/api/traces/{sent.trace_id.hex()}").json["data"]
    found = next(span for span in trace["spans"] if span["spanID"] == sent.span_id.hex())
    tags = {pair["key"]: pair["value"] for pair in found["tags"]}
    assert found["operationName"] == case.operation
    assert trace["processes"][found["processID"]]["serviceName"] == (case.service or "OTLPResourceNoServiceName")
    assert tags.items() >= case.tags.items()
    assert (tags.get("otel.status_code") == "ERROR") is case.failed
    assert found["startTime"] == sent.start_time_unix_nano // 1000
    parents = [one["spanID"] for one in found["references"] if one["refType"] == "CHILD_OF"]
    assert parents == [sent.parent_span_id.hex()] * bool(sent.parent_span_id)


def assert_in_zipkin(asking: Asking, case: Case, sent: Span) -> None:
    trace = asking.get(f"/api/v2/trace/{sent.trace_id.hex()}").json
    found = next(span for span in trace if span["id"] == sent.span_id.hex())
    assert found["name"] == case.operation.lower()
    assert found.get("localEndpoint", {}).get("serviceName", "") == case.service
    assert found["tags"].items() >= case.zipkin.items()
    assert ("error" in found["tags"]) is case.failed
    assert found.get("remoteEndpoint", {}).get("serviceName") == case.remote
    assert not any(key.startswith(("zipkin.", "jaeger.")) for key in found["tags"])


def assert_in_cloud_trace(asking: Asking, case: Case, sent: Span) -> None:
    """The tags that Zipkin is told, under the names of labels; who is called stands among them."""
    trace = cloud_trace(asking, f"/{sent.trace_id.hex()}")
    found = next(span for span in trace["spans"] if int(span["spanId"]) == int.from_bytes(sent.span_id))
    labels = dict(found["labels"])
    assert found["name"] == case.operation
    assert case.service in {"", *(labels.get(key) for key in SERVICE_NAMES)}
    assert int(found.get("parentSpanId", 0)) == int.from_bytes(sent.parent_span_id)
    assert found.get("kind") == {2: "RPC_SERVER", 3: "RPC_CLIENT"}.get(sent.kind)
    expected = {TODAYS_LABELS.get(key, key): value for key, value in case.zipkin.items() if key != "error"}
    assert labels.items() >= expected.items()
    assert labels.get("/error/message") == (case.zipkin["error"] if case.failed else None)
    assert not any(key.startswith(("zipkin.", "jaeger.")) for key in labels)


def cloud_trace(asking: Asking, path: str = "", **query: str) -> Any:
    route = "/v1/projects/{project}/traces" + ("/{proxy+}" if path else "")
    reply = asking.get(f"/v1/projects/p/traces{path}", query, route_key=f"GET {route}")
    assert reply.status == 200, reply.json
    return reply.json


def assert_found_by_all(asking: Asking, case: Case, sent: Span, now_ns: int) -> None:
    """By its service, its operation and whether it failed."""
    tags = {"tag": "error:true"} if case.failed else {}
    classic = {"service": case.service, "operation": case.operation, "end": str(now_ns // 1000), **tags}
    assert len(asking.get("/api/traces", classic).json["data"]) == 1
    terms = {"annotationQuery": "error"} if case.failed else {}
    zipkin = {"serviceName": case.service, "spanName": case.operation, "endTs": str(now_ns // 10**6), **terms}
    (trace,) = asking.get("/api/v2/traces", zipkin).json
    assert sent.span_id.hex() in {span["id"] for span in trace}
    failed = " label:/error/message" if case.failed else ""
    text = f'+span:"{case.operation}" service.name:"{case.service}"{failed}'
    (trace,) = cloud_trace(asking, view="COMPLETE", filter=text)["traces"]
    assert str(int.from_bytes(sent.span_id)) in {span["spanId"] for span in trace["spans"]}


@pytest.mark.parametrize("recording", sorted({case.recording for case in CASES}))
def test_no_span_of_a_recording_is_missing_anywhere(tmp_path: Path, recording: str) -> None:
    otlp = decoded(recording)
    sent = {(span.trace_id.hex(), span.span_id.hex()) for span in spans_of(otlp)}
    now_ns = max(span.start_time_unix_nano for span in spans_of(otlp)) + 10**9
    with archive_in(tmp_path) as archive:
        archive.add(otlp, received_ns=now_ns)
        asking = Asking(Answering(archive.store, archive.objects, lambda: now_ns).answer)
        traces = [asking.get(f"/api/traces/{trace_id}").json["data"][0] for trace_id in {one for one, _ in sent}]
        jaeger = {(span["traceID"].zfill(32), span["spanID"]) for trace in traces for span in trace["spans"]}
        zipkin = {
            (span["traceId"].zfill(32), span["id"])
            for trace_id in {one for one, _ in sent}
            for span in asking.get(f"/api/v2/trace/{trace_id}").json
        }
        google = {
            (trace["traceId"], f"{int(span['spanId']):016x}")
            for trace in cloud_trace(asking, view="COMPLETE")["traces"]
            for span in trace["spans"]
        }
    assert jaeger == zipkin == google == sent
