"""Blocks as compaction leaves them, of any number of spans, made in seconds: the spans of `benchmarks.spans` by their
distributions, drawn in columns.

A tenant's hours of arrival follow one another; within an hour blocks are disjoint in their trace ids, sorted, and cut
where compaction cuts.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from spandrel.blocks.merge import blocks_of
from spandrel.blocks.naming import attribute_of_column
from spandrel.blocks.ranges import MERGE_SPANS
from spandrel.blocks.schema import ARROW_TYPES, COLUMNS
from spandrel.blocks.writer import WrittenBlock, draft
from spandrel.model.levels import HOUR_NS

from .spans import KINDS, NAMES, PATHS, SPANS_A_REQUEST, START_NS, STATUS_CODES

LEVEL = 3
FIRST_HOUR_NS = START_NS - START_NS % HOUR_NS
TRACE_SPANS = (4, 12)  # from, below
_TRACES_A_REQUEST = SPANS_A_REQUEST / 7.5
_TRACE_SPREAD_NS = 10**7


def stored_blocks(
    spans: int, hours: int, tenant: str = "bench", seed: int = 1, first_hour_ns: int = FIRST_HOUR_NS
) -> Iterator[WrittenBlock]:
    """About `spans` spans that arrived evenly over `hours` hours; equal arguments give equal blocks."""
    draw = random.Random(seed)
    for hour in range(hours):
        yield from _hour_of_blocks(draw, spans // hours, tenant, first_hour_ns + hour * HOUR_NS)


def _hour_of_blocks(draw: random.Random, spans: int, tenant: str, hour_ns: int) -> Iterator[WrittenBlock]:
    name = f"{draw.getrandbits(128):032x}"
    begun = replace(draft(tenant, hour_ns + HOUR_NS - 1, name, is_far=False), level=LEVEL)
    folder = begun.key.rpartition("/")[0]
    traces = round(spans / 7.5)
    first, *others = _tables(draw, traces, hour_ns)
    return blocks_of(
        iter([first, *others]),
        first.schema,
        lambda number: replace(begun, block_id=f"{name}-{number}", key=f"{folder}/{name}-{number}.parquet"),
    )


def _tables(draw: random.Random, traces: int, hour_ns: int) -> Iterator[pa.Table]:
    """The hour's spans in the order of trace ids, about as many at once as a merge holds."""
    ids = _fixed(draw.randbytes(16 * traces), 16)
    ids = ids.take(pc.sort_indices(ids))
    requests = _Requests(draw, max(1, round(traces / _TRACES_A_REQUEST)))
    step = max(1, round(MERGE_SPANS / 7.5))
    for at in range(0, traces, step):
        yield _table(draw, ids.slice(at, step), requests, hour_ns)


class _Requests:
    """What the spans of one export share: their resource. Row i is that of request i."""

    def __init__(self, draw: random.Random, count: int) -> None:
        self.count = count
        instances = [f"{draw.getrandbits(64):016x}" for _ in range(count)]
        self.columns = {
            "service": _texts([f"service-{draw.randrange(20)}" for _ in range(count)]),
            "resource.host.name:string": _texts([f"ip-10-0-0-{draw.randrange(50)}" for _ in range(count)]),
            "resource.service.instance.id:string": _texts(instances),
        }


def _table(draw: random.Random, trace_ids: pa.Array, requests: _Requests, hour_ns: int) -> pa.Table:
    """Whole traces -> their spans, sorted by trace and start."""
    traces = len(trace_ids)
    lengths = _below(draw, TRACE_SPANS[1] - TRACE_SPANS[0], traces)
    ends = pc.cumulative_sum(pc.add(lengths, TRACE_SPANS[0]))
    rows = ends[-1].as_py()
    firsts = pa.concat_arrays([pa.array([0], pa.int64()), ends.slice(0, traces - 1)])
    offsets = pa.concat_arrays([firsts, pa.array([rows], pa.int64())])
    trace = pc.list_parent_indices(pa.LargeListArray.from_arrays(offsets, pa.nulls(rows)))
    start = pc.add(_below(draw, HOUR_NS, traces).take(trace), _below(draw, _TRACE_SPREAD_NS, rows))
    span_ids = _fixed(draw.randbytes(8 * rows), 8)
    columns = {
        "trace_id": trace_ids.take(trace),
        "span_id": span_ids,
        "parent_span_id": span_ids.take(_parents(draw, firsts.take(trace))),
        "start_time_unix_nano": pc.add(start, hour_ns).cast(pa.uint64()),
        "duration_nano": _lognormal(draw, 15, 1.5, rows),
        **_said(draw, rows),
    }
    request = _below(draw, requests.count, traces).take(trace)
    columns |= {name: column.take(request) for name, column in requests.columns.items()}
    order = pc.sort_indices(
        pa.table({"trace": trace, "start": start}), sort_keys=[("trace", "ascending"), ("start", "ascending")]
    )
    names = [*(name for name in COLUMNS if name in columns), *sorted(name for name in columns if name not in COLUMNS)]
    return pa.table({name: columns[name].take(order) for name in names}, schema=_schema(names))


