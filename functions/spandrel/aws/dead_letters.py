"""The dead-letter queue, for what `store` gives up itself: the message as it came, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.client import BaseClient

from .faults import told_apart

REASON_CHARACTERS = 1000


class SqsDeadLetters:
    """Sends messages on to one queue, with a `reason` attribute."""

    def __init__(self, sqs: BaseClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, record: Mapping[str, Any], reason: str) -> None:
        kept = {
            name: {"DataType": "String", "StringValue": value["stringValue"]}
            for name, value in record.get("messageAttributes", {}).items()
            if value.get("stringValue")
        }
        said = {"DataType": "String", "StringValue": _sendable(reason)}
        with told_apart("sending to the dead-letter queue"):
            self._sqs.send_message(
                QueueUrl=self._queue_url, MessageBody=record["body"], MessageAttributes=kept | {"reason": said}
            )


def _sendable(text: str) -> str:
    """SQS refuses control characters; a reason can quote what a client sent."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:REASON_CHARACTERS])
