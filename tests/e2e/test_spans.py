from __future__ import annotations

import gzip
import secrets
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from opentelemetry import trace as api
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from local.calls import AwsCall
from local.stack import LocalStack
from tests.builders import request_of, span

from .http import ask
from .spandrel import Client, new_trace_id, spans_sent


def now_ns() -> int:
    return time.time_ns()


@pytest.fixture
def client(spandrel: LocalStack) -> Client:
    return Client(spandrel)


class Sdk:
    """An unmodified OpenTelemetry SDK, pointed at the stack; `kept` sees the same spans as its exporter."""

    def __init__(self, stack: LocalStack, compression: Compression) -> None:
        self.kept = InMemorySpanExporter()
        resource = Resource.create({"service.name": "checkout", "host.cores": 4, "zones": ["a", "b"]})
        self.provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{stack.url}/v1/traces", compression=compression)
        self.provider.add_span_processor(SimpleSpanProcessor(self.kept))
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self.provider.get_tracer("shop", "1.2.3", "https://example.com/schema", {"scope.key": True})


@pytest.fixture(params=[Compression.NoCompression, Compression.Gzip, Compression.Deflate], ids=lambda each: each.value)
def sdk(spandrel: LocalStack, request: pytest.FixtureRequest) -> Iterator[Sdk]:
    sdk = Sdk(spandrel, request.param)
    yield sdk
    sdk.provider.shutdown()


def place_an_order(sdk: Sdk) -> bytes:
    """A trace with a bit of everything that the SDK's API can say; its id."""
    with sdk.tracer.start_as_current_span("POST /orders", kind=api.SpanKind.SERVER) as order:
        order.set_attributes({"http.route": "/orders", "items": 3, "total": 12.5, "gift": False, "tags": ["é", "😀"]})
        order.add_event("validated", {"rules": [1, 2]}, timestamp=1)
        link = api.Link(order.get_span_context(), {"why": "it pays for it"})
        with sdk.tracer.start_as_current_span("charge", kind=api.SpanKind.CLIENT, links=[link]) as charge:
            charge.record_exception(ValueError("declined"))
            charge.set_status(api.StatusCode.ERROR, "card declined")
        with sdk.tracer.start_as_current_span("enqueue", kind=api.SpanKind.PRODUCER) as queued:
            queued.set_status(api.StatusCode.OK)
    return order.get_span_context().trace_id.to_bytes(16, "big")


def test_what_an_opentelemetry_sdk_sends_comes_back_equal(client: Client, sdk: Sdk) -> None:
    trace_id = place_an_order(sdk)
    sdk.provider.force_flush()
    client.stack.settle()
    sent = spans_sent(encode_spans(sdk.kept.get_finished_spans()))
    assert sum(sent.values()) == 3
    assert client.trace(trace_id) == sent


def test_a_body_in_chunks_is_taken_as_browsers_and_node_send_it(client: Client) -> None:
    trace_id = new_trace_id()
    request = request_of(span("chunked", trace_id=trace_id, start_ns=now_ns()))
    body = gzip.compress(request.SerializeToString())
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    assert ask(client.stack.url, "POST", "/v1/traces", iter([body[:20], body[20:]]), headers).status == 200
    client.stack.settle()
    assert client.trace(trace_id) == spans_sent(request)


@pytest.mark.parametrize(
    ("content_type", "body", "answer"),
    [("application/x-protobuf", b"", b""), ("application/json; charset=utf-8", b'{"resourceSpans":[]}', b"{}")],
)
def test_an_export_without_spans_is_a_success_in_chunks_too(
    client: Client, content_type: str, body: bytes, answer: bytes
) -> None:
    for sent in (body, iter([body] if body else [])):
        reply = ask(client.stack.url, "POST", "/v1/traces", sent, {"content-type": content_type})
        assert (reply.status, reply.body, reply.header("content-type")) == (200, answer, content_type.split(";")[0])


