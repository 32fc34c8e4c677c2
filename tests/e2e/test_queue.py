from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.answers import failing
from local.interventions import (
    DeadLetter,
    dead_letters,
    end_visibility_timeouts,
    killing_the_caller,
    without_permission,
)
from local.stack import LocalStack

from .small.template import BATCH_SIZE


class Work:
    """The small stack's queue, and what came of the messages put there."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self._sqs, self._s3 = stack.client("sqs"), stack.client("s3")
        self._outputs = stack.stack.outputs

    def send(self, *names: str, do: str = "") -> None:
        for start in range(0, len(names), 10):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": json.dumps({"name": name, "do": do}),
                    "MessageAttributes": {"tenant": {"DataType": "String", "StringValue": "shop"}},
                }
                for number, name in enumerate(names[start : start + 10])
            ]
            self._sqs.send_message_batch(QueueUrl=self._outputs["Queue"], Entries=entries)

    def receipts(self, prefix: str) -> list[str]:
        """`name/receipt` of all messages that the function has seen."""
        found = self._s3.list_objects_v2(Bucket=self._outputs["Bucket"], Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def event(self, receipt: str) -> dict[str, Any]:
        """The event in which the function saw a message."""
        body = self._s3.get_object(Bucket=self._outputs["Bucket"], Key=receipt)["Body"].read()
        event: dict[str, Any] = json.loads(body)
        return event

    def wait_for_redelivery(self) -> None:
        end_visibility_timeouts(self.stack)
        self.stack.settle()

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._outputs["Queue"], AttributeNames=names)
        return sum(int(value) for value in asked["Attributes"].values())


@pytest.fixture
def work(small: LocalStack) -> Iterator[Work]:
    work = Work(small)
    yield work
    for _ in range(2):  # what a test left in the queue ends among the dead letters
        work.wait_for_redelivery()
    assert work.left() == 0


def test_a_message_reaches_the_function_once_and_is_deleted(work: Work) -> None:
    work.send("plain")
    work.stack.settle()
    work.wait_for_redelivery()
    assert work.receipts("plain/") == ["plain/1"]
    assert work.left() == 0
    (record,) = work.event("plain/1")["Records"]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith("Queue" + record["eventSourceARN"].rpartition("Queue")[2])
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["tenant"]["stringValue"] == "shop"


def test_many_messages_come_in_batches_of_the_mappings_size_at_most(work: Work) -> None:
    names = [f"many-{number:02}" for number in range(60)]
    work.send(*names)
    work.stack.settle()
    receipts = work.receipts("many-")
    assert receipts == [f"{name}/1" for name in names]
    sizes = [len(work.event(receipt)["Records"]) for receipt in receipts]
    assert max(sizes) <= BATCH_SIZE
    assert max(sizes) > 1


def test_only_what_failed_comes_again_and_then_ends_among_the_dead_letters(work: Work) -> None:
    work.send("good")
    work.send("bad", do="fail")
    work.stack.settle()
    assert work.left() == 1
    work.wait_for_redelivery()
    assert work.receipts("bad/") == ["bad/1", "bad/2"]
    work.wait_for_redelivery()
    assert work.receipts("good/") == ["good/1"]
    assert work.receipts("bad/") == ["bad/1", "bad/2"]
    assert DeadLetter(json.dumps({"name": "bad", "do": "fail"}), {"tenant": "shop"}) in dead_letters(work.stack)


@pytest.mark.parametrize("do", ["raise", "report nonsense"])
def test_an_error_or_a_malformed_report_brings_the_whole_batch_again(work: Work, do: str) -> None:
    names = [f"{do}-{number}" for number in range(3)]
    work.send(*names, do=do)
    work.stack.settle()
    assert work.left() == 3
    work.wait_for_redelivery()
    assert work.receipts(f"{do}-") == [f"{name}/{receipt}" for name in names for receipt in (1, 2)]


def test_a_message_that_could_not_be_deleted_comes_again(work: Work) -> None:
    with work.stack.faults.on("sqs", "DeleteMessageBatch", failing) as lost:
        work.send("twice")
        work.stack.settle()
    assert len(lost.met) == 1
    work.wait_for_redelivery()
    assert work.receipts("twice/") == ["twice/1", "twice/2"]


def test_the_queue_is_polled_under_the_functions_role(work: Work) -> None:
    with without_permission(work.stack, "work", "sqs:DeleteMessage"):
        work.send("undeletable")
        work.stack.settle()
    assert work.left() == 1
    work.wait_for_redelivery()
    assert work.receipts("undeletable/") == ["undeletable/1", "undeletable/2"]


def test_a_function_killed_in_the_middle_gets_the_message_again(work: Work) -> None:
    with work.stack.faults.on("s3", "PutObject", killing_the_caller(work.stack), times=1) as deaths:
        work.send("survivor")
        work.stack.settle()
    assert len(deaths.met) == 1
    assert work.receipts("survivor/") == []
    work.wait_for_redelivery()
    assert work.receipts("survivor/") == ["survivor/2"]
