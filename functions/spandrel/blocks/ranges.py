"""Where a merge is cut so that what it holds in memory is bounded: between two keys of spans, whatever the blocks hold.

A trace may have more spans than fit, so a cut may lie within one. All copies of a span have one key, so they meet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from spandrel.model.ids import SPAN_ID_BYTES, TRACE_ID_BYTES
from spandrel.model.limits import MIB

from .source import RowGroup

MERGE_SPANS = 200_000  # in memory at once, about
MERGE_BYTES = 256 * MIB  # the same, of columns before compression

Key = tuple[bytes, int, bytes]
"""What places a span: trace id, start (unix ns) and span id."""

Range = tuple[Key, Key | None]
"""From a key on, up to another; None: to the end."""

FIRST: Key = (bytes(TRACE_ID_BYTES), 0, bytes(SPAN_ID_BYTES))
KEY_COLUMNS = ("trace_id", "start_time_unix_nano", "span_id")
_LAST_SPAN = b"\xff" * SPAN_ID_BYTES
_SAMPLED = 50  # one span of so many is looked at to find where to cut


def ranges_of(groups: Sequence[RowGroup], cuts: Iterable[bytes] = ()) -> list[Range]:
    """Ranges that follow one another, each of about MERGE_SPANS or MERGE_BYTES at most; one begins at each trace id in
    `cuts`.
    """
    keys = {_first_of(cut) for cut in cuts} | set(_keys(groups))
    bounds: list[Key | None] = [FIRST, *sorted(keys - {FIRST}), None]
    return [(low, high) for low, high in pairwise(bounds) if low is not None]


def overlaps(group: RowGroup, part: Range) -> bool:
    """Whether spans of the group can lie in the range."""
    low, high = part
    begins, ends = (group.first, group.first_ns, b""), (group.last, group.last_ns, _LAST_SPAN)
    return ends >= low and (high is None or begins < high)


def within(table: pa.Table, part: Range) -> pa.Table:
    """The table's spans that lie in the range."""
    low, high = part
    chosen = _from(table, low)
    return table.filter(chosen if high is None else pc.and_not(chosen, _from(table, high)))


def _keys(groups: Sequence[RowGroup]) -> Iterator[Key]:
    """Keys between which the weights are about equal, each the first of a trace unless the trace alone is too large."""
    ranges = math.ceil(sum(map(_weight, groups)))
    if ranges < 2:
        return
    sampled = pa.concat_tables(map(_sample, groups))
    sampled = sampled.take(pc.sort_indices(sampled, sort_keys=[(name, "ascending") for name in KEY_COLUMNS]))
    passed = pc.cumulative_sum(sampled["weight"])
    number = pc.min_element_wise(pc.floor(pc.multiply(passed, ranges / passed[-1].as_py())), float(ranges - 1))
    begins = pc.add(pc.indices_nonzero(pc.greater(number.combine_chunks().slice(1), number[:-1].combine_chunks())), 1)
    last = FIRST
    for row in sampled.take(begins).to_pylist():
        whole = _first_of(row["trace_id"])
        last = whole if whole > last else (row["trace_id"], row["start_time_unix_nano"], row["span_id"])
        yield last


def _weight(group: RowGroup) -> float:
    """Which part of the memory the group would take."""
    return max(group.spans / MERGE_SPANS, group.encoded_bytes / MERGE_BYTES)


def _sample(group: RowGroup) -> pa.Table:
    """Keys of some of the group's spans, each with the weight that it stands for."""
    keys = group.read(KEY_COLUMNS).select(list(KEY_COLUMNS))
    some = keys.take(pa.array(range(0, len(keys), _SAMPLED), pa.int64()))
    return some.append_column("weight", pa.repeat(pa.scalar(_weight(group) / len(some)), len(some)))


def _first_of(trace_id: bytes) -> Key:
    return trace_id, *FIRST[1:]


def _from(table: pa.Table, key: Key) -> pa.ChunkedArray:
    """True for each span at the key or behind it."""
    columns = [table[name] for name in KEY_COLUMNS]
    trace_id, start_ns, span_id = (pa.scalar(part, column.type) for part, column in zip(key, columns, strict=True))
    ids, starts, span_ids = columns
    same_trace = pc.equal(ids, trace_id)
    behind = pc.greater(ids, trace_id)
    if not pc.any(same_trace).as_py():
        return behind
    in_trace = pc.or_(
        pc.greater(starts, start_ns), pc.and_(pc.equal(starts, start_ns), pc.greater_equal(span_ids, span_id))
    )
    return pc.or_(behind, pc.and_(same_trace, in_trace))
