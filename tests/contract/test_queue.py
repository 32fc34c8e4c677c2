"""The queue over SQS: what `receive` sends is what `store` finds, whole, in messages that SQS takes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from botocore.stub import Stubber
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spandrel.aws.clients import client
from spandrel.aws.object_store import S3ObjectStore
from spandrel.aws.queue import SqsQueue
from spandrel.aws.queued import Queued, unpacked
from spandrel.model import lifecycle
from spandrel.model.errors import Overloaded, TooLarge
from spandrel.model.limits import (
    DECODED_BODY_BYTES,
    KIB,
    MESSAGE_BODY_BYTES,
    MIB,
    SQS_MESSAGE_BYTES,
)
from tests.builders import span
from tests.otlp import spans_of

from .conftest import REGION

BUCKET = "spans"
RECEIVED_NS = 1_790_000_000 * 10**9 + 7
NOISE = random.Random(1)


class Waiting:
    """An SQS queue and a bucket as moto plays them, and what waits there."""

    def __init__(self) -> None:
        self.sqs = client("sqs")
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.objects = S3ObjectStore(self.s3, BUCKET)
        size = {"MaximumMessageSize": str(SQS_MESSAGE_BYTES)}
        self.url = self.sqs.create_queue(QueueName="waiting", Attributes=size)["QueueUrl"]
        self.queue = SqsQueue(self.sqs, self.url, lambda: self.objects)

    def records(self) -> list[dict[str, Any]]:
        """All messages, as Lambda's event has them."""
        records = []
        while messages := self._receive():
            records += [record_of(message) for message in messages]
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return records

    def requests(self) -> list[Queued]:
        return [unpacked(record, self.objects) for record in self.records()]

    def _receive(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        )
        return list(answer.get("Messages", []))


def record_of(message: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
        for name, value in message["MessageAttributes"].items()
    }
    return {"messageId": message["MessageId"], "body": message["Body"], "messageAttributes": attributes}


@pytest.fixture
def waiting(aws: None) -> Waiting:
    return Waiting()


def noise(size_bytes: int) -> bytes:
    """What no compression makes smaller."""
    return NOISE.randbytes(size_bytes)


def requested(*resources: list[list[Span]]) -> ExportTraceServiceRequest:
    """Resources of scopes of spans."""
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                schema_url=f"resource {r}",
                scope_spans=[
                    ScopeSpans(scope=InstrumentationScope(name=f"scope {s}"), schema_url="u", spans=spans)
                    for s, spans in enumerate(scopes)
                ],
            )
            for r, scopes in enumerate(resources)
        ]
    )


def found(requests: list[Queued]) -> Counter[str]:
    total: Counter[str] = Counter()
    for request in requests:
        total += spans_of(ExportTraceServiceRequest.FromString(request.body).resource_spans)
    return total


def test_a_request_waits_as_one_message_with_its_tenant_and_time(waiting: Waiting) -> None:
    body = requested([[span("a"), span("b")]]).SerializeToString()
    waiting.queue.send("shop", [body], RECEIVED_NS)
    (request,) = waiting.requests()
    assert (request.tenant, request.received_ns, request.body) == ("shop", RECEIVED_NS, body)


def test_each_body_is_a_request_of_its_own(waiting: Waiting) -> None:
    bodies = [requested([[span(name)]]).SerializeToString() for name in "abc"]
    waiting.queue.send("shop", bodies, RECEIVED_NS)
    assert sorted(request.body for request in waiting.requests()) == sorted(bodies)


def noisy(count: int, size_bytes: int) -> list[Span]:
    return [span(f"{n}", attributes={"n": noise(size_bytes)}) for n in range(count)]


LARGE: dict[str, Callable[[], ExportTraceServiceRequest]] = {
    "one scope": lambda: requested([noisy(400, 10 * KIB)]),
    "many scopes": lambda: requested([noisy(7, 10 * KIB) for _ in range(40)]),
    "many resources": lambda: requested(*([noisy(3, 10 * KIB)] for _ in range(100))),
    "one large span among many": lambda: requested([noisy(5, 10), noisy(1, 2 * MIB)], [noisy(5, 10)]),
}


@pytest.mark.parametrize("request_of", LARGE.values(), ids=LARGE.keys())
def test_a_large_request_is_cut_by_spans_and_loses_none(
    waiting: Waiting, request_of: Callable[[], ExportTraceServiceRequest]
) -> None:
    request = request_of()
    waiting.queue.send("shop", [request.SerializeToString()], RECEIVED_NS)
    records = waiting.records()
    requests = [unpacked(record, waiting.objects) for record in records]
    assert len(requests) > 1
    assert found(requests) == spans_of(request.resource_spans)
    assert {(one.tenant, one.received_ns) for one in requests} == {("shop", RECEIVED_NS)}
    for record, one in zip(records, requests, strict=True):
        assert len(record["body"]) <= MESSAGE_BODY_BYTES
        assert len(one.body) <= DECODED_BODY_BYTES


