"""AWS for benchmarks: moto in this process, with the resources and variables that the functions need."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from unittest import mock

from moto import mock_aws

from spandrel.aws import clients
from spandrel.aws.jobs import LambdaJobs
from spandrel.aws.keys import KeyTable
from spandrel.model.keys import ApiKey, digest_of, new_key

from .counting import Bill

BUCKET, CATALOGUE, KEYS = "bucket", "catalogue", "keys"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDBENCH",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
ROOTS = {  # the functions' composition roots, which keep what they made
    "receive": ("_receiver",),
    "authorize": ("_authorizer",),
    "store": ("_batch",),
    "plan": ("_rounds",),
    "compact": ("_workers",),
    "query": ("_answering",),
}


@dataclass(frozen=True, slots=True)
class Aws:
    """What benchmarks look at behind the functions' backs. `key` opens the API."""

    key: str
    queue_url: str
    jobs: list[dict[str, Any]]
    sqs: Any
    s3: Any

    def take_messages(self) -> list[dict[str, Any]]:
        """All messages that wait, taken off the queue."""
        taken: list[dict[str, Any]] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
            messages = answer.get("Messages", [])
            if not messages:
                return taken
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            taken += messages

    def handed_out(self) -> list[dict[str, Any]]:
        """The merges that `plan` handed out."""
        jobs, self.jobs[:] = list(self.jobs), []
        return jobs

    def kept_bytes(self) -> int:
        """Of the blocks that merges made and what lies beside them; of all objects where there was no merge."""
        objects = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        kept = [one["Size"] for one in objects if not _is_fresh(one["Key"])]
        return sum(kept or [one["Size"] for one in objects])


def _is_fresh(key: str) -> bool:
    """Whether it is a block that `store` wrote; merges number theirs."""
    return "/blocks/" in key and key.removesuffix(".parquet")[-2] != "-"


@dataclass(frozen=True, slots=True)
class Resources:
    """What the functions are told of, and a key that opens the API."""

    variables: dict[str, str]
    key: str


def made_resources() -> Resources:
    """Makes bucket, queues and tables where botocore is pointed to."""
    sqs, s3, dynamodb = (clients.client(service) for service in ("sqs", "s3", "dynamodb"))
    s3.create_bucket(Bucket=BUCKET)
    queue_url, dead_url = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("queue", "dead"))
    _make_table(dynamodb, CATALOGUE, "pk", "sk")
    _make_table(dynamodb, KEYS, "pk")
    key = new_key()
    KeyTable(dynamodb, KEYS).add(ApiKey(digest_of(key), "bench", ("ingest", "query"), "bench", "2026-11-22T00:00:00Z"))
    variables = {
        "SPANDREL_QUEUE_URL": queue_url,
        "SPANDREL_DEAD_LETTER_QUEUE_URL": dead_url,
        "SPANDREL_BUCKET": BUCKET,
        "SPANDREL_CATALOGUE_TABLE": CATALOGUE,
        "SPANDREL_KEY_TABLE": KEYS,
        "SPANDREL_RETENTION_DAYS": "30",
        "SPANDREL_COMPACT_FUNCTION": "compact",
        "SPANDREL_MERGES_A_MINUTE": "4",
        "SPANDREL_LOG_LEVEL": "WARNING",
    }
    return Resources(variables, key)


@contextmanager
def local_aws(bill: Bill) -> Iterator[Aws]:
    """An empty AWS with Spandrel's resources; calls of the functions are counted on the bill."""
    with mock.patch.dict(os.environ, CREDENTIALS), mock_aws():
        _forget()
        resources = made_resources()
        jobs: list[dict[str, Any]] = []
        catcher = mock.patch.object(LambdaJobs, "__init__", lambda own, _client, _name: _catch(own, jobs))
        with mock.patch.dict(os.environ, resources.variables), catcher:
            queue_url = resources.variables["SPANDREL_QUEUE_URL"]
            aws = Aws(resources.key, queue_url, jobs, clients.client("sqs"), clients.client("s3"))
            clients._session.cache_clear()
            bill.watch(clients._session())
            yield aws
        _forget()


def call(function: str, event: Any) -> Any:
    """What a function answers to an event."""
    return import_module(f"{function}.handler").handle(event, None)


def _catch(own: LambdaJobs, jobs: list[dict[str, Any]]) -> None:
    """A LambdaJobs whose invocations are kept for the benchmark to make."""

    class Caught:
        def invoke(self, **call: Any) -> None:
            jobs.append(json.loads(call["Payload"]))

    own._lambda, own._function = Caught(), "compact"


def _forget() -> None:
    clients._session.cache_clear()
    for function, roots in ROOTS.items():
        module = import_module(f"{function}.handler")
        for root in roots:
            getattr(module, root).cache_clear()


def _make_table(dynamodb: Any, name: str, *keys: str) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
    )
