"""The function `receive`, from its environment to a message that `store` can read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.client import BaseClient

from receive import handler
from spandrel.aws.clients import client
from spandrel.aws.object_store import S3ObjectStore
from spandrel.aws.queued import unpacked
from tests.events import http_event
from tests.wire.sending import decoded, recorded

from .test_queue import record_of

PYTHON_SDK = recorded("otlp-python-protobuf")


@pytest.fixture
def queue_url(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    url = client("sqs").create_queue(QueueName="waiting")["QueueUrl"]
    for name, value in {"QUEUE_URL": url, "BUCKET": "spans", "LOG_LEVEL": "WARNING"}.items():
        monkeypatch.setenv(f"SPANDREL_{name}", value)
    handler._receiver.cache_clear()
    yield url
    handler._receiver.cache_clear()


def messages(sqs: BaseClient, url: str) -> list[dict[str, object]]:
    answer = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=0)
    return list(answer.get("Messages", []))


def test_what_an_sdk_sends_waits_for_store(queue_url: str) -> None:
    answer = handler.handle(http_event(headers=PYTHON_SDK.headers, body=PYTHON_SDK.body), None)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    (message,) = messages(client("sqs"), queue_url)
    request = unpacked(record_of(message), S3ObjectStore(client("s3"), "spans"))
    assert request.tenant == "shop"
    assert request.body == decoded(PYTHON_SDK).otlp.SerializeToString()


def test_without_its_queue_it_asks_the_sender_to_come_again(queue_url: str) -> None:
    client("sqs").delete_queue(QueueUrl=queue_url)
    answer = handler.handle(http_event(headers=PYTHON_SDK.headers, body=PYTHON_SDK.body), None)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "30")


def test_it_makes_its_clients_once(queue_url: str) -> None:
    event = http_event(headers=PYTHON_SDK.headers, body=PYTHON_SDK.body)
    handler.handle(event, None)
    handler.handle(event, None)
    assert handler._receiver.cache_info().misses == 1
