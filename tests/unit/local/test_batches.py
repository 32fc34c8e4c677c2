from __future__ import annotations

import json
from typing import Any

import pytest

from local.batches import failed, record
from local.runtime_api import Outcome

SENT = ("a", "b")


def outcome(answer: Any) -> Outcome:
    return Outcome(json.dumps(answer).encode())


def report(*identifiers: object) -> Outcome:
    return outcome({"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]})


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_a_report_without_failures_is_success(answer: object) -> None:
    assert failed(outcome(answer), SENT, reports_failures=True) == set()


def test_only_what_is_reported_stays_in_the_queue() -> None:
    assert failed(report("b"), SENT, reports_failures=True) == {"b"}


@pytest.mark.parametrize(
    "answer",
    [
        report(""),
        report(None),
        report("a", "somebody else's"),
        outcome({"batchItemFailures": [{"itemIdentifer": "a"}]}),
        outcome({"batchItemFailures": ["a"]}),
        outcome({"batchItemFailures": "a"}),
        outcome("fine"),
        outcome([]),
        Outcome(b"{}", "Unhandled"),
    ],
)
def test_a_malformed_report_and_an_error_fail_the_whole_batch(answer: Outcome) -> None:
    assert failed(answer, SENT, reports_failures=True) == set(SENT)


def test_without_reports_only_an_error_fails_a_batch() -> None:
    assert failed(report("a"), SENT, reports_failures=False) == set()
    assert failed(Outcome(b"", "Sandbox.Timedout"), SENT, reports_failures=False) == set(SENT)


def test_a_message_becomes_a_record_as_lambda_has_it() -> None:
    message = {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": "text",
        "MD5OfBody": "5",
        "Attributes": {"ApproximateReceiveCount": "1"},
        "MessageAttributes": {
            "tenant": {"StringValue": "shop", "DataType": "String"},
            "raw": {"BinaryValue": b"\x00\xff", "DataType": "Binary"},
        },
    }
    assert record(message, "arn:aws:sqs:eu-west-1:1:q") == {
        "messageId": "m",
        "receiptHandle": "r",
        "body": "text",
        "md5OfBody": "5",
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {
            "tenant": {"stringValue": "shop", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
            "raw": {"binaryValue": "AP8=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q",
        "awsRegion": "eu-west-1",
    }
