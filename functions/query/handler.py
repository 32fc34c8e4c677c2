"""Lambda's entry point for questions about traces, over HTTP."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from spandrel.aws.catalogue import PARALLEL_QUERIES, DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.object_store import S3ObjectStore
from spandrel.aws.segments import DynamoSegments
from spandrel.blocks.block_cache import PARALLEL_FETCHES, BlockCache
from spandrel.blocks.database import Database
from spandrel.blocks.reader import BlockReader
from spandrel.http.request import Event
from spandrel.http.response import Answer
from spandrel.model.limits import MIB
from spandrel.model.retention import Retention
from spandrel.query.reading import TraceStore

from .answering import Answering

VCPU_MIB = 1769  # of a function's memory for each vCPU that it gets (Lambda's guide, "Configure memory")
DEFAULT_MEMORY_MIB = 1769  # where it is not Lambda that runs this
DATABASE_SHARE = 0.5  # of the function's memory; rows and answers in Python need the rest
DISK_BYTES_MAX = 4096 * MIB  # of which a developer's machine has more than this should take
CACHE_SHARE, SPILL_SHARE = 0.7, 0.2  # of the disk


def handle(event: Event, _context: object) -> Answer:
    """An HTTP API's event (payload 2.0) -> its answer."""
    return _answering().answer(event)


@cache
def _answering() -> Answering:
    """The composition root: settings are read and clients made on the first call, not at import."""
    environment = os.environ
    logging.getLogger("query").setLevel(environment["SPANDREL_LOG_LEVEL"])
    objects = S3ObjectStore(client("s3", PARALLEL_FETCHES), environment["SPANDREL_BUCKET"])
    dynamodb, table = client("dynamodb", PARALLEL_QUERIES), environment["SPANDREL_CATALOGUE_TABLE"]
    retention = Retention.from_text(environment["SPANDREL_RETENTION_DAYS"])
    catalogue, segments = DynamoCatalogue(dynamodb, table, retention), DynamoSegments(dynamodb, table, retention)
    return Answering(TraceStore(catalogue, segments, _reader(objects)), objects, time.time_ns)


def _reader(objects: S3ObjectStore) -> BlockReader:
    folder = Path(tempfile.gettempdir(), f"spandrel-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    disk_bytes = min(shutil.disk_usage(folder).total, DISK_BYTES_MAX)
    memory_mib = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", DEFAULT_MEMORY_MIB))
    cache_of_blocks = BlockCache(folder / "blocks", objects, int(disk_bytes * CACHE_SHARE))
    database = Database(
        cache_of_blocks.folder,
        folder / "spill",
        memory_bytes=int(memory_mib * MIB * DATABASE_SHARE),
        spill_bytes=int(disk_bytes * SPILL_SHARE),
        threads=max(1, memory_mib // VCPU_MIB),
    )
    return BlockReader(cache_of_blocks, database)