def test_a_span_too_large_for_any_message_goes_through_the_bucket(waiting: Waiting) -> None:
    request = requested([noisy(1, 2 * MIB)])
    waiting.queue.send("shop", [request.SerializeToString()], RECEIVED_NS)
    (record,) = waiting.records()
    key = record["messageAttributes"]["object"]["stringValue"]
    assert record["body"] == "-"
    assert key.startswith("shop/incoming/2026-09-21/")
    tags = waiting.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    assert tags == [{"Key": lifecycle.TAG, "Value": lifecycle.INCOMING}]
    assert unpacked(record, waiting.objects).body == request.SerializeToString()


def test_a_request_that_is_mostly_resource_is_not_cut_into_many_copies_of_it(waiting: Waiting) -> None:
    request = requested([[span(f"{n}") for n in range(200)]])
    request.resource_spans[0].resource.attributes.add(key="n").value.bytes_value = noise(2 * MIB)
    waiting.queue.send("shop", [request.SerializeToString()], RECEIVED_NS)
    (one,) = waiting.requests()
    assert one.body == request.SerializeToString()


def test_a_sender_that_repeats_itself_makes_no_second_object(waiting: Waiting) -> None:
    body = requested([noisy(1, 2 * MIB)]).SerializeToString()
    for _ in range(3):
        waiting.queue.send("shop", [body], RECEIVED_NS)
    assert waiting.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def test_a_request_beyond_all_limits_is_too_large(waiting: Waiting) -> None:
    with pytest.raises(TooLarge, match="is the limit"):
        waiting.queue.send("shop", [bytes(DECODED_BODY_BYTES + 1)], RECEIVED_NS)
    assert waiting.records() == []


def test_two_tenants_share_the_queue_but_no_message_and_no_object(waiting: Waiting) -> None:
    body = requested([noisy(1, 2 * MIB)]).SerializeToString()
    for tenant in ("shop", "shop-2"):
        waiting.queue.send(tenant, [body], RECEIVED_NS)
    records = waiting.records()
    said = [
        (r["messageAttributes"]["tenant"]["stringValue"], r["messageAttributes"]["object"]["stringValue"])
        for r in records
    ]
    assert sorted((tenant, key.split("/")[0]) for tenant, key in said) == [("shop", "shop"), ("shop-2", "shop-2")]


BODY = requested([[span("a")]]).SerializeToString()


@pytest.mark.parametrize(
    ("code", "status", "throttled"),
    [
        ("ThrottlingException", 400, True),
        ("RequestThrottled", 403, True),
        ("KmsThrottled", 400, True),
        ("ServiceUnavailable", 503, False),
        ("InternalFailure", 500, False),
        ("AccessDenied", 403, False),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, False),
        ("KmsDisabled", 400, False),
        ("InvalidClientTokenId", 403, False),
    ],
)
def test_whatever_sqs_refuses_the_sender_may_send_again(
    waiting: Waiting, code: str, status: int, throttled: bool
) -> None:
    with Stubber(waiting.sqs) as stub, pytest.raises(Overloaded, match=code) as raised:
        stub.add_client_error("send_message", code, http_status_code=status)
        waiting.queue.send("shop", [BODY], RECEIVED_NS)
    assert raised.value.throttled is throttled
    assert raised.value.retry_after_s > 0


@pytest.mark.parametrize(
    "fault",
    [
        ReadTimeoutError(endpoint_url="https://sqs"),
        ConnectTimeoutError(endpoint_url="https://sqs"),
        NoCredentialsError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_an_answer_that_never_came_is_an_overload(waiting: Waiting, fault: Exception) -> None:
    raise_before(waiting.sqs, "SendMessage", fault)
    with pytest.raises(Overloaded):
        waiting.queue.send("shop", [BODY], RECEIVED_NS)


def raise_before(aws_client: BaseClient, operation: str, fault: Exception) -> None:
    def no_answer(**_call: Any) -> None:
        raise fault

    aws_client.meta.events.register(f"before-call.*.{operation}", no_answer)


def test_a_request_of_which_a_part_is_refused_is_not_a_success(waiting: Waiting) -> None:
    """The part that was queued comes again when the sender repeats the request; that is harmless, a loss is not."""
    body = requested([noisy(400, 10 * KIB)]).SerializeToString()
    calls = iter(range(100))

    def every_third_fails(**_call: Any) -> None:
        if next(calls) == 2:
            raise ReadTimeoutError(endpoint_url="https://sqs")

    waiting.sqs.meta.events.register("before-call.*.SendMessage", every_third_fails)
    with pytest.raises(Overloaded):
        waiting.queue.send("shop", [body], RECEIVED_NS)
    queued_spans = sum(found(waiting.requests()).values())
    assert 0 < queued_spans < 400


def test_no_message_points_to_an_object_that_is_not_there(waiting: Waiting) -> None:
    with Stubber(waiting.s3) as stub, pytest.raises(Overloaded, match="SlowDown"):
        stub.add_client_error("put_object", "SlowDown", http_status_code=503)
        waiting.queue.send("shop", [requested([noisy(1, 2 * MIB)]).SerializeToString()], RECEIVED_NS)
    assert waiting.records() == []
