from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import poller as module
from local.deployed import QueueMapping
from local.poller import Poller
from local.runtime_api import Outcome

MIB = 1024 * 1024


def message(name: str, size: int = 0) -> dict[str, Any]:
    return {"MessageId": name, "ReceiptHandle": f"receipt of {name}", "Body": name + "x" * size, "MD5OfBody": "5"}


@dataclass
class Sqs:
    """A queue that holds these messages; received ones are gone from it.

    The `later` ones come, announced, when it is found empty. The first `deaf` calls fail.
    """

    messages: list[dict[str, Any]]
    later: list[dict[str, Any]] = field(default_factory=list)
    deaf: int = 0
    deleted: list[str] = field(default_factory=list)
    announce: Callable[[], object] = lambda: None

    def receive_message(self, MaxNumberOfMessages: int, **_: object) -> dict[str, Any]:  # noqa: N803
        if self.deaf:
            self.deaf -= 1
            raise ClientError({"Error": {"Code": "RequestThrottled"}}, "ReceiveMessage")
        taken = self.messages[:MaxNumberOfMessages]
        del self.messages[:MaxNumberOfMessages]
        if not taken and self.later:
            self.messages, self.later = self.later, []
            self.announce()
        return {"Messages": taken} if taken else {}

    def delete_message_batch(self, Entries: Sequence[dict[str, str]], **_: object) -> None:  # noqa: N803
        self.deleted += [entry["ReceiptHandle"].removeprefix("receipt of ") for entry in Entries]


@dataclass
class Function:
    """Keeps the names of each batch, and reports those as failed that begin with `bad`."""

    batches: list[list[str]] = field(default_factory=list)
    payload_bytes: int = 0

    async def __call__(self, payload: bytes) -> Outcome:
        self.payload_bytes = max(self.payload_bytes, len(payload))
        names = [record["messageId"] for record in json.loads(payload)["Records"]]
        self.batches.append(names)
        failures = [{"itemIdentifier": name} for name in names if name.startswith("bad")]
        return Outcome(json.dumps({"batchItemFailures": failures}).encode())


def polled(sqs: Sqs, function: Function, *, batch_size: int = 1000, window_s: float = 0) -> None:
    """Lets the poller run until the queue has settled."""

    async def work() -> None:
        mapping = QueueMapping("f", "url", "arn:aws:sqs:us-east-1:1:q", batch_size, window_s, True, 30)
        poller = Poller(mapping, sqs, function)
        sqs.announce = partial(asyncio.get_running_loop().call_soon_threadsafe, poller.announce)
        running = asyncio.create_task(poller.run())
        await asyncio.wait_for(poller.settled(), 30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(work())


def test_a_batch_closes_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_MAX_S", 60.0)
    sqs, function = Sqs([message(f"{number:02}") for number in range(50)]), Function()
    polled(sqs, function, batch_size=25, window_s=60)
    assert [len(batch) for batch in function.batches] == [25, 25]
    assert sorted(name for batch in function.batches for name in batch) == [f"{number:02}" for number in range(50)]


def test_a_batch_closes_before_it_outgrows_what_lambda_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_MAX_S", 60.0)
    sqs, function = Sqs([message(f"{number}", MIB - 1000) for number in range(12)]), Function()
    polled(sqs, function, batch_size=12, window_s=1)
    assert [len(batch) for batch in function.batches] == [6, 6]
    assert function.payload_bytes <= 6 * MIB


def test_messages_of_one_window_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_MAX_S", 60.0)
    sqs, function = Sqs([message("first")], later=[message("second")]), Function()
    polled(sqs, function, batch_size=2, window_s=60)
    assert function.batches == [["first", "second"]]


def test_what_is_not_reported_as_failed_is_deleted_ten_at_a_time_at_most() -> None:
    names = [f"{number:02}" for number in range(14)]
    sqs, function = Sqs([message(name) for name in [*names, "bad"]]), Function()
    polled(sqs, function, window_s=0.05)
    assert sorted(sqs.deleted) == names


def test_a_queue_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    sqs, function = Sqs([message("patient")], deaf=3), Function()
    polled(sqs, function)
    assert sqs.deleted == ["patient"]
