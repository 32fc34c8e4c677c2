"""What a client is told, in the encoding in which it asked: through the receiver, with a queue in memory."""

from __future__ import annotations

import base64
import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from receive.receiver import Receiver
from spandrel.http.identity import context_of_refusal
from spandrel.http.response import Response
from spandrel.model.errors import Overloaded, SpandrelError, TooLarge
from spandrel.model.limits import BODY_BYTES
from tests.events import KNOWN, http_event

from .sending import ENCODINGS, JSON, PROTOBUF, one_span, partial_success, recorded, status_of

RECEIVED_NS = 1_790_000_000 * 10**9
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
}
BOTH = pytest.mark.parametrize("content_type", ENCODINGS)


class QueueInMemory:
    """`spandrel.model.catalogue.Queue`; `fault` is raised instead of keeping."""

    def __init__(self, fault: SpandrelError | None = None) -> None:
        self.sent: list[tuple[str, bytes, int]] = []
        self._fault = fault

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        if self._fault:
            raise self._fault
        self.sent += [(tenant, body, received_ns) for body in bodies]


def answered(event: dict[str, Any], queue: QueueInMemory | None = None) -> Response:
    answer = Receiver(queue or QueueInMemory(), lambda: RECEIVED_NS).answer(event)
    json.dumps(answer)  # as Lambda does
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    return Response(answer["statusCode"], answer["headers"]["content-type"], body, answer["headers"])


def good_body(content_type: str) -> bytes:
    return recorded("otlp-python-protobuf" if content_type == PROTOBUF else "otlp-node-json").body


def event_of(content_type: str, body: bytes | None = None, **other: Any) -> dict[str, Any]:
    headers = {"content-type": content_type, **other.pop("headers", {})}
    return http_event(headers=headers, body=good_body(content_type) if body is None else body, **other)


@BOTH
def test_spans_that_are_queued_are_answered_with_an_empty_success(content_type: str) -> None:
    queue = QueueInMemory()
    response = answered(event_of(content_type), queue)
    assert (response.status, response.content_type) == (200, content_type)
    assert response.body == (b"" if content_type == PROTOBUF else b"{}")
    ((tenant, body, received_ns),) = queue.sent
    assert (tenant, received_ns) == ("shop", RECEIVED_NS)
    assert ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0].name


@pytest.mark.parametrize(("content_type", "body"), [(PROTOBUF, b""), (JSON, b"{}"), (JSON, b'{"resourceSpans":[]}')])
def test_a_request_without_spans_is_a_success_and_queues_nothing(content_type: str, body: bytes) -> None:
    queue = QueueInMemory()
    assert answered(event_of(content_type, body), queue).status == 200
    assert queue.sent == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("application/json; charset=utf-8", JSON),
        ("application/json;charset=UTF-8", JSON),
        ("Application/JSON ; boundary=x", JSON),
        ("application/x-protobuf; charset=utf-8", PROTOBUF),
        ('APPLICATION/X-PROTOBUF; messageType="x"', PROTOBUF),
    ],
)
def test_parameters_of_a_content_type_do_not_matter(written: str, meant: str) -> None:
    queue = QueueInMemory()
    response = answered(event_of(written, good_body(meant)), queue)
    assert (response.status, response.content_type, len(queue.sent)) == (200, meant, 1)
    assert answered(event_of(written, b"nonsense")).status == 400


def test_spans_that_are_all_bad_queue_nothing() -> None:
    queue = QueueInMemory()
    response = answered(event_of(JSON, json.dumps(one_span(traceId="")).encode()), queue)
    assert (response.status, partial_success(response)[0], queue.sent) == (200, 1, [])


@BOTH
@pytest.mark.parametrize(
    ("fault", "status", "code", "retry_after"),
    [
        (Overloaded("queueing spans: ServiceUnavailable", 5), 503, 14, "5"),
        (Overloaded("queueing spans: Throttling", 2, throttled=True), 429, 8, "2"),
        (TooLarge("the spans take too much"), 413, 3, None),
    ],
    ids=["fault", "throttled", "too large"],
)
def test_what_is_not_queued_is_never_a_success(
    content_type: str, fault: SpandrelError, status: int, code: int, retry_after: str | None
) -> None:
    response = answered(event_of(content_type), QueueInMemory(fault))
    assert (response.status, response.content_type) == (status, content_type)
    assert status_of(response) == (code, str(fault))
    assert response.headers.get("retry-after") == retry_after


