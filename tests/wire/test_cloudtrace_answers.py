"""What Cloud Trace's clients are told, through the receiver, with a queue in memory."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.http.identity import context_of_refusal
from spandrel.http.request import request_of
from spandrel.http.response import Response
from spandrel.model.errors import Overloaded, SpandrelError, TooLarge
from spandrel.model.limits import BODY_BYTES
from tests.events import KNOWN, http_event

from .cloudtrace_sending import NAME, SPAN, TRACE, batch, create, patch, patch_of, recorded_event, v1_span, v2_span
from .sending import JSON
from .test_otlp_answers import QueueInMemory, answered, damaged, surprising

Make = Callable[..., dict[str, Any]]
RECORDED = {
    "cloudtrace-python-v1": 2,
    "cloudtrace-python-v2": 1,
    "cloudtrace-python-v2-span": 1,
    "cloudtrace-otel-python": 3,
}
"""Recordings, and how many spans each has."""

MAKES: dict[str, Make] = {
    "v1": lambda **other: patch(v1_span(), **other),
    "v2 batch": lambda **other: batch(v2_span(), **other),
    "v2 create": lambda **other: create(v2_span(), **other),
}
EACH = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)


def with_body(event: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The event with another body."""
    sent = http_event(body=body)
    return event | {name: sent[name] for name in ("body", "isBase64Encoded")}


def error_of(response: Response) -> tuple[int, str, str]:
    """HTTP status, google.rpc.Code's name and message, as Google's JSON error has them."""
    assert response.content_type == JSON
    told = json.loads(response.body)
    assert set(told) == {"error"}
    assert set(told["error"]) == {"code", "message", "status"}
    assert told["error"]["code"] == response.status
    return response.status, told["error"]["status"], told["error"]["message"]


@pytest.mark.parametrize(("name", "count"), [*RECORDED.items()])
def test_what_clients_send_is_queued_as_otlp(name: str, count: int) -> None:
    queue = QueueInMemory()
    response = answered(recorded_event(name), queue)
    assert (response.status, response.content_type) == (200, JSON)
    ((tenant, body, _),) = queue.sent
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert (tenant, len(resource.scope_spans[0].spans)) == ("shop", count)


def test_a_batch_is_answered_with_an_empty_object() -> None:
    assert answered(patch(v1_span())).body == answered(batch(v2_span())).body == b"{}"


def test_a_created_span_is_answered_with_itself() -> None:
    sent = recorded_event("cloudtrace-python-v2-span")
    name = f"projects/my-proj/traces/{TRACE}/spans/{SPAN}"
    assert json.loads(answered(sent).body) == json.loads(request_of(sent).body) | {"name": name}


def test_a_created_span_is_answered_with_the_name_that_it_got() -> None:
    answer = json.loads(
        answered(create({"start_time": "2024-05-01T12:00:00Z", "endTime": "2024-05-01T12:00:00Z"})).body
    )
    assert (answer["name"], answer["spanId"], answer["startTime"]) == (NAME, SPAN, "2024-05-01T12:00:00Z")


def test_requests_without_spans_queue_nothing() -> None:
    queue = QueueInMemory()
    assert [answered(event, queue).body for event in (patch_of({}), batch())] == [b"{}", b"{}"]
    assert queue.sent == []


@pytest.mark.parametrize(
    ("make", "good", "bad"), [(patch, v1_span(), v1_span(spanId="0")), (batch, v2_span(), v2_span(spanKind="?"))]
)
def test_one_bad_span_refuses_its_whole_request(make: Make, good: dict[str, Any], bad: dict[str, Any]) -> None:
    queue = QueueInMemory()
    status, name, told = error_of(answered(make(good, bad, good), queue))
    assert (status, name, queue.sent) == (400, "INVALID_ARGUMENT", [])
    assert "spans" in told


@EACH
@pytest.mark.parametrize(
    ("fault", "status", "name", "retry_after"),
    [
        (Overloaded("queueing spans: ServiceUnavailable", 5), 503, "UNAVAILABLE", "5"),
        (Overloaded("queueing spans: Throttling", 2, throttled=True), 429, "RESOURCE_EXHAUSTED", "2"),
        (TooLarge("the spans take too much"), 413, "INVALID_ARGUMENT", None),
    ],
    ids=["fault", "throttled", "too large"],
)
def test_what_is_not_queued_is_never_a_success(
    make: Make, fault: SpandrelError, status: int, name: str, retry_after: str | None
) -> None:
    response = answered(make(), QueueInMemory(fault))
    assert error_of(response) == (status, name, str(fault))
    assert response.headers.get("retry-after") == retry_after


