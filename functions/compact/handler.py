"""Lambda's entry point for one job: a merge, or a part of the trace index."""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import Any

from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.jobs import is_of_each, job_of
from spandrel.aws.ledger import DynamoLedger
from spandrel.aws.object_store import S3ObjectStore
from spandrel.aws.segments import DynamoSegments
from spandrel.model.levels import Job
from spandrel.model.retention import Retention
from spandrel.model.trace_index import Indexing, Rollup

from .indexer import Indexer
from .worker import Worker


def handle(event: dict[str, Any], _context: object) -> None:
    """A job, as `plan` hands it out. Raises when it is not done: Lambda tries twice more, then the next plan has it."""
    worker, indexer = _workers()
    match job_of(event):
        case Job() as blocks if is_of_each(event):
            worker.rewrite(blocks)
        case Job() as merge:
            worker.run(merge)
        case Indexing() as hour:
            indexer.index(hour)
        case Rollup() as window:
            indexer.roll_up(window)


@cache
def _workers() -> tuple[Worker, Indexer]:
    """The composition root: settings are read and clients made on the first call, not at import."""
    logging.getLogger("compact").setLevel(os.environ["SPANDREL_LOG_LEVEL"])
    dynamodb, table = client("dynamodb"), os.environ["SPANDREL_CATALOGUE_TABLE"]
    retention = Retention.from_text(os.environ["SPANDREL_RETENTION_DAYS"])
    catalogue = DynamoCatalogue(dynamodb, table, retention)
    objects = S3ObjectStore(client("s3"), os.environ["SPANDREL_BUCKET"])
    ledger = DynamoLedger(dynamodb, table, catalogue)
    return Worker(objects, ledger), Indexer(objects, ledger, DynamoSegments(dynamodb, table, retention))
