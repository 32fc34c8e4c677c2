"""Lambda's entry point for batches of SQS messages: requests become blocks."""

from __future__ import annotations

import json
import logging
import os
from functools import cache
from typing import Any

from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.dead_letters import SqsDeadLetters
from spandrel.aws.object_store import S3ObjectStore
from spandrel.model.retention import Retention

from .batch import Batch

_log = logging.getLogger("store")


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """An SQS event -> the messages that SQS should give back (Lambda's partial batch answer)."""
    outcome = _batch().store(event["Records"])
    for what, messages in (("delivered again", outcome.again), ("given up", outcome.given_up)):
        if messages:
            _log.warning(json.dumps({"message": f"messages {what}", "reasons": messages}, ensure_ascii=False))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in outcome.again]}


@cache
def _batch() -> Batch:
    """The composition root: settings are read and clients made on the first call, not at import."""
    environment = os.environ
    _log.setLevel(environment["SPANDREL_LOG_LEVEL"])
    return Batch(
        objects=S3ObjectStore(client("s3"), environment["SPANDREL_BUCKET"]),
        catalogue=DynamoCatalogue(
            client("dynamodb"),
            environment["SPANDREL_CATALOGUE_TABLE"],
            Retention.from_text(environment["SPANDREL_RETENTION_DAYS"]),
        ),
        dead_letters=SqsDeadLetters(client("sqs"), environment["SPANDREL_DEAD_LETTER_QUEUE_URL"]),
    )
