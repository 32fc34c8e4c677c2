"""Every system's own client, told where the stack is, and some by which key; and requests that were recorded from those
that cannot be installed beside the others (tests/wire/recordings says what they are).
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import boto3
import requests
from botocore import UNSIGNED
from botocore.config import Config
from google.auth.credentials import AnonymousCredentials
from google.cloud import trace_v1, trace_v2
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.zipkin.encoder import Protocol
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from py_zipkin import Encoding, Kind  # type: ignore[attr-defined]
from py_zipkin.request_helpers import create_http_headers
from py_zipkin.transport import SimpleHTTPTransport
from py_zipkin.zipkin import zipkin_span

from local.stack import LocalStack
from spandrel.aws.keys import KeyTable
from spandrel.model.keys import ApiKey, digest_of, new_pair, secret_of
from tests.wire.client_programs import Finished, node_client, python_client
from tests.wire.sending import RECORDINGS

from .agent import agent_on_a_port
from .http import ask
from .spandrel import key_of_tenant

SHOP = frozenset({"GET /cart", "query"})
DATAGRAM_HEADER = b'{"format":"json","version":1}\n'  # of the X-Ray SDK, before each document
OF_THE_CONNECTION = {"host", "connection", "content-length"}


@dataclass(frozen=True)
class Sent:
    """A trace as its sender knows it: `trace_id` as that system writes it, or the header that hands it on."""

    trace_id: str
    spans: frozenset[str] = SHOP


Send = Callable[[LocalStack], Sent]


def otlp(stack: LocalStack) -> Sent:
    return _traced(OTLPSpanExporter(endpoint=f"{stack.url}/v1/traces"))


def opentelemetry_zipkin(version: Protocol, path: str) -> Send:
    return lambda stack: _traced(ZipkinExporter(version, stack.url + path, max_tag_value_length=128))


def opentelemetry_jaeger(stack: LocalStack) -> Sent:
    return Sent(_header(python_client("opentelemetry_jaeger.py", f"{stack.url}/api/traces?format=jaeger.thrift")))


def py_zipkin(encoding: Encoding) -> Send:
    def send(stack: LocalStack) -> Sent:
        server = zipkin_span(
            "shop",
            "GET /cart",
            transport_handler=_Transport(stack.url),
            sample_rate=100.0,
            encoding=encoding,
            kind=Kind.SERVER,
        )
        with server, zipkin_span("shop", "query", kind=Kind.CLIENT):
            headers = create_http_headers()
        return Sent(f"X-B3-TraceId: {headers['X-B3-TraceId']}")

    return send


def jaeger_client(stack: LocalStack) -> Sent:
    with agent_on_a_port() as agent:
        header = _header(python_client("jaeger_python.py", str(agent.port)))
    for datagram in agent.datagrams:
        headers = {"content-type": "application/vnd.apache.thrift.compact"}
        assert ask(stack.url, "POST", "/api/traces", datagram, headers).status == 202
    return Sent(header)


def opencensus_jaeger(stack: LocalStack) -> Sent:
    host, _, port = stack.url.removeprefix("http://").partition(":")
    return Sent(_header(python_client("opencensus_jaeger.py", host, port, "no-key")))


def datadog(version: str) -> Send:
    def send(stack: LocalStack) -> Sent:
        settings = {"DD_TRACE_AGENT_URL": stack.url, "DD_SERVICE": "shop", "DD_TRACE_API_VERSION": version}
        header = _header(python_client("datadog.py", **settings))
        return Sent(header, frozenset({"web.request", "postgres.query", "charge"}))

    return send


def boto3_xray_with_a_key_pair(stack: LocalStack) -> Sent:
    """As `./spandrel key create --xray` makes one."""
    pair_id, seed = new_pair()
    table = KeyTable(stack.client("dynamodb"), stack.stack.outputs["KeyTable"])
    name = secrets.token_hex(8)
    table.add(ApiKey(digest_of(pair_id), "default", ("ingest",), name, created="2026-11-22T00:00:00Z", seed=seed))
    keys = {"aws_access_key_id": pair_id, "aws_secret_access_key": secret_of(pair_id, seed)}
    return _segment(boto3.client("xray", endpoint_url=stack.url, region_name="eu-central-1", **keys))


def boto3_xray_unsigned(stack: LocalStack) -> Sent:
    return _segment(_unsigned_xray(stack))


def xray_sdk(stack: LocalStack) -> Sent:
    with agent_on_a_port() as daemon:
        settings = {"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.port}", "AWS_XRAY_CONTEXT_MISSING": "RUNTIME_ERROR"}
        header = _header(python_client("xray.py", **settings))
    documents = [datagram.removeprefix(DATAGRAM_HEADER).decode() for datagram in daemon.datagrams]
    told = _unsigned_xray(stack).put_trace_segments(TraceSegmentDocuments=documents)
    assert told["UnprocessedTraceSegments"] == []
    return Sent(header, frozenset({"checkout", "charge", *(f"step-{step}" for step in range(40))}))


def cloud_trace_v1(stack: LocalStack) -> Sent:
    trace_id, now = secrets.token_hex(16), datetime.now(UTC)
    spans = [
        trace_v1.TraceSpan(span_id=7, name="GET /cart", start_time=now, end_time=now),
        trace_v1.TraceSpan(span_id=8, parent_span_id=7, name="query", start_time=now, end_time=now),
    ]
    found = trace_v1.Trace(project_id="shop", trace_id=trace_id, spans=spans)
    client = trace_v1.TraceServiceClient(**_google(stack))
    client.patch_traces(project_id="shop", traces=trace_v1.Traces(traces=[found]))
    return Sent(f"X-Cloud-Trace-Context: {trace_id}/7;o=1")


def cloud_trace_v2(stack: LocalStack) -> Sent:
    name, now = f"projects/shop/traces/{secrets.token_hex(16)}", datetime.now(UTC)
    spans = [
        trace_v2.Span(
            name=f"{name}/spans/{span_id}",
            span_id=span_id,
            display_name=trace_v2.TruncatableString(value=told),
            start_time=now,
            end_time=now,
        )
        for told, span_id in (("GET /cart", "00f067aa0ba902b7"), ("query", "00f067aa0ba902b8"))
    ]
    trace_v2.TraceServiceClient(**_google(stack)).batch_write_spans(name="projects/shop", spans=spans)
    return Sent(name)


def opentelemetry_for_node(exporter: str) -> Send:
    def send(stack: LocalStack) -> Sent:
        key = quote(f"Bearer {key_of_tenant(stack, 'default', 'ingest')}")
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": stack.url, "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={key}"}
        return Sent(_header(node_client("opentelemetry.mjs", f"@opentelemetry/{exporter}", **settings)))

    return send


def zipkin_js(encoding: str, path: str) -> Send:
    def send(stack: LocalStack) -> Sent:
        key = key_of_tenant(stack, "default", "ingest")
        header = _header(node_client("zipkin.mjs", stack.url + path, encoding, SPANDREL_KEY=key))
        return Sent(header, frozenset({"get /cart", "query"}))  # Zipkin's names are in small letters

    return send


def jaeger_client_for_node(stack: LocalStack) -> Sent:
    key = key_of_tenant(stack, "default", "ingest")
    settings = {"JAEGER_ENDPOINT": f"{stack.url}/api/traces", "JAEGER_USER": "key", "JAEGER_PASSWORD": key}
    return Sent(_header(node_client("jaeger.mjs", **settings)))


def recorded(name: str, trace_id: str, *spans: str) -> Send:
    """The recorded request as it was sent."""

    def send(stack: LocalStack) -> Sent:
        told, body = json.loads((RECORDINGS / f"{name}.json").read_text()), (RECORDINGS / f"{name}.body").read_bytes()
        sent = {key.lower(): value for key, value in told["headers"]}
        headers = {key: value for key, value in sent.items() if key not in OF_THE_CONNECTION}
        assert ask(stack.url, told["method"], told["path"], body, headers).status == 202
        return Sent(trace_id, frozenset(spans))

    return send


EVERY: dict[str, Send] = {
    "OpenTelemetry, OTLP protobuf": otlp,
    "OpenTelemetry for Node, OTLP JSON": opentelemetry_for_node("exporter-trace-otlp-http"),
    "OpenTelemetry for Node, OTLP protobuf": opentelemetry_for_node("exporter-trace-otlp-proto"),
    "OpenTelemetry, Zipkin v1 JSON": opentelemetry_zipkin(Protocol.V1, "/api/v1/spans"),
    "OpenTelemetry, Zipkin v2 JSON": opentelemetry_zipkin(Protocol.V2, "/api/v2/spans"),
    "OpenTelemetry, Zipkin protobuf (recorded)": recorded(
        *("zipkin-otel-python-protobuf", "874599a5f9d193182f47980f440ff08d", "SELECT orders", "publish order"),
        *("charge card", "internal step renamed", "GET /checkout/{id}"),
    ),
    "OpenTelemetry, Jaeger Thrift": opentelemetry_jaeger,
    "py_zipkin, v1 JSON": py_zipkin(Encoding.V1_JSON),
    "py_zipkin, v2 JSON": py_zipkin(Encoding.V2_JSON),
    "py_zipkin, protobuf": py_zipkin(Encoding.V2_PROTO3),
    "py_zipkin, v1 Thrift (recorded)": recorded(
        *("zipkin-py-v1-thrift", "6b02bc51635bf6e0944a268f1e73f7ec", "select", "render", "GET /cart")
    ),
    "zipkin for JavaScript, v1 JSON": zipkin_js("JSON_V1", "/api/v1/spans"),
    "zipkin for JavaScript, v2 JSON": zipkin_js("JSON_V2", "/api/v2/spans"),
    "jaeger-client": jaeger_client,
    "jaeger-client for Node": jaeger_client_for_node,
    "OpenCensus, Jaeger's calls": opencensus_jaeger,
    "boto3 with a key pair": boto3_xray_with_a_key_pair,
    "boto3, unsigned": boto3_xray_unsigned,
    "aws-xray-sdk": xray_sdk,
    "google-cloud-trace, v1": cloud_trace_v1,
    "google-cloud-trace, v2": cloud_trace_v2,
    "ddtrace, v0.4": datadog("v0.4"),
    "ddtrace, v0.5": datadog("v0.5"),
}


def _traced(exporter: SpanExporter) -> Sent:
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer, headers = provider.get_tracer("tests", "1.0"), dict[str, str]()
    with tracer.start_as_current_span("GET /cart", kind=trace.SpanKind.SERVER):
        TraceContextTextMapPropagator().inject(headers)
        with tracer.start_as_current_span("query", kind=trace.SpanKind.CLIENT):
            pass
    provider.shutdown()
    return Sent(f"traceparent: {headers['traceparent']}")


class _Transport(SimpleHTTPTransport):
    """py_zipkin leaves the sending to its users."""

    def __init__(self, url: str) -> None:
        super().__init__("", 0)
        self._url = url

    def send(self, payload: str | bytes) -> None:
        body = payload.encode() if isinstance(payload, str) else payload
        path, content_type = self._get_path_content_type(body)
        requests.post(self._url + path, body, headers={"content-type": content_type}, timeout=10).raise_for_status()


def _header(done: Finished) -> str:
    """By which the program hands on its trace: it prints nothing else. It must not complain."""
    assert done.stderr == ""
    return done.stdout.strip()


def _unsigned_xray(stack: LocalStack) -> Any:
    return boto3.client(
        "xray", endpoint_url=stack.url, region_name="eu-central-1", config=Config(signature_version=UNSIGNED)
    )


def _segment(xray: Any) -> Sent:
    trace_id, now_s = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}", time.time()
    step = {"name": "query", "id": secrets.token_hex(8), "start_time": now_s, "end_time": now_s}
    segment = step | {"name": "GET /cart", "id": secrets.token_hex(8), "trace_id": trace_id, "subsegments": [step]}
    told = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(segment)])
    assert told["UnprocessedTraceSegments"] == []
    return Sent(trace_id)


def _google(stack: LocalStack) -> dict[str, Any]:
    return {
        "transport": "rest",
        "credentials": AnonymousCredentials(),
        "client_options": {"api_endpoint": stack.url},
    }
