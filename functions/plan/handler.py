"""Lambda's entry point for the schedule: finds what should be merged, and what may be deleted."""

from __future__ import annotations

import logging
import os
import time
from functools import cache

from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.jobs import LambdaJobs
from spandrel.aws.ledger import DynamoLedger
from spandrel.aws.object_store import S3ObjectStore
from spandrel.model.retention import Retention

from .planner import Planner


def handle(_event: object, _context: object) -> dict[str, int]:
    """The schedule's event says nothing -> how many merges were handed out."""
    return {"jobs": _planner().run()}


@cache
def _planner() -> Planner:
    """The composition root: settings are read and clients made on the first call, not at import."""
    environment = os.environ
    logging.getLogger("plan").setLevel(environment["SPANDREL_LOG_LEVEL"])
    dynamodb, table = client("dynamodb"), environment["SPANDREL_CATALOGUE_TABLE"]
    catalogue = DynamoCatalogue(dynamodb, table, Retention.from_text(environment["SPANDREL_RETENTION_DAYS"]))
    return Planner(
        ledger=DynamoLedger(dynamodb, table, catalogue),
        objects=S3ObjectStore(client("s3"), environment["SPANDREL_BUCKET"]),
        jobs=LambdaJobs(client("lambda"), environment["SPANDREL_COMPACT_FUNCTION"]),
        clock_ns=time.time_ns,
        jobs_max=int(environment["SPANDREL_MERGES_A_MINUTE"]),
    )
