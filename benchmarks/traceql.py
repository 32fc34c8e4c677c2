"""`traceql`: twelve searches and four metrics over one million and over ten million spans, as compaction leaves them.

With the blocks on the local disk, as for the second question about the same hours, on two threads. One million spans
lie in one hour, ten million in ten, and each search is for all of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from spandrel.blocks.block_cache import BlockCache
from spandrel.blocks.database import Database
from spandrel.blocks.reader import BlockReader
from spandrel.model.errors import QueryTooBroad
from spandrel.model.limits import MIB
from spandrel.query.found import Found, Order
from spandrel.query.metrics import Answer, metrics
from spandrel.query.reading import TraceStore
from spandrel.query.search import search
from spandrel.traceql.checking import check
from spandrel.traceql.parser import parse

from .clocks import median_seconds
from .figures import Figure, Target
from .shelf import Shelf
from .stored import FIRST_HOUR_NS, stored_blocks

MILLION = 10**6
MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
MEMORY_BYTES = 885 * MIB  # what `query` gives DuckDB of its 1,769 MiB
TENANT = "bench"

# What is asked -> the query, and the milliseconds that it may take over a million spans.
SEARCHES = {
    "newest": ("{ }", 150),
    "service and duration": ('{ resource.service.name = "service-3" && duration > 100ms }', 150),
    "rare value": ('{ span.user.id = "user-4711" }', 150),
    "no match": ('{ span.user.id = "nobody" }', 150),
    "regular expression": ('{ span.url.path =~ "/cart/99." }', 150),
    "either of two": ("{ status = error || span.http.response.status_code = 404 }", 150),
    "number": ("{ span.http.response.body.size > 30000 }", 150),
    "descendants": ("{ kind = server } >> { status = error }", 1000),
    "rare children": ('{ span.user.id = "user-4711" } > { status = error }', 1000),
    "both in one trace": ('{ span.user.id = "user-4711" } && { span.user.id = "user-4712" }', 1000),
    "three errors in a trace": ("{ status = error } | count() > 2", 1000),
    "root and duration of traces": ('{ rootName = "publish order" && traceDuration > 2s }', 1000),
}
SLOWEST = "slowest first"
METRICS_MS = 500
METRICS = {
    "rate by service": "{ } | rate() by (resource.service.name)",
    "errors by name": "{ status = error } | count_over_time() by (name)",
    "quantiles by service": "{ kind = server } | quantile_over_time(duration, .5, .99) by (resource.service.name)",
    "rate by attribute": "{ span.http.response.status_code >= 400 } | rate() by (span.http.request.method)",
}


def figures() -> Iterator[Figure]:
    """For each search and size: milliseconds; for one million also the blocks and the bytes that it read."""
    for millions in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            store = _stored(Path(folder), millions)
            for name, (query, target_ms) in SEARCHES.items():
                yield from _measured(store, millions, name, query, target_ms if millions == 1 else None)
            yield from _measured(store, millions, SLOWEST, "{ status = error }", None, Order.SLOWEST)
            for name, query in METRICS.items():
                yield _counted(store, millions, name, query)


def _counted(store: TraceStore, millions: int, name: str, query: str) -> Figure:
    """Metrics over the whole range, in steps of a minute."""
    parsed, end_ns = check(parse(query)), FIRST_HOUR_NS + millions * HOUR_NS

    def asked() -> Answer:
        return metrics(store.reading(TENANT), parsed, FIRST_HOUR_NS, end_ns, MINUTE_NS)

    label = f"{millions} million spans, {name}, by the minute"
    target = Target("at most", METRICS_MS) if millions == 1 else None
    return Figure("traceql", label, 1000 * median_seconds(asked, runs=3), "ms", target)


def _measured(
    store: TraceStore, millions: int, name: str, query: str, target_ms: float | None, order: Order = Order.NEWEST
) -> Iterator[Figure]:
    parsed, end_ns = parse(query), FIRST_HOUR_NS + millions * HOUR_NS

    def asked() -> Found:
        return search(store.reading(TENANT), parsed, FIRST_HOUR_NS, end_ns, order=order)

    label = f"{millions} million spans, {name}"
    try:
        seconds = median_seconds(asked, runs=3)
    except QueryTooBroad:
        yield Figure("traceql", f"{label}: refused as too much", 1, "refusals", Target("at most", 0))
        return
    inspected = asked().inspected
    yield Figure("traceql", label, 1000 * seconds, "ms", Target("at most", target_ms) if target_ms else None)
    yield Figure("traceql", f"{label}: read", inspected.size_bytes / MIB, "MiB")
    yield Figure("traceql", f"{label}: read", inspected.blocks, "blocks")


def _stored(folder: Path, millions: int) -> TraceStore:
    shelf = Shelf(folder / "objects")
    shelf.store(stored_blocks(millions * MILLION, hours=millions, tenant=TENANT))
    cache = BlockCache(folder / "cache", shelf, 4096 * MIB)
    database = Database(cache.folder, folder / "spill", memory_bytes=MEMORY_BYTES, spill_bytes=1024 * MIB, threads=2)
    return TraceStore(shelf, shelf.index, BlockReader(cache, database))
