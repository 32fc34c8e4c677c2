"""`index`: how many requests a trace by its id takes in a tenant's month, and what the index behind that costs.

The month is made as it is asked (`benchmarks.month`): the code that plans, writes and reads is that of the functions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from unittest import mock

from spandrel.blocks.trace_segments import entries_in, merged_entries, shards_of
from spandrel.model.errors import NotFound
from spandrel.model.levels import HOUR_NS
from spandrel.model.retention import DAY_NS
from spandrel.model.trace_index import ROLLUP_TRACES, WINDOW_HOURS, Segment, shard_bits
from spandrel.query import reading
from spandrel.query.trace import trace

from . import prices
from .clocks import one_core
from .figures import Figure, Target
from .month import RETENTION_DAYS, SPANS_A_TRACE, Month, Templates, shard_body
from .spans import START_NS

DAILY = {"100 million": 10**8, "1 billion": 10**9, "10 billion": 10**10}
REQUESTS_MAX = 100  # at 100 million spans a day
# The last minutes of 64 hours, and of an hour before the one before it is closed: then there is least in large
# segments and most in small blocks.
WORST_NS = START_NS - START_NS % (64 * HOUR_NS) + 64 * HOUR_NS - HOUR_NS + 9 * 60 * 10**9
LATE_NS = WORST_NS + 50 * 60 * 10**9
COMPACT_GB = 3008 / 1024
YEAR_DAYS = 365
MONTHS = 12


def figures() -> Iterator[Figure]:
    """Requests by kind of lookup and traffic, and the index's price a year by traffic."""
    made = Templates(20_000, 200_000)
    for name, spans_a_day in DAILY.items():
        for what, now_ns, held_ns in (
            ("a trace of 15 days ago", WORST_NS, 15 * DAY_NS),
            ("a trace of yesterday", WORST_NS, DAY_NS),
            ("a trace of this minute", LATE_NS, 60 * 10**9),
            ("a trace that is nowhere", WORST_NS, None),
        ):
            month = Month(spans_a_day, now_ns, made, held_ns)
            yield from _asked(month, f"{name} spans a day: {what}", limited=spans_a_day == DAILY["100 million"])
        hinted = Month(spans_a_day, WORST_NS, made, 15 * DAY_NS)
        at_ns = WORST_NS - 15 * DAY_NS
        yield from _asked(hinted, f"{name} spans a day: 15 days ago, with a hint", hint_ns=(at_ns - HOUR_NS, at_ns))
    bytes_a_trace, seconds_a_trace = _written()
    yield Figure("index", "a trace in a segment", bytes_a_trace, "bytes")
    yield Figure("index", "to roll a trace up once, one core", seconds_a_trace * 1e6, "us")
    for name, spans_a_day in DAILY.items():
        yield from _costs(name, spans_a_day / SPANS_A_TRACE, bytes_a_trace, seconds_a_trace)


def lookup(month: Month, hint_ns: tuple[int, int] = (0, 2**64)) -> bool:
    """Asks for the trace; whether it is found."""
    month.calls.clear()
    month.read_bytes = month.at_once = 0
    patience = mock.patch.object(reading, "QUERY_SECONDS_MAX", 600)  # requests are counted, not this machine's time
    with patience, month.store() as store:
        try:
            return bool(trace(store.reading("bench"), month.templates.trace_id, *hint_ns).rows)
        except NotFound:
            return False


def _asked(
    month: Month, what: str, *, limited: bool = False, hint_ns: tuple[int, int] = (0, 2**64)
) -> Iterator[Figure]:
    found = lookup(month, hint_ns)
    assert found is month.is_held, what
    yield Figure("index", what, month.calls.total(), "requests", Target("at most", REQUESTS_MAX) if limited else None)
    for kind, count in sorted(month.calls.items()):
        yield Figure("index", f"{what}: {kind}", count, "requests")
    yield Figure("index", f"{what}: at once with others", month.at_once, "requests")
    yield Figure("index", f"{what}: read of the index", month.read_bytes / 1e6, "MB")


def _written() -> tuple[float, float]:
    """Bytes of a trace in a shard as it is in a large segment, and seconds to roll it up, without the network."""
    segment = Segment("bench", "name", 0, 64, 3, 8 * 60_000, 0, b"", b"")
    bodies = [shard_body(segment, shard, Random(shard)) for shard in range(8)]
    bytes_a_trace = sum(map(len, bodies)) / segment.traces
    with one_core():
        began = time.perf_counter()
        entries = merged_entries([entries_in(body, 0, "bench") for body in bodies])
        assert sum(count for *_, count in shards_of(entries, 0, 7, 3)) == len(entries)
        return bytes_a_trace, (time.perf_counter() - began) / segment.traces


def _costs(name: str, traces_a_day: float, bytes_a_trace: float, seconds_a_trace: float) -> Iterator[Figure]:
    """US dollars a year: a month of it in S3, the requests that write and read it on its way up, and Lambda."""
    windows = [1, *(hours for hours in sorted(WINDOW_HOURS) if traces_a_day / 24 * hours <= ROLLUP_TRACES)]
    shards = {hours: 24 / hours * 2 ** shard_bits(round(traces_a_day / 24 * hours)) for hours in windows}
    read = sum(count for hours, count in shards.items() if hours != windows[-1])
    requests = sum(shards.values()) * prices.S3_PUT + read * prices.S3_GET
    storage = traces_a_day * RETENTION_DAYS * bytes_a_trace / 1e9 * prices.S3_GB_MONTH * MONTHS
    seconds = traces_a_day * seconds_a_trace * len(windows)
    compute = seconds * COMPACT_GB * prices.LAMBDA_GB_SECOND
    parts = {"storage": storage, "requests": requests * YEAR_DAYS, "Lambda": compute * YEAR_DAYS}
    yield Figure("index", f"{name} spans a day: the index", sum(parts.values()), "USD/year")
    for part, dollars in parts.items():
        yield Figure("index", f"{name} spans a day: the index, {part}", dollars, "USD/year")
