"""What Jaeger's clients are told, through the receiver."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thrift.Thrift import TMessageType

from spandrel.http.identity import context_of_refusal
from spandrel.model.errors import Overloaded
from spandrel.model.limits import BODY_BYTES
from spandrel.wire.jaeger import endpoint as jaeger
from spandrel.wire.thrift import ELEMENTS_MAX
from tests.events import http_event

from .client_programs import python_client
from .gateway import Gateway, gateway
from .jaeger_sending import PATH, PROTOCOLS, THRIFT, TYPES, batch, call, encoded, outcomes, sent, span, tag
from .sending import RECORDINGS, recorded
from .test_otlp_answers import QueueInMemory, answered

RECORDED = ("jaeger-client-node", "jaeger-otel-python", "jaeger-opencensus-python")
GOOD = encoded(batch(span({"a": "x"})))


def event_of(body: bytes, content_type: str = THRIFT, **other: Any) -> dict[str, Any]:
    headers = {"content-type": content_type, **other.pop("headers", {})}
    return http_event("POST", PATH, headers=headers, body=body, **other)


def expect_refusal(body: bytes, status: int, content_type: str = THRIFT, **other: Any) -> str:
    """What the refusal says, which has that status."""
    queue = QueueInMemory(other.pop("fault", None))
    response = answered(event_of(body, content_type, **other), queue)
    assert (response.status, response.content_type) == (status, "text/plain; charset=utf-8")
    assert not queue.sent
    return response.body.decode()


@pytest.mark.parametrize("name", RECORDED)
def test_what_clients_send_is_queued(name: str) -> None:
    told, queue = recorded(name), QueueInMemory()
    response = answered(
        http_event("POST", PATH, headers=told.headers, body=told.body, query="format=jaeger.thrift"), queue
    )
    assert (response.status, len(queue.sent)) == (202, 1)


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        (THRIFT, "binary"),
        (THRIFT, "compact"),
        (TYPES["binary"], "binary"),
        (TYPES["compact"], "compact"),
        ("Application/X-THRIFT; charset=utf-8", "binary"),
    ],
)
@pytest.mark.parametrize("query", ["", "format=jaeger.thrift", "format=zipkin.thrift"])
def test_a_batch_is_taken_and_answered_with_nothing(content_type: str, encoding: str, query: str) -> None:
    queue = QueueInMemory()
    response = answered(event_of(encoded(batch(span()), encoding), content_type, query=query), queue)
    assert (response.status, response.body, len(queue.sent)) == (202, b"", 1)


def test_a_compressed_batch_is_taken() -> None:
    assert answered(event_of(gzip.compress(GOOD), headers={"content-encoding": "gzip"})).status == 202


def test_bytes_after_the_batch_do_not_matter() -> None:
    assert jaeger.decode(sent(GOOD + b"anything")).spans == 1


def test_a_batch_without_spans_queues_nothing() -> None:
    queue = QueueInMemory()
    assert answered(event_of(encoded(batch())), queue).status == 202
    assert queue.sent == []


def test_fields_that_nobody_knows_do_not_matter() -> None:
    numbered = batch(span())
    whole = encoded(numbered)
    sequence = b"\x0a\x00\x03" + bytes(8)  # seqNo, and a struct of numbers and text that came later
    stats = b"\x0c\x00\x04\x0a\x00\x01" + bytes(8) + b"\x0b\x00\x63\0\0\0\2\xff\xfe" + b"\0"
    assert jaeger.decode(sent(sequence + stats + whole)).spans == 1


# Calls.


@pytest.mark.parametrize("encoding", PROTOCOLS)
@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_call_of_a_collector_gets_an_outcome_for_each_batch(encoding: str, batches: int) -> None:
    body = call(*(batch(span(spanId=number + 1)) for number in range(batches)), encoding=encoding)
    accepted = jaeger.decode(sent(body))
    response = jaeger.answer(sent(body), accepted)
    assert (accepted.spans, response.status, response.content_type) == (batches, 202, THRIFT)
    assert outcomes(response.body, encoding) == [True] * batches


@pytest.mark.parametrize("encoding", PROTOCOLS)
def test_a_call_of_an_agent_waits_for_no_answer(encoding: str) -> None:
    request = sent(call(batch(span()), encoding=encoding, name="emitBatch", kind=TMessageType.ONEWAY))
    accepted = jaeger.decode(request)
    assert (accepted.spans, jaeger.answer(request, accepted).body) == (1, b"")


def test_each_batch_of_a_call_is_a_resource() -> None:
    otlp = jaeger.decode(sent(call(batch(span(), service="a"), batch(span(spanId=8), service="b")))).otlp
    services = [found.resource.attributes[0].value.string_value for found in otlp.resource_spans]
    assert services == ["a", "b"]


@pytest.mark.parametrize("encoding", PROTOCOLS)
def test_a_call_of_something_else_is_refused(encoding: str) -> None:
    told = expect_refusal(call(batch(), encoding=encoding, name="getBaggageRestrictions"), 400)
    assert "no call 'getBaggageRestrictions', only submitBatches and emitBatch" in told


def test_a_reply_is_no_call() -> None:
    assert "no call but" in expect_refusal(call(batch(), kind=TMessageType.REPLY), 400)


# Refusals.


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("application/json", "application/json"),
        ("Text/Plain; a=b", "text/plain"),
        ("", "application/x-www-form-urlencoded"),
        ("\ud800", "\ufffd"),
    ],
)
def test_another_media_type_is_a_bad_request(content_type: str, told: str) -> None:
    assert expect_refusal(GOOD, 400, content_type).replace("?", "\ufffd") == f"Unsupported content type: {told}\n"


def without(record: Any, field: str) -> Any:
    setattr(record, field, None)
    return record


REQUIRED = ("traceIdLow", "traceIdHigh", "spanId", "parentSpanId", "operationName", "flags", "startTime", "duration")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"\xff",
        b"{}",
        b"hello",
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        encoded(without(batch(span()), "process")),
        encoded(without(batch(), "spans")),
        encoded(batch(service=None)),  # type: ignore[arg-type]
        *(encoded(batch(without(span(), field))) for field in REQUIRED),
        encoded(batch(span(tags=[without(tag("a", "x"), "key")]))),
        encoded(batch(span(tags=[without(tag("a", "x"), "vType")]))),
        GOOD.replace(b"\x0f\x00\x02\x0c", b"\x0f\x00\x02\x0b"),
        b"\x80\x01\x00\x01\x7f\xff\xff\xff",
        b"\x82\x21\x01\xff\xff\xff\xff\x07",
        b"\x0f\x00\x02\x0c\x7f\xff\xff\xff",
        b"\x0c\x00\x01\x0b\x00\x01\x7f\xff\xff\xff",
        b"\x0c\x00\x09" * 5000,
        b"\x1c" * 5000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_no_batch_is_a_bad_request(body: bytes) -> None:
    assert expect_refusal(body, 400).startswith("Unable to process request body: ")


def test_a_list_beyond_all_measure_is_refused_before_room_is_made_for_it() -> None:
    many = encoded(batch(span({}, tags=[]))).replace(
        b"\x0f\x00\x0a\x0c\0\0\0\0", b"\x0f\x00\x0a\x0c" + (ELEMENTS_MAX + 1).to_bytes(4, "big")
    )
    assert expect_refusal(many, 400).startswith("Unable to process request body: ")


@pytest.mark.parametrize("fields", [{"spanId": 0}, {"traceIdLow": 0}])
def test_one_span_that_cannot_be_kept_refuses_them_all_because_the_answer_cannot_name_it(
    fields: dict[str, Any],
) -> None:
    told = expect_refusal(encoded(batch(span(), span(**fields))), 400)
    assert told.startswith("Unable to process request body: 1 of 2 spans refused: ")


@pytest.mark.parametrize("encoding", PROTOCOLS)
def test_a_call_keeps_the_batches_without_a_fault_and_its_answer_says_which(encoding: str) -> None:
    bad = batch(span(spanId=9), span(spanId=0), service="bad")
    request = sent(call(batch(span(), service="a"), bad, batch(span(spanId=8), service="b"), encoding=encoding))
    accepted = jaeger.decode(request)
    assert (accepted.spans, accepted.rejected) == (2, 2)
    kept = [found.resource.attributes[0].value for found in accepted.otlp.resource_spans if found.scope_spans]
    assert [service.string_value for service in kept] == ["a", "b"]
    assert outcomes(jaeger.answer(request, accepted).body, encoding) == [True, False, True]


@pytest.mark.parametrize("name", ["submitBatches", "emitBatch"])
def test_a_call_of_nothing_but_bad_batches_is_refused(name: str) -> None:
    expect_refusal(call(batch(span(spanId=0)), name=name), 400)


@pytest.mark.parametrize(
    ("context", "status"),
    [
        (context_of_refusal("no-key"), 401),
        ({"tenant": "shop", "scopes": "query", "key": "k"}, 403),
        (context_of_refusal("unavailable"), 503),
    ],
)
def test_who_may_not_is_told_so(context: dict[str, str], status: int) -> None:
    expect_refusal(GOOD, status, context=context)


def test_what_cannot_be_taken_now_is_not_taken() -> None:
    expect_refusal(GOOD, 503, fault=Overloaded("no queue"))
    expect_refusal(GOOD, 429, fault=Overloaded("slow down", throttled=True))
    expect_refusal(bytes(BODY_BYTES + 1), 413)
    expect_refusal(GOOD, 415, headers={"content-encoding": "br"})
    expect_refusal(GOOD, 400, headers={"content-encoding": "gzip"})


@pytest.mark.parametrize("name", [*(f"{name}.body" for name in RECORDED), "jaeger-client-python.datagram"])
@settings(deadline=None, max_examples=150, derandomize=True)
@given(data=st.data())
def test_no_damage_to_a_body_makes_more_than_a_bad_request(name: str, data: st.DataObject) -> None:
    body = bytearray((RECORDINGS / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = min(start + data.draw(st.sampled_from([0, 1, 1, 2, 20])), len(body))
        body[start:end] = data.draw(st.binary(max_size=6))
    assert answered(event_of(bytes(body))).status in {202, 400}


# Real clients.


@pytest.fixture
def spandrel() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


def span_names(found: Gateway) -> set[str]:
    return {
        span.name
        for request in found.requests()
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }


def test_opencensus_sends_its_spans_and_understands_the_answer(spandrel: Gateway) -> None:
    host, _, port = spandrel.url.removeprefix("http://").partition(":")
    assert python_client("opencensus_jaeger.py", host, port, spandrel.key).stderr == ""
    assert span_names(spandrel) == {"GET /cart", "query"}
    assert set(spandrel.answered) == {("POST", PATH, 202)}


def test_opencensus_without_a_key_is_refused_and_says_so(spandrel: Gateway) -> None:
    host, _, port = spandrel.url.removeprefix("http://").partition(":")
    assert python_client("opencensus_jaeger.py", host, port, "none").stderr != ""
    assert spandrel.requests() == []


def test_what_the_python_client_sends_its_agent_can_be_handed_on_as_it_is(spandrel: Gateway) -> None:
    """Its agent is a forwarder of a few lines, which does not look into what it forwards."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        agent.settimeout(0.05)
        done = threading.Event()
        forwarding = threading.Thread(target=forward, args=(agent, spandrel, done))
        forwarding.start()
        try:
            python_client("jaeger_python.py", str(agent.getsockname()[1]))
        finally:
            done.set()
            forwarding.join()
    assert span_names(spandrel) == {"GET /cart", "query"}


def forward(agent: socket.socket, to: Gateway, done: threading.Event) -> None:
    while True:
        try:
            datagram = agent.recv(65535)
        except TimeoutError:
            if done.is_set():
                return
            continue
        answer = to.answer("POST", PATH, {"content-type": TYPES["compact"], "x-api-key": to.key}, datagram)
        assert answer["statusCode"] == 202
