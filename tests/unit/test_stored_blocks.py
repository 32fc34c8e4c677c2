"""The blocks that benchmarks read are those that compaction leaves."""

from __future__ import annotations

import io
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.spans import START_NS, SpanSource
from benchmarks.stored import FIRST_HOUR_NS, stored_blocks
from spandrel.blocks import merge
from spandrel.blocks.merge import draft_of, merged
from spandrel.blocks.source import Source
from spandrel.blocks.writer import WrittenBlock, write_blocks
from spandrel.model.levels import HOUR_NS


def table_of(block: WrittenBlock) -> pa.Table:
    return pq.read_table(io.BytesIO(block.body))


def test_they_have_the_columns_types_and_size_of_merged_blocks() -> None:
    sources = [
        block
        for number in range(2)
        for block in write_blocks("bench", SpanSource(number).requests(10), START_NS + 10**10, str(number))
    ]
    entries = [block.entry for block in sources]
    (real,) = merged([Source(b.entry, b.body) for b in sources], lambda n: draft_of(entries, 1, "m", n))
    (drawn,) = stored_blocks(real.entry.spans, hours=1)
    assert table_of(drawn).schema.equals(table_of(real).schema)
    assert len(drawn.body) / drawn.entry.spans == pytest.approx(len(real.body) / real.entry.spans, rel=0.1)


def test_each_hour_is_whole_traces_sorted_in_blocks_that_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "BLOCK_BYTES", 1)
    monkeypatch.setattr("benchmarks.stored.MERGE_SPANS", 2000)
    blocks = list(stored_blocks(12_000, hours=2))
    for hour in range(2):
        arrived_ns = FIRST_HOUR_NS + (hour + 1) * HOUR_NS - 1
        of_hour = [block for block in blocks if block.entry.received_ns == arrived_ns]
        assert len(of_hour) > 2
        for before, after in pairwise(of_hour):
            assert before.entry.max_trace_id < after.entry.min_trace_id
        for block in of_hour:
            ids = table_of(block)["trace_id"].to_pylist()
            assert ids == sorted(ids)
            assert arrived_ns - HOUR_NS < block.entry.min_start_ns
            assert block.entry.max_start_ns < arrived_ns + HOUR_NS


def test_a_parent_is_a_span_of_the_same_trace() -> None:
    (block,) = stored_blocks(3000, hours=1)
    table = table_of(block)
    children = table.filter(pc.field("parent_span_id").is_valid())
    pairs = set(zip(table["trace_id"].to_pylist(), table["span_id"].to_pylist(), strict=True))
    parents = set(zip(children["trace_id"].to_pylist(), children["parent_span_id"].to_pylist(), strict=True))
    assert parents <= pairs
    assert len(table) - len(children) == len(set(table["trace_id"].to_pylist()))


def test_equal_arguments_give_equal_blocks() -> None:
    first, again, other = (list(stored_blocks(500, hours=1, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
