from __future__ import annotations

import json
import time

import pytest

from local.answers import Answer, failing, throttled
from local.calls import AwsCall
from local.faults import Fault
from local.interventions import dead_letters, end_visibility_timeouts, killing_the_caller
from local.stack import LocalStack
from tests.builders import request_of, span

from .spandrel import Client, client_of_tenant, new_tenant, new_trace_id, spans_sent


@pytest.fixture
def client(spandrel: LocalStack) -> Client:
    return Client(spandrel)


def redeliver(client: Client) -> None:
    """What is still in the queue is delivered again."""
    end_visibility_timeouts(client.stack)
    client.stack.settle()


def objects(client: Client) -> set[str]:
    s3, bucket = client.stack.client("s3"), client.stack.stack.outputs["Bucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {each["Key"] for page in pages for each in page.get("Contents", [])}


def test_messages_that_come_again_change_nothing(client: Client) -> None:
    trace_id = new_trace_id()
    request = request_of(*(span(f"again {number}", trace_id=trace_id, start_ns=time.time_ns()) for number in range(3)))
    with client.stack.faults.on("sqs", "DeleteMessageBatch", failing):
        client.store(request)
        redeliver(client)
    redeliver(client)
    assert client.trace(trace_id) == spans_sent(request)


@pytest.mark.parametrize(("service", "operation"), [("s3", "PutObject"), ("dynamodb", "PutItem")])
def test_store_killed_at_any_step_loses_and_doubles_nothing(client: Client, service: str, operation: str) -> None:
    trace_id = new_trace_id()
    request = request_of(span("survivor", trace_id=trace_id, start_ns=time.time_ns()))
    with client.stack.faults.on(service, operation, killing_the_caller(client.stack), times=1) as death:
        client.store(request)
    assert len(death.met) == 1
    assert not client.trace(trace_id)
    redeliver(client)
    assert client.trace(trace_id) == spans_sent(request)


@pytest.mark.parametrize("fault", [throttled, failing])
@pytest.mark.parametrize(("service", "operation"), [("s3", "PutObject"), ("dynamodb", "PutItem")])
def test_what_cannot_be_stored_for_a_while_is_stored_later(
    client: Client, service: str, operation: str, fault: Fault
) -> None:
    trace_id = new_trace_id()
    request = request_of(span("patient", trace_id=trace_id, start_ns=time.time_ns()))
    with client.stack.faults.on(service, operation, fault):
        client.store(request)
        assert not client.trace(trace_id)
    redeliver(client)
    assert client.trace(trace_id) == spans_sent(request)


def some_refused(call: AwsCall) -> Answer:
    """SQS takes none of a batch, though it answers 200."""
    entries = json.loads(call.request.body)["Entries"]
    failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in entries]
    return Answer(200, "application/x-amz-json-1.0", json.dumps({"Successful": [], "Failed": failed}))


@pytest.mark.parametrize("fault", [throttled, failing, some_refused])
def test_what_cannot_be_queued_is_refused_with_the_time_to_try_again(client: Client, fault: Fault) -> None:
    request = request_of(span("unqueued", trace_id=new_trace_id(), start_ns=time.time_ns()))
    sending = client.stack.faults
    with sending.on("sqs", "SendMessage", fault), sending.on("sqs", "SendMessageBatch", fault):
        refused = client.send(request)
    assert refused.status in {429, 503}
    assert int(refused.header("retry-after")) > 0
    assert client.send(request).status == 200


def test_a_poison_message_ends_among_the_dead_letters_and_holds_nobody_up(client: Client) -> None:
    trace_id = new_trace_id()
    request = request_of(span("beside", trace_id=trace_id, start_ns=time.time_ns()))
    sqs = client.stack.client("sqs")
    (mapping,) = (poller.mapping for poller in client.stack.services.pollers)
    attributes = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in {"tenant": "default", "received": str(time.time_ns())}.items()
    }
    sqs.send_message(QueueUrl=mapping.queue_url, MessageBody="bm9uc2Vuc2U=", MessageAttributes=attributes)
    client.store(request)
    assert client.trace(trace_id) == spans_sent(request)
    (dead,) = [letter for letter in dead_letters(client.stack) if letter.body == "bm9uc2Vuc2U="]
    assert dead.attributes["reason"]


@pytest.mark.parametrize("damage", ["overwritten", "deleted"])
def test_a_damaged_block_is_reported_and_the_others_still_answer(spandrel: LocalStack, damage: str) -> None:
    client = client_of_tenant(spandrel, new_tenant())
    trace_id, before = new_trace_id(), objects(client)
    client.store(request_of(span("lost", trace_id=trace_id, start_ns=time.time_ns())))
    (block,) = objects(client) - before
    request = request_of(span("kept", trace_id=trace_id, start_ns=time.time_ns()))
    client.store(request)
    s3, bucket = client.stack.client("s3"), client.stack.stack.outputs["Bucket"]
    if damage == "deleted":
        s3.delete_object(Bucket=bucket, Key=block)
    else:
        s3.put_object(Bucket=bucket, Key=block, Body=b"nonsense")
    assert client.trace(trace_id) == spans_sent(request)
    reply = client.get(f"/api/v3/traces/{trace_id.hex()}")
    assert reply.header("spandrel-unread-blocks") == "1"
    assert block in client.stack.log_path.read_text()
