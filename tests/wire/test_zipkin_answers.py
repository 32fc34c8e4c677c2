"""What a Zipkin client is told, through the receiver, with a queue in memory."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.http.identity import context_of_refusal
from spandrel.http.response import Response
from spandrel.model.errors import Overloaded, SpandrelError, TooLarge
from spandrel.model.limits import BODY_BYTES, JSON_VALUES_MAX
from tests.events import KNOWN, http_event

from .sending import recorded
from .test_otlp_answers import COMPRESS, RECEIVED_NS, QueueInMemory, answered, damaged, surprising
from .test_zipkin_v1 import ENCODINGS, SAMPLES
from .zipkin_back import zipkin_of
from .zipkin_sending import IDS, JSON, PROTOBUF, THRIFT, V1, V2

TEXT = "text/plain; charset=utf-8"
RECORDED = {
    "zipkin-otel-python-json": 7,
    "zipkin-otel-python-protobuf": 7,
    "zipkin-js-json": 2,
    "zipkin-py-v1-json": 3,
    "zipkin-py-v1-json-joined": 1,
    "zipkin-py-v1-thrift": 3,
    "zipkin-py-v1-thrift-joined": 1,
}
EVERY = pytest.mark.parametrize("encoding", ENCODINGS)


def good_body(encoding: str) -> bytes:
    return (SAMPLES / f"trace.{encoding}").read_bytes()


def event_of(encoding: str, body: bytes | None = None, **other: Any) -> dict[str, Any]:
    path, content_type = ENCODINGS[encoding]
    headers = {"content-type": content_type, **other.pop("headers", {})}
    return http_event("POST", path, headers=headers, body=good_body(encoding) if body is None else body, **other)


def expect_refusal(event: dict[str, Any], status: int, fault: SpandrelError | None = None) -> str:
    """The text of the refusal, which has that status."""
    queue = QueueInMemory(fault)
    response = answered(event, queue)
    assert (response.status, response.content_type, queue.sent) == (status, TEXT, [])
    text = response.body.decode()
    assert text.endswith("\n")
    return text.removesuffix("\n")


def queued(queue: QueueInMemory) -> list[dict[str, Any]]:
    ((tenant, body, received_ns),) = queue.sent
    assert (tenant, received_ns) == ("shop", RECEIVED_NS)
    return zipkin_of(ExportTraceServiceRequest.FromString(body))


@EVERY
def test_spans_that_are_queued_are_answered_with_202_and_nothing(encoding: str) -> None:
    queue = QueueInMemory()
    response = answered(event_of(encoding), queue)
    assert (response.status, response.body) == (202, b"")
    assert len(queued(queue)) == 4


@pytest.mark.parametrize("name", RECORDED)
def test_what_clients_send_is_taken(name: str) -> None:
    told, queue = recorded(name), QueueInMemory()
    response = answered(http_event(told.method, told.path, headers=told.headers, body=told.body), queue)
    assert response.status == 202
    assert len(queued(queue)) == RECORDED[name]


def test_a_joined_span_of_version_1_is_a_servers_that_shares_its_clients() -> None:
    for name in ("zipkin-py-v1-json-joined", "zipkin-py-v1-thrift-joined"):
        told, queue = recorded(name), QueueInMemory()
        answered(http_event(told.method, told.path, headers=told.headers, body=told.body), queue)
        (span,) = queued(queue)
        assert (span["kind"], span["shared"], span["name"]) == ("SERVER", True, "post /order")
        assert span["duration"] > 0
        assert span["localEndpoint"] == {"serviceName": "backend-py", "ipv4": "127.0.0.1", "port": 9090}


def test_spans_come_through_zipkins_base_path_too() -> None:
    queue = QueueInMemory()
    body = good_body("v2.json")
    assert answered(http_event("POST", "/zipkin/api/v2/spans", body=body), queue).status == 202
    assert len(queued(queue)) == 4


@pytest.mark.parametrize(("path", "encoding"), [(V2, "v2.json"), (V1, "v1.json")])
@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/json; charset=utf-8", "application/x-json"]
)
def test_whatever_calls_itself_neither_protobuf_nor_thrift_is_json(
    path: str, encoding: str, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    assert answered(http_event("POST", path, headers=headers, body=good_body(encoding))).status == 202


@EVERY
@pytest.mark.parametrize("body", [b"", b"[]"])
def test_nothing_is_a_success_and_queues_nothing(encoding: str, body: bytes) -> None:
    queue = QueueInMemory()
    assert (answered(event_of(encoding, body), queue).status, queue.sent) == (202, [])


def test_an_empty_list_of_thrift_is_a_success() -> None:
    assert answered(event_of("v1.thrift", b"\x0c\0\0\0\0")).status == 202


@EVERY
@pytest.mark.parametrize("compression", COMPRESS)
def test_bodies_may_be_compressed(encoding: str, compression: str) -> None:
    body = COMPRESS[compression](good_body(encoding))
    assert answered(event_of(encoding, body, headers={"content-encoding": compression})).status == 202


@EVERY
@pytest.mark.parametrize("body", [b"x", b"{}", b" [1]", b"\xef\xbb\xbf[]", b"\0"])
def test_what_is_no_list_is_told_so(encoding: str, body: bytes) -> None:
    name = {"v2.json": "JSON_V2", "v1.json": "JSON_V1", "proto3": "PROTO3", "v1.thrift": "THRIFT"}[encoding]
    assert expect_refusal(event_of(encoding, body), 400) == f"Expected a {name} encoded list"


@pytest.mark.parametrize(
    ("path", "encoding", "told"),
    [
        (V2, "v1.json", "Expected a JSON_V2 encoded list, but received: JSON_V1"),
        (V1, "v2.json", "Expected a JSON_V1 encoded list, but received: JSON_V2"),
    ],
)
def test_the_other_version_is_told_so(path: str, encoding: str, told: str) -> None:
    assert (
        expect_refusal(http_event("POST", path, headers={"content-type": JSON}, body=good_body(encoding)), 400) == told
    )


def test_a_tag_alone_shows_which_version_it_is() -> None:
    body = json.dumps([IDS | {"tags": {}}])
    assert expect_refusal(http_event("POST", V1, body=body), 400).endswith("but received: JSON_V2")


@pytest.mark.parametrize(("path", "content_type"), [(V1, PROTOBUF), (V2, THRIFT)])
def test_a_binary_encoding_of_the_other_version_is_no_list(path: str, content_type: str) -> None:
    event = http_event("POST", path, headers={"content-type": content_type}, body=b"\x0a\0")
    assert expect_refusal(event, 400).startswith("Expected a JSON_V")


BAD = {
    "no ids": ({}, "id is text"),
    "no trace id": ({"id": "1"}, "traceId is text"),
    "an empty id": (IDS | {"id": ""}, "id is 1 to 16 lower-case hex digits"),
    "a trace id in capitals": (IDS | {"traceId": "216A2AEA45D08FC9"}, "traceId is 1 to 32 lower-case hex digits"),
    "a prefix": (IDS | {"traceId": "0x216a2aea45d08f"}, "traceId is 1 to 32"),
    "a blank in an id": (IDS | {"id": "216a 2aea45d08fc"}, "id is 1 to 16"),
    "a long id": (IDS | {"id": "1" * 17}, "id is 1 to 16"),
    "a long trace id": (IDS | {"traceId": "1" * 33}, "traceId is 1 to 32"),
    "a sign": (IDS | {"id": "-1"}, "id is 1 to 16"),
    "zeros": (IDS | {"id": "0000000000000000"}, "id is all zeros"),
    "a trace id of zeros": (IDS | {"traceId": "0"}, "traceId is all zeros"),
    "a bad parent": (IDS | {"parentId": "x"}, "parentId is 1 to 16"),
    "a list for an id": (IDS | {"id": [1]}, "id is text"),
    "an unknown kind": (IDS | {"kind": "client"}, "kind is one of CLIENT, SERVER, PRODUCER, CONSUMER"),
    "a list for a kind": (IDS | {"kind": ["CLIENT"]}, "kind is one of"),
    "a fraction of a µs": (IDS | {"timestamp": 1.5}, "timestamp is a whole number"),
    "words for a time": (IDS | {"duration": "long"}, "duration is a whole number"),
    "a time beyond 64 bits": (IDS | {"timestamp": 2**63}, "timestamp is a whole number"),
    "an endless time": (IDS | {"timestamp": "1e999"}, "timestamp is a whole number"),
    "true for a time": (IDS | {"timestamp": True}, "timestamp is a whole number"),
    "a port over 65535": (IDS | {"localEndpoint": {"port": 65536}}, "port is at most 65535"),
    "a list for a port": (IDS | {"localEndpoint": {"port": [1]}}, "port is a whole number"),
    "text for an endpoint": (IDS | {"remoteEndpoint": "x"}, "an endpoint is an object"),
    "an object for a name": (IDS | {"name": {}}, "name is text"),
    "true for a tag": (IDS | {"tags": {"a": True}}, "tag 'a' is text"),
    "null for a tag": (IDS | {"tags": {"a": None}}, "tag 'a' is text"),
    "a list of tags": (IDS | {"tags": []}, "tags is an object"),
    "an object of annotations": (IDS | {"annotations": {}}, "annotations is a list"),
    "half an annotation": (IDS | {"annotations": [{"value": "a"}]}, "an annotation has a timestamp and a value"),
    "text for an annotation": (IDS | {"annotations": ["a"]}, "an annotation is an object"),
    "text for a flag": (IDS | {"debug": "yes"}, "debug is true or false"),
    "null for a span": (None, "a span is an object"),
    "a list for a span": ([IDS], "a span is an object"),
}


@pytest.mark.parametrize(("span", "told"), BAD.values(), ids=BAD)
def test_one_bad_span_refuses_all_and_is_named(span: Any, told: str) -> None:
    event = http_event("POST", V2, body=json.dumps([IDS, span]))
    assert expect_refusal(event, 400).startswith(f"span 1: {told}")


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (IDS | {"binaryAnnotations": [{"value": "a"}]}, "a binary annotation has a key"),
        (IDS | {"annotations": [{"timestamp": 1}]}, "an annotation has a timestamp and a value"),
        (IDS | {"annotations": [{"timestamp": 1, "value": "a", "endpoint": 7}]}, "an endpoint is an object"),
        ({"traceId": "1"}, "id is text"),
    ],
)
def test_one_bad_span_of_version_1_refuses_all_and_is_named(span: Any, told: str) -> None:
    assert expect_refusal(http_event("POST", V1, body=json.dumps([IDS, span])), 400).startswith(f"span 1: {told}")


@pytest.mark.parametrize("body", [b"[", b"[{]", b"[{},]", b"[{}", b"[1 2]", b"[]x", b"[NaN]", b"[" * 100_000, b"[,]"])
def test_a_list_that_does_not_go_on_as_json_is_refused(body: bytes) -> None:
    expect_refusal(event_of("v2.json", body), 400)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\x0a\x00", "span 0: id is 8 bytes"),
        (b"\x0a\x0a\x1a\x08" + bytes(8), "span 0: id is 8 bytes that are not all zero"),
        (b"\x0a\x0f\x0a\x03abc\x1a\x08" + b"\1" * 8, "span 0: traceId is 8 or 16 bytes"),
        (b"\x0a\x7f", "the body is no ListOfSpans"),
    ],
)
def test_a_span_of_protobuf_without_sound_ids_is_named(body: bytes, told: str) -> None:
    assert expect_refusal(event_of("proto3", body), 400).startswith(told)


def test_a_span_of_thrift_without_ids_is_named() -> None:
    assert expect_refusal(event_of("v1.thrift", b"\x0c\0\0\0\1\0"), 400).startswith(
        "span 0: a span has a trace_id and an id"
    )


@EVERY
@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        (Overloaded("queueing spans: ServiceUnavailable", 5), 503, "5"),
        (Overloaded("queueing spans: Throttling", 2, throttled=True), 429, "2"),
        (TooLarge("the spans take too much"), 413, None),
    ],
    ids=["fault", "throttled", "too large"],
)
def test_what_is_not_queued_is_never_a_success(
    encoding: str, fault: SpandrelError, status: int, retry_after: str | None
) -> None:
    assert expect_refusal(event_of(encoding), status, fault) == str(fault)
    assert answered(event_of(encoding), QueueInMemory(fault)).headers.get("retry-after") == retry_after


@EVERY
@pytest.mark.parametrize(
    ("context", "status"),
    [
        (None, 401),
        (context_of_refusal("no-key"), 401),
        (context_of_refusal("unknown-key"), 401),
        ({**KNOWN, "scopes": "query admin"}, 403),
        (context_of_refusal("unavailable"), 503),
    ],
    ids=["no authorizer", "no key", "unknown key", "no scope", "no look-up"],
)
def test_who_may_not_is_told_so(encoding: str, context: dict[str, str] | None, status: int) -> None:
    expect_refusal(event_of(encoding, context=context), status)


@EVERY
def test_a_body_over_the_limit_is_too_large(encoding: str) -> None:
    expect_refusal(event_of(encoding, bytes(BODY_BYTES + 1)), 413)
    expect_refusal(event_of(encoding, gzip.compress(bytes(65 * 2**20)), headers={"content-encoding": "gzip"}), 413)


@EVERY
def test_an_unknown_compression_is_told_which_ones_are_right(encoding: str) -> None:
    assert "gzip, deflate, zstd" in expect_refusal(event_of(encoding, headers={"content-encoding": "br"}), 415)


@EVERY
def test_a_body_that_is_not_what_its_compression_says_is_refused(encoding: str) -> None:
    expect_refusal(event_of(encoding, headers={"content-encoding": "gzip"}), 400)


@EVERY
def test_a_body_cut_short_anywhere_is_refused(encoding: str) -> None:
    body = good_body(encoding)
    for end in random.Random(encoding).sample(range(1, len(body)), 60):
        assert answered(event_of(encoding, body[:end])).status in ({202, 400} if encoding == "proto3" else {400}), end


@EVERY
def test_no_damage_to_a_body_makes_more_than_a_bad_request(encoding: str) -> None:
    """A fault of the body is the sender's: none may raise, and none may be a 5xx, which would be sent again."""
    dice = random.Random(encoding)
    statuses = {answered(event_of(encoding, damaged(good_body(encoding), dice))).status for _ in range(500)}
    assert statuses == {202, 400}


