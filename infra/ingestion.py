"""Spans in: `receive` puts requests on the queue, `store` makes blocks of what waits there."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.function import Function
from infra.packaging import Packages
from infra.settings import Settings
from infra.storage import Storage
from spandrel.model import lifecycle

RECEIVE_TIMEOUT = cdk.Duration.seconds(29)  # API Gateway gives up after 30
STORE_TIMEOUT_S = 60
BATCH_MESSAGES = 10_000  # the most that Lambda gathers; 6 MB of them end a batch first, or the window does
RECEIVES_MAX = 5  # how often a message is tried before it goes to the dead-letter queue


class Ingestion(Construct):
    """`receive`, `queue`, `dead_letters` and `store`."""

    def __init__(self, scope: Construct, settings: Settings, packages: Packages, storage: Storage) -> None:
        super().__init__(scope, "Ingestion")
        self.visibility_s = _visibility_s(settings)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(lifecycle.DEAD_LETTER_DAYS),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(lifecycle.QUEUE_DAYS),
            visibility_timeout=cdk.Duration.seconds(self.visibility_s),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=RECEIVES_MAX),
        )
        self.receive = self._receive(settings, packages, storage)
        self.store = self._store(settings, packages, storage)

    def _receive(self, settings: Settings, packages: Packages, storage: Storage) -> Function:
        receive = Function(
            self,
            "receive",
            description="Takes spans in over HTTP and queues them",
            settings=settings,
            package=packages["receive"],
            timeout=RECEIVE_TIMEOUT,
            environment={
                "SPANDREL_QUEUE_URL": self.queue.queue_url,
                "SPANDREL_BUCKET": storage.bucket.bucket_name,
            },
            answers_requests=True,
        )
        receive.may("sqs:SendMessage", on=self.queue.queue_arn)
        storage.let(receive, "s3:PutObject", "s3:PutObjectTagging", to="incoming")
        return receive

    def _store(self, settings: Settings, packages: Packages, storage: Storage) -> Function:
        store = Function(
            self,
            "store",
            description="Turns queued requests into one block of spans and its catalogue entry",
            settings=settings,
            package=packages["store"],
            timeout=cdk.Duration.seconds(STORE_TIMEOUT_S),
            environment={
                "SPANDREL_DEAD_LETTER_QUEUE_URL": self.dead_letters.queue_url,
                "SPANDREL_BUCKET": storage.bucket.bucket_name,
                "SPANDREL_CATALOGUE_TABLE": storage.catalogue.table_name,
                "SPANDREL_RETENTION_DAYS": settings.retention_text,
            },
            answers_requests=False,
        )
        # What Lambda's poller does in the function's name; the grant of CDK would add two actions it never uses.
        store.may("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on=self.queue.queue_arn)
        store.may("sqs:SendMessage", on=self.dead_letters.queue_arn)
        storage.let(store, "s3:GetObject", to="incoming")
        storage.let_tell_missing(store)
        storage.let(store, "s3:PutObject", "s3:PutObjectTagging", to="blocks")
        store.may("dynamodb:PutItem", on=storage.catalogue.table_arn)
        lambda_.EventSourceMapping(
            self,
            "Batches",
            target=store.live,
            event_source_arn=self.queue.queue_arn,
            batch_size=BATCH_MESSAGES,
            max_batching_window=cdk.Duration.seconds(settings.batching_window_s),
            max_concurrency=settings.store_concurrency,
            report_batch_item_failures=True,
        )
        return store


def _visibility_s(settings: Settings) -> int:
    """Six times the function's timeout and the window (Lambda's guide, "Using Lambda with Amazon SQS").

    Any shorter, and a batch that Lambda holds back because the function is throttled comes out of the queue twice.
    """
    return 6 * STORE_TIMEOUT_S + settings.batching_window_s
