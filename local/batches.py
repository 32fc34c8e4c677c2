"""SQS messages as events of Lambda, and what a function's answer says of them (format: "Using Lambda with SQS")."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from typing import Any

from .runtime_api import Outcome

Record = dict[str, Any]


def record(message: Mapping[str, Any], queue_arn: str) -> Record:
    """One message, as ReceiveMessage gives it, as one record of the event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute


def failed(outcome: Outcome, sent: Collection[str], *, reports_failures: bool) -> set[str]:
    """The ids, of those sent, that stay in the queue.

    All of them after an error, and after a report that names anything but ids that were sent; without
    ReportBatchItemFailures an answer, whatever it says, is success.
    """
    if outcome.error:
        return set(sent)
    if not reports_failures:
        return set()
    answer = json.loads(outcome.payload)
    if answer is None:
        return set()
    reported = answer.get("batchItemFailures") if isinstance(answer, dict) else "nothing that Lambda knows"
    if reported is None:
        return set()
    named = {_identifier(item) for item in reported} if isinstance(reported, list) else {""}
    return named if named <= set(sent) else set(sent)


def _identifier(item: object) -> str:
    identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
    return identifier if isinstance(identifier, str) else ""