@pytest.mark.parametrize("encoding", ["v2.json", "v1.json"])
def test_no_surprise_in_json_makes_more_than_a_bad_request(encoding: str) -> None:
    dice = random.Random(encoding)
    good = json.loads(good_body(encoding))
    bodies = (json.dumps(surprising(good, dice)).encode() for _ in range(1000))
    assert {answered(event_of(encoding, body)).status for body in bodies} == {202, 400}


HOSTILE = {
    "empty objects": b"[" + b"{}," * JSON_VALUES_MAX + b"{}]",
    "annotations of one span": b'[{"traceId":"1","id":"1","annotations":[' + b"{}," * (JSON_VALUES_MAX + 1) + b"{}]}]",
    "numbers": b"[" + b"1.5," * (JSON_VALUES_MAX + 1) + b"1]",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_millions_of_values_are_refused_before_they_take_memory(body: bytes) -> None:
    compressed = gzip.compress(body)
    tracemalloc.start()
    try:
        response: Response = answered(event_of("v2.json", compressed, headers={"content-encoding": "gzip"}))
        assert tracemalloc.get_traced_memory()[1] < 60 * 2**20
    finally:
        tracemalloc.stop()
    assert response.status in {400, 413}


def test_every_sample_is_in_every_encoding() -> None:
    names = {
        encoding: {path.name.removesuffix(f".{encoding}") for path in _samples(encoding)} for encoding in ENCODINGS
    }
    assert len({frozenset(found) for found in names.values()}) == 1
    assert len(names["v2.json"]) == 10


def _samples(encoding: str) -> list[Path]:
    return sorted(SAMPLES.glob(f"*.{encoding}"))
