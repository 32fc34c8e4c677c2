"""Lambda's entry point for spans that come in over HTTP."""

from __future__ import annotations

import logging
import os
import time
from functools import cache

from spandrel.aws.clients import client
from spandrel.aws.object_store import S3ObjectStore
from spandrel.aws.queue import SqsQueue
from spandrel.http.request import Event
from spandrel.http.response import Answer

from .receiver import Receiver


def handle(event: Event, _context: object) -> Answer:
    """An HTTP API's event (payload 2.0) -> its answer."""
    return _receiver().answer(event)


@cache
def _receiver() -> Receiver:
    """The composition root: settings are read and clients made on the first call, not at import."""
    logging.getLogger("receive").setLevel(os.environ["SPANDREL_LOG_LEVEL"])
    bucket = os.environ["SPANDREL_BUCKET"]
    objects = cache(lambda: S3ObjectStore(client("s3"), bucket))
    return Receiver(SqsQueue(client("sqs"), os.environ["SPANDREL_QUEUE_URL"], objects), time.time_ns)