def let_through(_call: AwsCall) -> None:
    """A fault that is none: it only keeps the calls."""


def test_a_request_larger_than_a_message_is_cut_and_comes_back_whole(client: Client) -> None:
    trace_id = new_trace_id()
    noise = [secrets.token_hex(400) for _ in range(4000)]
    spans = [
        span(f"span {number}", trace_id=trace_id, start_ns=now_ns(), attributes={"noise": text})
        for number, text in enumerate(noise)
    ]
    request = request_of(*spans)
    with client.stack.faults.on("sqs", "SendMessage", let_through) as messages:
        client.store(request)
    assert len(messages.met) >= 2
    assert client.trace(trace_id) == spans_sent(request)


def test_a_single_span_larger_than_a_message_comes_back_whole(client: Client) -> None:
    trace_id = new_trace_id()
    texts = {f"text {number}": secrets.token_hex(30_000) for number in range(50)}
    request = request_of(span("huge", trace_id=trace_id, start_ns=now_ns(), attributes=texts))
    with client.stack.faults.on("s3", "PutObject", let_through) as put:
        client.store(request)
    assert any("/incoming/" in call.request.path for call in put.met)
    assert client.trace(trace_id) == spans_sent(request)


def test_an_answer_larger_than_lambda_gives_is_read_through_a_link(client: Client) -> None:
    trace_id = new_trace_id()
    texts = {f"text {number}": "0123456789" * 100 for number in range(10)}
    sent = [
        request_of(
            *(span(f"{part} {number}", trace_id=trace_id, start_ns=now_ns(), attributes=texts) for number in range(300))
        )
        for part in range(3)
    ]
    for request in sent:
        assert client.send(request).status == 200
    client.stack.settle()
    assert client.get(f"/api/v3/traces/{trace_id.hex()}").status in {302, 303, 307}
    assert client.trace(trace_id) == sum(map(spans_sent, sent), start=Counter[str]())


def test_a_page_may_send_spans_and_read_what_became_of_them(client: Client) -> None:
    page = {"origin": "https://shop.example"}
    asked = {**page, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = ask(client.stack.url, "OPTIONS", "/v1/traces", headers=asked)
    assert preflight.status == 204
    assert preflight.header("access-control-allow-origin")
    assert (
        "content-type" in preflight.header("access-control-allow-headers")
        or preflight.header("access-control-allow-headers") == "*"
    )
    refused = ask(client.stack.url, "POST", "/v1/traces", b"nonsense", {**page, "content-type": "text/css"})
    assert refused.status == 415
    assert refused.header("access-control-allow-origin")


def test_compaction_runs_by_its_schedule_and_changes_no_answer(client: Client) -> None:
    requests = [request_of(span(f"small {number}", trace_id=new_trace_id(), start_ns=now_ns())) for number in range(5)]
    for request in requests:
        client.store(request)
    client.stack.fire_schedules()
    client.stack.settle()
    for request in requests:
        trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id
        assert client.trace(trace_id) == spans_sent(request)
    plan = [line for line in client.stack.log_path.read_text().splitlines() if line.startswith("plan: REPORT")]
    assert plan
    assert not any("Error:" in line for line in plan)


def test_the_pages_come_from_the_same_address_without_a_key(spandrel: LocalStack) -> None:
    root = ask(spandrel.url, "GET", "/")
    assert (root.status, root.header("location")) == (302, "/ui/search")
    page = ask(spandrel.url, "GET", "/ui/search")
    assert page.status == 200
    assert "script-src 'self'" in page.header("content-security-policy")
    script = page.body.decode().partition('src="')[2].partition('"')[0]
    answer = ask(spandrel.url, "GET", script, headers={"accept-encoding": "gzip"})
    assert (answer.status, answer.header("content-encoding")) == (200, "gzip")
    assert "immutable" in answer.header("cache-control")
