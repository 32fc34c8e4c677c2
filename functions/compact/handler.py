"""Lambda's entry point for compaction: the schedule plans, messages are merges to do."""

from __future__ import annotations

import json
import logging
import os
import time
from functools import cache
from typing import Any

from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.jobs import SqsJobs, job_of
from spandrel.aws.ledger import DynamoLedger
from spandrel.aws.object_store import S3ObjectStore
from spandrel.model.errors import Overloaded

from .planner import Planner
from .worker import Worker

_log = logging.getLogger("compact")


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """An SQS event -> the messages that SQS should give back; any other event (the schedule's) -> jobs handed out."""
    if "Records" not in event:
        return {"jobs": _planner().run()}
    again = {}
    for record in event["Records"]:
        try:
            _worker().run(job_of(record))
        except Overloaded as why:
            again[record["messageId"]] = str(why)
    if again:
        _log.warning(json.dumps({"message": "merges delivered again", "reasons": again}))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


@cache
def _ledger() -> DynamoLedger:
    _log.setLevel(os.environ["SPANDREL_LOG_LEVEL"])
    dynamodb, table = client("dynamodb"), os.environ["SPANDREL_CATALOGUE_TABLE"]
    return DynamoLedger(dynamodb, table, DynamoCatalogue(dynamodb, table, int(os.environ["SPANDREL_RETENTION_DAYS"])))


@cache
def _objects() -> S3ObjectStore:
    return S3ObjectStore(client("s3"), os.environ["SPANDREL_BUCKET"])


@cache
def _planner() -> Planner:
    jobs = SqsJobs(client("sqs"), os.environ["SPANDREL_JOB_QUEUE_URL"])
    return Planner(_ledger(), _objects(), jobs, time.time_ns)


@cache
def _worker() -> Worker:
    return Worker(_objects(), _ledger())
