"""`search`: the real query function over 1, 3 and 10 million spans in blocks as compaction leaves them, S3 and DynamoDB
played by moto: what CPU a question takes once its blocks are on the local disk (all of the function's, moto's own left
out: on AWS the services are others' CPU), and what it reads from S3 before.

Half of what is asked is about all the hours that are stored, half about one of them: what a question costs grows with
the blocks that its time range and the catalogue cannot rule out.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock
from urllib.parse import urlencode

from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.model.catalogue import Block
from spandrel.model.levels import HOUR_NS, hour_of
from spandrel.model.retention import Retention

from .aws import BUCKET, CATALOGUE, call, local_aws
from .counting import Bill
from .events import query_event
from .figures import Figure, Target
from .stored import stored_blocks

HOURS = 10
RUNS = 7
AS_UI_ASKS = {"query.searchDepth": "20"}  # Jaeger UI and Grafana, unless told otherwise
SLOW = {"query.serviceName": "service-7", "query.durationMin": "200ms"}
QUESTIONS: dict[str, dict[str, str]] = {
    "service + duration": SLOW | AS_UI_ASKS,
    "service + duration, 100 traces": SLOW | {"query.searchDepth": "100"},
    "a rare attribute value": {"query.attributes": json.dumps({"user.id": "user-4711"})} | AS_UI_ASKS,
    "a common attribute value": {"query.attributes": json.dumps({"http.response.status_code": "500"})} | AS_UI_ASKS,
    "no such attribute value": {"query.attributes": json.dumps({"url.path": "/nowhere"})} | AS_UI_ASKS,
}
QUICK_MS = Target("at most", 100)


def figures() -> Iterator[Figure]:
    """Milliseconds a question takes of one core once its blocks are there, and S3's part."""
    for millions in (1, 3, 10):
        yield from _figures_of(millions)


def _figures_of(millions: int) -> Iterator[Figure]:
    first_ns = hour_of(time.time_ns()) - HOURS * HOUR_NS
    bill = Bill()
    with tempfile.TemporaryDirectory() as folder, mock.patch("tempfile.tempdir", folder), local_aws(bill):
        blocks = _store(millions * 10**6, first_ns)
        for name, asked in QUESTIONS.items():
            whole = _asking(asked, first_ns, first_ns + HOURS * HOUR_NS)
            hour = _asking(asked, first_ns + HOUR_NS, first_ns + 2 * HOUR_NS)
            target = QUICK_MS if millions == 1 else None
            yield from _measured(f"{millions} million, {name}", whole, bill, Path(folder), target)
            yield from _measured(f"{millions} million, {name}, in one hour", hour, bill, Path(folder), None)
        yield Figure("search", f"{millions} million: stored", sum(block.size_bytes for block in blocks) / 1e6, "MB")
        yield Figure("search", f"{millions} million: blocks", len(blocks), "blocks")


def _store(spans: int, first_ns: int) -> list[Block]:
    """Puts the spans where the function finds them."""
    catalogue, s3 = DynamoCatalogue(client("dynamodb"), CATALOGUE, Retention.from_text("30")), client("s3")
    entries = []
    for block in stored_blocks(spans, HOURS, first_hour_ns=first_ns):
        s3.put_object(Bucket=BUCKET, Key=block.entry.key, Body=block.body)
        catalogue.add(block.entry)
        entries.append(block.entry)
    return entries


def _asking(asked: Mapping[str, str], start_ns: int, end_ns: int) -> str:
    times = {"query.startTimeMin": _text(start_ns), "query.startTimeMax": _text(end_ns)}
    return urlencode({**asked, **times})


def _text(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 10**9, UTC).isoformat().replace("+00:00", "Z")


def _measured(name: str, query: str, bill: Bill, folder: Path, target: Target | None) -> Iterator[Figure]:
    """First with nothing on the local disk, then with everything there."""
    for file in folder.rglob("*.parquet"):
        file.unlink()
    bill.units.clear()
    bill.read_bytes = 0
    _ask(query)
    yield Figure("search", f"{name}: S3 requests", bill.units["S3_GET"], "GETs")
    yield Figure("search", f"{name}: read from S3", bill.read_bytes / 1e6, "MB")
    yield Figure("search", f"{name}: from the local cache", 1000 * _own_seconds(query, bill), "ms", target)


def _own_seconds(query: str, bill: Bill) -> float:
    """CPU that the function takes for a question: the least of some runs, since what else runs can only add to it."""
    return min(_own_seconds_once(query, bill) for _ in range(RUNS))


def _own_seconds_once(query: str, bill: Bill) -> float:
    began, played = time.process_time(), bill.played_seconds
    with bill.moto_timed():
        _ask(query)
    return time.process_time() - began - (bill.played_seconds - played)


def _ask(query: str) -> None:
    event = query_event("/api/v3/trace-summaries") | {"rawQueryString": query}
    answer = call("query", event)
    assert answer["statusCode"] == 200, answer
