"""Lambda's entry point for one merge."""

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
from spandrel.model.retention import Retention

from .worker import Worker


def handle(event: dict[str, Any], _context: object) -> None:
    """A job, as `plan` hands it out. Raises when it is not done: Lambda tries twice more, then the next plan has it."""
    worker, job = _worker(), job_of(event)
    if is_of_each(event):
        worker.rewrite(job)
    else:
        worker.run(job)


@cache
def _worker() -> Worker:
    """The composition root: settings are read and clients made on the first call, not at import."""
    logging.getLogger("compact").setLevel(os.environ["SPANDREL_LOG_LEVEL"])
    dynamodb, table = client("dynamodb"), os.environ["SPANDREL_CATALOGUE_TABLE"]
    catalogue = DynamoCatalogue(dynamodb, table, Retention.from_text(os.environ["SPANDREL_RETENTION_DAYS"]))
    return Worker(S3ObjectStore(client("s3"), os.environ["SPANDREL_BUCKET"]), DynamoLedger(dynamodb, table, catalogue))
