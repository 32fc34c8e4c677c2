"""Lambda's entry point for two schedules: the planner's, which finds what should be merged and what may be deleted, and
the keeper's.
"""

from __future__ import annotations

import logging
import os
import time
from functools import cache
from typing import Any

from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.deletions import DeletionBook
from spandrel.aws.jobs import LambdaJobs
from spandrel.aws.kept_days import KeptDays
from spandrel.aws.ledger import DynamoLedger
from spandrel.aws.object_store import S3ObjectStore
from spandrel.aws.segments import DynamoSegments
from spandrel.model.retention import Retention

from .keeper import Keeper
from .planner import Planner


def handle(event: dict[str, Any], _context: object) -> dict[str, int]:
    """A schedule's event -> how many merges were handed out, or rewrites where it asks for the keeper's round."""
    planner, keeper = _rounds()
    return {"jobs": keeper.run() if event.get("round") == "keeping" else planner.run()}


@cache
def _rounds() -> tuple[Planner, Keeper]:
    """The composition root: settings are read and clients made on the first call, not at import."""
    environment = os.environ
    logging.getLogger("plan").setLevel(environment["SPANDREL_LOG_LEVEL"])
    dynamodb, table = client("dynamodb"), environment["SPANDREL_CATALOGUE_TABLE"]
    retention = Retention.from_text(environment["SPANDREL_RETENTION_DAYS"])
    ledger = DynamoLedger(dynamodb, table, DynamoCatalogue(dynamodb, table, retention))
    segments = DynamoSegments(dynamodb, table, retention)
    objects = S3ObjectStore(client("s3"), environment["SPANDREL_BUCKET"])
    jobs = LambdaJobs(client("lambda"), environment["SPANDREL_COMPACT_FUNCTION"])
    jobs_max = int(environment["SPANDREL_MERGES_A_MINUTE"])
    days, book = KeptDays(dynamodb, table), DeletionBook(dynamodb, table, objects)
    return (
        Planner(ledger, segments, objects, jobs, time.time_ns, jobs_max),
        Keeper(days, book, ledger, segments, objects, jobs, retention, time.time_ns, jobs_max),
    )