@BOTH
@pytest.mark.parametrize(
    ("context", "status", "code"),
    [
        (None, 401, 16),
        (context_of_refusal("no-key"), 401, 16),
        (context_of_refusal("unknown-key"), 401, 16),
        ({**KNOWN, "scopes": "query admin"}, 403, 7),
        (context_of_refusal("unavailable"), 503, 14),
    ],
    ids=["no authorizer", "no key", "unknown key", "no scope", "no look-up"],
)
def test_who_may_not_is_told_so(content_type: str, context: dict[str, str] | None, status: int, code: int) -> None:
    queue = QueueInMemory()
    response = answered(event_of(content_type, context=context), queue)
    assert (response.status, response.content_type, status_of(response)[0]) == (status, content_type, code)
    assert ("www-authenticate" in response.headers) is (status == 401)
    assert queue.sent == []


@BOTH
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_another_method_is_told_which_one_is_right(content_type: str, method: str) -> None:
    response = answered(event_of(content_type, method=method))
    assert (response.status, response.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert status_of(response)[0] == 12


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/protobuf", "text/json", "application/json-seq", "\ud800", "x" * 500]
)
def test_another_media_type_is_told_which_ones_are_right(content_type: str) -> None:
    response = answered(event_of(content_type, b"{}"))
    assert (response.status, response.content_type) == (415, JSON)
    assert "application/x-protobuf or application/json" in status_of(response)[1]


def test_a_request_that_says_no_media_type_is_refused() -> None:
    assert answered(http_event(body=b"{}")).status == 415


@BOTH
def test_another_content_encoding_is_told_which_ones_are_right(content_type: str) -> None:
    response = answered(event_of(content_type, headers={"content-encoding": "br"}))
    assert (response.status, response.content_type) == (415, content_type)
    assert "gzip, deflate, zstd" in status_of(response)[1]


@BOTH
@pytest.mark.parametrize("headers", [{}, {"content-encoding": "gzip"}], ids=["plain", "gzip"])
def test_a_body_that_does_not_decode_is_a_bad_request(content_type: str, headers: dict[str, str]) -> None:
    response = answered(event_of(content_type, b"\xffnonsense", headers=headers))
    assert (response.status, response.content_type, status_of(response)[0]) == (400, content_type, 3)


def test_an_empty_json_body_is_a_bad_request() -> None:
    assert answered(event_of(JSON, b"")).status == 400


@BOTH
def test_a_body_over_the_limit_is_too_large(content_type: str) -> None:
    response = answered(event_of(content_type, bytes(BODY_BYTES + 1)))
    assert (response.status, response.content_type, status_of(response)[0]) == (413, content_type, 3)


@BOTH
def test_the_tenant_comes_from_the_authorizer_alone(content_type: str) -> None:
    queue = QueueInMemory()
    headers = {"x-scope-orgid": "other", "x-tenant": "other", "tenant": "other", "authorization": "Bearer other"}
    assert answered(event_of(content_type, headers=headers, query="tenant=other"), queue).status == 200
    assert [tenant for tenant, _, _ in queue.sent] == ["shop"]


@BOTH
@pytest.mark.parametrize("encoding", COMPRESS)
def test_no_damage_to_a_body_makes_more_than_a_bad_request(content_type: str, encoding: str) -> None:
    """A fault of the body is the sender's: none may raise, and none may be a 5xx, which would be sent again."""
    dice = random.Random(f"{content_type} {encoding}")
    good = COMPRESS[encoding](good_body(content_type))
    events = (event_of(content_type, damaged(good, dice), headers={"content-encoding": encoding}) for _ in range(300))
    statuses = {answered(event).status for event in events}
    assert statuses <= {200, 400, 413}
    assert 400 in statuses


def test_no_surprise_in_a_json_body_makes_more_than_a_bad_request() -> None:
    dice = random.Random("surprises")
    good = json.loads(good_body(JSON))
    bodies = (json.dumps(surprising(good, dice)).encode() for _ in range(300))
    statuses = {answered(event_of(JSON, body)).status for body in bodies}
    assert statuses == {200, 400}


def damaged(body: bytes, dice: random.Random) -> bytes:
    """The body with a few bytes changed, cut out, doubled or put in."""
    changed = bytearray(body)
    for _ in range(dice.randint(1, 6)):
        start = dice.randrange(len(changed) + 1)
        end = min(start + dice.choice([0, 1, 1, 2, 8, 100]), len(changed))
        changed[start:end] = dice.choice([b"", dice.randbytes(1), dice.randbytes(4), bytes(changed[start:end]) * 2])
    return bytes(changed)


def surprising(found: Any, dice: random.Random) -> Any:
    """The JSON value with some of its parts replaced by what nobody expects there."""
    if dice.random() < 0.01:
        return dice.choice([None, True, -1, 2**70, 1.5, "", "x", "\ud800", [], {}, [None], {"": 1}, {"values": "x"}])
    if isinstance(found, dict):
        return {key: surprising(value, dice) for key, value in found.items()}
    if isinstance(found, list):
        return [surprising(value, dice) for value in found]
    return found
