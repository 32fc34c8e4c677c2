"""`apis`: the main calls of every read API over one million stored spans, as compaction leaves them: milliseconds each,
and the bytes of the answer, as they are and as they are sent.

The function answers events as API Gateway hands them over, so JSON and gzip are in it; the network, S3 and DynamoDB are
not: the blocks are on the local disk, as for the second question about the same hours. Each question is about all ten
hours. Beside them stands what one statement over the same files takes: to count the spans by service.
"""

from __future__ import annotations

import base64
import gzip
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from query.answering import Answering
from spandrel.blocks.block_cache import BlockCache
from spandrel.blocks.database import Database
from spandrel.blocks.reader import BlockReader
from spandrel.blocks.tally import tallied
from spandrel.blocks.writer import WrittenBlock
from spandrel.model.levels import HOUR_NS
from spandrel.model.limits import MIB
from spandrel.query.reading import TraceStore
from tests.archive import MemoryObjects

from .asked import CALLS, HOURS, Asked
from .clocks import median_seconds
from .events import http_event
from .figures import Figure
from .links import of_its_hour
from .shelf import Shelf
from .stored import FIRST_HOUR_NS, stored_blocks

SPANS = 10**6
RUNS = 5
MEMORY_BYTES = 885 * MIB  # what `query` gives DuckDB of its 1,769 MiB
TENANT = "bench"
NOW_NS = FIRST_HOUR_NS + HOURS * HOUR_NS
ANY_ROUTE = "GET /api/{proxy+}"  # of the scope that all of them need
COUNTED = "SELECT service, count(*) FROM read_parquet(?) GROUP BY ALL"


def figures() -> Iterator[Figure]:
    """Three a call, then the yardstick's."""
    with tempfile.TemporaryDirectory() as name:
        shelf = Shelf(Path(name, "objects"))
        shelf.store(_counted(shelf))
        trace_id = pq.read_table(shelf.paths()[0], columns=["trace_id"]).column(0)[0].as_py().hex()
        with _answering(Path(name), shelf) as answering:
            for asked in CALLS:
                yield from _measured(answering, asked, trace_id)
        yield _yardstick(shelf)


def _counted(shelf: Shelf) -> Iterator[WrittenBlock]:
    """The blocks, and beside each the tally that a merge leaves."""
    for block in map(of_its_hour, stored_blocks(SPANS, HOURS, TENANT)):
        counted = tallied(block)
        for part, body in counted.bodies:
            shelf.put(counted.entry.part_key(part), body)
        yield replace(block, entry=counted.entry)


@contextmanager
def _answering(folder: Path, shelf: Shelf) -> Iterator[Answering]:
    cache = BlockCache(folder / "cache", shelf, 4096 * MIB)
    database = Database(cache.folder, folder / "spill", memory_bytes=MEMORY_BYTES, spill_bytes=1024 * MIB, threads=1)
    try:
        yield Answering(TraceStore(shelf, shelf.index, BlockReader(cache, database)), MemoryObjects(), lambda: NOW_NS)
    finally:
        database.close()


def _measured(answering: Answering, asked: Asked, trace_id: str) -> Iterator[Figure]:
    path, query, body = asked.of(trace_id)
    headers = {"accept-encoding": "gzip", "content-type": "application/json", **asked.headers}
    event = http_event("GET" if asked.body is None else "POST", path, headers, body, ANY_ROUTE)
    event["rawQueryString"] = query
    answer = answering.answer(event)
    assert answer["statusCode"] == 200, (asked.name, answer)
    sent, plain = _bodies(answer)
    yield Figure("apis", asked.name, 1000 * median_seconds(lambda: answering.answer(event), RUNS), "ms")
    yield Figure("apis", f"{asked.name}: answer", len(plain), "bytes")
    yield Figure("apis", f"{asked.name}: sent", len(sent), "bytes")


def _bodies(answer: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """An answer's body as it is sent, and without gzip."""
    sent = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    return sent, gzip.decompress(sent) if answer["headers"].get("content-encoding") == "gzip" else sent


def _yardstick(shelf: Shelf) -> Figure:
    with duckdb.connect(config={"threads": 1}) as connection:
        seconds = median_seconds(lambda: connection.execute(COUNTED, [shelf.paths()]).fetchall(), RUNS)
    return Figure("apis", "one statement that counts the spans by service", 1000 * seconds, "ms")
