"""Counts AWS calls as AWS bills them, where botocore is about to make them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from moto.core.botocore_stubber import BotocoreStubber

from . import prices

TRANSACTION = 2  # DynamoDB bills what a transaction writes twice


class Bill:
    """Units by what they are priced as. `watch` counts every call of a botocore session from then on.

    `read_bytes` are those that S3 gave, which cost nothing within a region but time. `played_seconds`: CPU that
    moto took to play the services, in this process, where on AWS others take it.
    """

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()
        self.read_bytes = 0
        self.played_seconds = 0.0

    def watch(self, session: Any) -> None:
        session.register("before-parameter-build", self._called)
        session.register("after-call.s3.GetObject", self._given)

    @contextmanager
    def moto_timed(self) -> Iterator[None]:
        """Counts what moto takes, each thread's CPU."""
        answer = BotocoreStubber.__call__

        def timed(stubber: BotocoreStubber, *given: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return answer(stubber, *given, **named)
            finally:
                self.played_seconds += time.thread_time() - began

        with mock.patch.object(BotocoreStubber, "__call__", timed):
            yield

    def _given(self, parsed: dict[str, Any], **_: Any) -> None:
        self.read_bytes += parsed.get("ContentLength", 0)

    def _called(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        match model.service_model.service_name, model.name:
            case "sqs", "SendMessage":
                self.units["SQS_UNIT"] += sqs_units(params)
            case "s3", "PutObject":
                self.units["S3_PUT"] += 1
            case "s3", "GetObject":
                self.units["S3_GET"] += 1
            case "s3", "DeleteObjects":
                return  # free
            case "dynamodb", "PutItem":
                self.units["DYNAMODB_WRITE"] += write_units(params["Item"])
            case "dynamodb", "DeleteItem" | "UpdateItem":
                self.units["DYNAMODB_WRITE"] += 1
            case "dynamodb", "TransactWriteItems":
                self.units["DYNAMODB_WRITE"] += sum(map(_step_units, params["TransactItems"]))
            case "dynamodb", "BatchGetItem":
                keys = sum(len(table["Keys"]) for table in params["RequestItems"].values())
                self.units["DYNAMODB_READ"] += keys
            case "dynamodb", "GetItem" | "Query":
                self.units["DYNAMODB_READ"] += 1
            case "lambda", "Invoke":
                return  # the invocation is counted where it happens
            case service, operation:
                raise LookupError(f"nobody has said what {service}:{operation} costs")


def sqs_units(message: dict[str, Any]) -> int:
    """SQS bills 64 KiB of body and attributes (names, types, values) as one request."""
    attributes = message.get("MessageAttributes", {})
    size = len(message["MessageBody"]) + sum(
        len(name) + len(value["DataType"]) + len(value["StringValue"]) for name, value in attributes.items()
    )
    return units(size, prices.SQS_UNIT_BYTES)


def write_units(item: dict[str, Any]) -> int:
    """DynamoDB bills each begun KB of an item: its attributes' names and values."""
    return units(item_bytes(item), prices.DYNAMODB_WRITE_BYTES)


def item_bytes(item: dict[str, Any]) -> int:
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def units(size_bytes: int, unit_bytes: int) -> int:
    """Begun units, at least one."""
    return max(1, -(-size_bytes // unit_bytes))


def _value_bytes(value: dict[str, Any]) -> int:
    """DynamoDB's developer guide, "DynamoDB item sizes and formats"."""
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "B":
            return len(held)
        case "N":
            return (len(held) + 1) // 2 + 1
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in held)
        case "M":
            return 3 + item_bytes(held) + len(held)
        case "SS":
            return sum(len(each.encode()) for each in held)
        case _:
            return 1


def _step_units(step: dict[str, Any]) -> int:
    return TRANSACTION * (write_units(step["Put"]["Item"]) if "Put" in step else 1)