@EACH
@pytest.mark.parametrize(
    ("context", "status", "name"),
    [
        (None, 401, "UNAUTHENTICATED"),
        (context_of_refusal("no-key"), 401, "UNAUTHENTICATED"),
        (context_of_refusal("unknown-key"), 401, "UNAUTHENTICATED"),
        ({**KNOWN, "scopes": "query admin"}, 403, "PERMISSION_DENIED"),
        (context_of_refusal("unavailable"), 503, "UNAVAILABLE"),
    ],
    ids=["no authorizer", "no key", "unknown key", "no scope", "no look-up"],
)
def test_who_may_not_is_told_so(make: Make, context: dict[str, str] | None, status: int, name: str) -> None:
    queue = QueueInMemory()
    assert error_of(answered(make(context=context), queue))[:2] == (status, name)
    assert queue.sent == []


@pytest.mark.parametrize(
    ("make", "methods", "allowed"),
    [
        (MAKES["v1"], ("POST", "PUT", "DELETE"), "PATCH"),
        (MAKES["v2 batch"], ("GET", "PUT", "PATCH", "DELETE"), "POST"),
        (MAKES["v2 create"], ("GET", "PUT", "PATCH", "DELETE"), "POST"),
    ],
    ids=MAKES,
)
def test_another_method_is_told_which_one_is_right(make: Make, methods: tuple[str, ...], allowed: str) -> None:
    for method in methods:
        response = answered(make(method=method))
        assert error_of(response)[:2] == (405, "UNIMPLEMENTED")
        assert response.headers["allow"] == allowed


def test_another_path_under_a_project_is_not_found() -> None:
    assert error_of(answered(create(v2_span(), path="/v2/projects/p/spans")))[:2] == (404, "NOT_FOUND")


@EACH
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-protobuf", "application/x-www-form-urlencoded"])
def test_another_media_type_is_told_which_one_is_right(make: Make, content_type: str) -> None:
    status, name, told = error_of(answered(make(headers={"content-type": content_type})))
    assert (status, name) == (415, "INVALID_ARGUMENT")
    assert JSON in told


@EACH
@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON", ""])
def test_json_is_taken_whatever_stands_beside_it(make: Make, content_type: str) -> None:
    assert answered(make(headers={"content-type": content_type})).status == 200


@EACH
def test_compressed_bodies_are_taken(make: Make) -> None:
    event = make(headers={"content-encoding": "gzip"})
    assert answered(with_body(event, gzip.compress(request_of(event).body))).status == 200
    assert error_of(answered(event))[0] == 400
    assert error_of(answered(make(headers={"content-encoding": "br"})))[0] == 415


@EACH
@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{", b"[]", b"null", b'"x"', b'{"a":' * 100_000, b'{"spans":[NaN],"traces":[NaN]}']
)
def test_a_body_that_is_no_object_is_a_bad_request(make: Make, body: bytes) -> None:
    assert error_of(answered(with_body(make(), body)))[:2] == (400, "INVALID_ARGUMENT")


def test_nesting_that_json_takes_and_a_stack_trace_does_not_is_a_bad_request() -> None:
    deep = '{"a":' * 900 + '"\\ud83d"' + "}" * 900
    body = json.dumps({"spans": [v2_span(stackTrace="@")]}).replace('"@"', deep).encode()
    assert answered(with_body(batch(), body)).status in {200, 400}


@EACH
def test_a_body_over_the_limit_is_too_large(make: Make) -> None:
    assert error_of(answered(with_body(make(), bytes(BODY_BYTES + 1))))[:2] == (413, "INVALID_ARGUMENT")


@EACH
def test_parameters_of_googles_clients_change_nothing(make: Make) -> None:
    query = "%24alt=json%3Benum-encoding%3Dint&prettyPrint=false&fields=name&alt=json&key=other&access_token=other"
    assert answered(make(query=query)).body == answered(make()).body


@EACH
def test_the_tenant_is_that_of_the_key_whatever_the_project(make: Make) -> None:
    queue = QueueInMemory()
    headers = {"x-goog-user-project": "other", "x-goog-request-params": "project_id=other", "x-goog-api-key": "other"}
    answered(make(headers=headers), queue)
    assert [tenant for tenant, _, _ in queue.sent] == ["shop"]


@pytest.mark.parametrize("name", RECORDED)
def test_no_damage_to_a_body_makes_more_than_a_bad_request(name: str) -> None:
    """A fault of the body is the sender's: none may raise, and none may be a 5xx, which would be sent again."""
    dice = random.Random(name)
    event = recorded_event(name)
    good = request_of(event).body
    statuses = {answered(with_body(event, damaged(good, dice))).status for _ in range(300)}
    assert statuses == {200, 400}


@pytest.mark.parametrize("name", RECORDED)
def test_no_surprise_in_a_body_makes_more_than_a_bad_request(name: str) -> None:
    dice = random.Random(name)
    event = recorded_event(name)
    good = json.loads(request_of(event).body)
    bodies = (json.dumps(surprising(good, dice)).encode() for _ in range(400))
    assert {answered(with_body(event, body)).status for body in bodies} == {200, 400}