def _schema(names: Sequence[str]) -> pa.Schema:
    attributes = {name: found for name in names if (found := attribute_of_column(name))}
    return pa.schema(
        [(name, ARROW_TYPES[attributes[name][2]] if name in attributes else COLUMNS[name]) for name in names]
    )


def _parents(draw: random.Random, first: pa.Array) -> pa.Array:
    """For each span the row of one that came before it in its trace; null for the first."""
    place = pc.subtract(pa.array(range(len(first)), pa.int64()), first)
    before = pc.floor(pc.multiply(_uniform(draw, len(first)), place)).cast(pa.int64())
    return pc.if_else(pc.equal(place, 0), pa.scalar(None, pa.int64()), pc.add(first, before))


def _said(draw: random.Random, rows: int) -> dict[str, pa.Array]:
    """What a span says, as SpanSource has it."""
    path = pc.binary_join_element_wise(
        _one_of(draw, pa.array(PATHS), rows), _below(draw, 1000, rows).cast(pa.string()), "/"
    )
    user = pc.binary_join_element_wise("user", _below(draw, 100_000, rows).cast(pa.string()), "-")
    failed = pc.less(_uniform(draw, rows), 0.02)
    same = {
        "scope_name": "opentelemetry.instrumentation.flask",
        "scope_version": "0.66b1",
        "resource.telemetry.sdk.language:string": "python",
        "resource.telemetry.sdk.name:string": "opentelemetry",
        "resource.telemetry.sdk.version:string": "1.45.2",
        "span.server.address:string": "shop.example.com",
        "span.network.protocol.version:string": "1.1",
    }
    return {
        "name": _one_of(draw, pa.array(NAMES), rows),
        "kind": _one_of(draw, pa.array(KINDS, pa.int32()), rows),
        "status_code": pc.if_else(failed, pa.scalar(2, pa.int32()), pa.scalar(0, pa.int32())),
        "flags": pa.repeat(pa.scalar(257, pa.uint32()), rows),
        "span.http.request.method:string": _one_of(draw, pa.array(["GET", "POST"]), rows),
        "span.http.response.status_code:int": _one_of(draw, pa.array(STATUS_CODES, pa.int64()), rows),
        "span.http.response.body.size:int": _lognormal(draw, 7, 1, rows),
        "span.url.path:string": path,
        "span.user.id:string": user,
        "span.thread.id:int": _below(draw, 64, rows),
        **{name: pa.repeat(pa.scalar(value), rows) for name, value in same.items()},
    }


def _uniform(draw: random.Random, count: int) -> pa.Array:
    return pc.random(count, initializer=draw.getrandbits(63))


def _below(draw: random.Random, end: int, count: int) -> pa.Array:
    return pc.floor(pc.multiply(_uniform(draw, count), float(end))).cast(pa.int64())


def _one_of(draw: random.Random, values: pa.Array, count: int) -> pa.Array:
    return values.take(_below(draw, len(values), count))


def _lognormal(draw: random.Random, mu: float, sigma: float, count: int) -> pa.Array:
    """By Box and Muller's transform of two uniform values."""
    radius = pc.sqrt(pc.multiply(-2.0, pc.ln(pc.subtract(1.0, _uniform(draw, count)))))
    normal = pc.multiply(radius, pc.cos(pc.multiply(2 * math.pi, _uniform(draw, count))))
    return pc.floor(pc.exp(pc.add(mu, pc.multiply(sigma, normal)))).cast(pa.int64())


def _fixed(random_bytes: bytes, width: int) -> pa.Array:
    buffers = [None, pa.py_buffer(random_bytes)]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(random_bytes) // width, buffers)


def _texts(values: Sequence[str]) -> pa.Array:
    return pa.array(values, pa.string())
