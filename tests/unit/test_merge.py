from __future__ import annotations

import io
import random
from collections.abc import Mapping
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.blocks import merge, ranges, settling
from spandrel.blocks.attributes import Attribute, Placed, columns_of
from spandrel.blocks.merge import draft_of, merged
from spandrel.blocks.otlp import to_otlp
from spandrel.blocks.pairs import Pairs
from spandrel.blocks.schema import COLUMNS_MAX
from spandrel.blocks.source import Source
from spandrel.blocks.writer import WrittenBlock, write_blocks
from spandrel.model.errors import Corrupt
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.otlp import REQUESTS, spans_of


def block_of(*requests: ExportTraceServiceRequest, name: str = "a") -> list[WrittenBlock]:
    return list(write_blocks("shop", [request.SerializeToString() for request in requests], RECEIVED_NS, name))


def merge_all(blocks: list[WrittenBlock]) -> list[WrittenBlock]:
    sources = [Source(block.entry, block.body) for block in blocks]
    entries = [block.entry for block in blocks]
    return list(merged(sources, lambda number: draft_of(entries, 1, "merged", number)))


def table_of(block: WrittenBlock) -> pa.Table:
    return pq.read_table(io.BytesIO(block.body))


def names_in(blocks: list[WrittenBlock]) -> list[str]:
    return sorted(name for block in blocks for name in table_of(block)["name"].to_pylist())


def test_spans_of_all_blocks_come_out_sorted_by_trace_id() -> None:
    draw = random.Random(7)
    spans = [span(f"s{n}", trace_id=draw.randbytes(16), start_ns=RECEIVED_NS + n) for n in range(100)]
    blocks = [one for n in range(4) for one in block_of(request_of(*spans[n::4]), name=str(n))]
    (whole,) = merge_all(blocks)
    ids = table_of(whole)["trace_id"].to_pylist()
    assert ids == sorted(s.trace_id for s in spans)
    assert (whole.entry.spans, whole.entry.level) == (100, 1)
    assert (whole.entry.min_trace_id, whole.entry.max_trace_id) == (ids[0], ids[-1])
    assert (whole.entry.min_start_ns, whole.entry.max_start_ns) == (RECEIVED_NS, RECEIVED_NS + 99)


def test_a_span_that_came_twice_is_one_and_the_copy_that_ended_last_wins() -> None:
    unended = span("pay", span_id=b"\1" * 8, duration_ns=0)
    unended.end_time_unix_nano = 0
    short, long = span("pay", span_id=b"\1" * 8, duration_ns=5), span("pay", span_id=b"\1" * 8, duration_ns=9)
    for order in ([unended, short, long], [long, short, unended]):
        blocks = [one for n, each in enumerate(order) for one in block_of(request_of(each), name=str(n))]
        (whole,) = merge_all(blocks)
        assert table_of(whole)["duration_nano"].to_pylist() == [9]


def test_no_part_of_a_span_takes_the_place_of_another() -> None:
    started = span("pay", span_id=b"\1" * 8)
    started.end_time_unix_nano = 0
    later = span("pay", span_id=b"\1" * 8, start_ns=0, duration_ns=5)
    for order in ([started, later, later], [later, started, started]):
        blocks = [one for n, each in enumerate(order) for one in block_of(request_of(each), name=str(n))]
        (whole,) = merge_all(blocks)
        assert table_of(whole)["duration_nano"].to_pylist() == [5, -RECEIVED_NS]


def test_one_id_of_two_kinds_or_services_is_two_spans() -> None:
    client = span("call", span_id=b"\1" * 8, kind=Span.SPAN_KIND_CLIENT)
    server = span("call", span_id=b"\1" * 8, kind=Span.SPAN_KIND_SERVER)
    (whole,) = merge_all(
        [
            *block_of(request_of(client)),
            *block_of(request_of(server), name="b"),
            *block_of(request_of(server, service="x")),
        ]
    )
    assert whole.entry.spans == 3


def test_blocks_that_disagree_on_a_keys_type_keep_both_types() -> None:
    blocks = [
        *block_of(request_of(span("a", attributes={"port": 80}))),
        *block_of(request_of(span("b", attributes={"port": "http"})), name="b"),
    ]
    (whole,) = merge_all(blocks)
    table = table_of(whole)
    assert sorted(map(str, table["span.port:int"].to_pylist())) == ["80", "None"]
    assert sorted(map(str, table["span.port:string"].to_pylist())) == ["None", "http"]


def test_a_key_that_is_common_in_all_blocks_together_leaves_the_rest_and_gets_a_column() -> None:
    limit = COLUMNS_MAX["span"]
    crowded = [
        request_of(
            *(span(f"x{n}.{m}", attributes={f"own.{n}.{k}": 1 for k in range(limit)}) for m in range(3)),
            span(f"y{n}", attributes={"shared": n}),
            span(f"z{n}", attributes={"shared": n}),
        )
        for n in range(3)
    ]
    blocks = [one for n, request in enumerate(crowded) for one in block_of(request, name=str(n))]
    assert all("span.shared:int" not in table_of(block).column_names for block in blocks)
    (whole,) = merge_all(blocks)
    table = table_of(whole)
    assert sorted(value for value in table["span.shared:int"].to_pylist() if value is not None) == [0, 0, 1, 1, 2, 2]
    assert sum(name.startswith("span.") for name in table.column_names) == limit


def hostile_blocks(keys: int) -> list[WrittenBlock]:
    """Four blocks of 2000 spans with fifty attributes each, of so many keys in all."""
    numbered = iter(range(100_000))
    made = [span(f"s{n}", attributes={f"k.{next(numbered) % keys}": "v" for _ in range(50)}) for n in range(2000)]
    return [one for n in range(4) for one in block_of(request_of(*made[n::4]), name=str(n))]


def test_a_hundred_thousand_distinct_keys_cost_no_more_columns_footer_or_work_than_a_thousand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moved: list[int] = []

    def counted(pairs: Pairs, rows: int, wanted: Mapping[Attribute, str]) -> Placed:
        moved.append(len(pairs) + rows + len(wanted))
        return columns_of(pairs, rows, wanted)

    monkeypatch.setattr("spandrel.blocks.settling.columns_of", counted)
    told = []
    for keys in (1000, 100_000):
        moved.clear()
        (whole,) = merge_all(hostile_blocks(keys))
        names = table_of(whole).column_names
        assert sum(name.startswith("span.k.") for name in names) == COLUMNS_MAX["span"]
        told.append((pq.read_metadata(io.BytesIO(whole.body)).serialized_size, sum(moved)))
    (few_footer, few_moved), (many_footer, many_moved) = told
    assert many_footer <= 1.2 * few_footer
    assert many_moved <= 1.2 * few_moved
    rests = table_of(whole)["span_rest"].to_pylist()
    assert sum(len(pairs or ()) for pairs in rests) == 100_000 - COLUMNS_MAX["span"]


@settings(
    deadline=None,
    max_examples=15,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(REQUESTS, min_size=1, max_size=4), st.integers(1, 3), st.integers(2, 20))
def test_merging_loses_and_changes_nothing(
    requests: list[ExportTraceServiceRequest], columns_max: int, merge_spans: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # few columns and small ranges, so that attributes move in and out of the rest and blocks are read in parts
        patch.setattr(settling, "COLUMNS_MAX", dict.fromkeys(COLUMNS_MAX, columns_max))
        patch.setattr(ranges, "MERGE_SPANS", merge_spans)
        patch.setattr(ranges, "_SAMPLED", 1)
        numbered = [renumbered(request, n) for n, request in enumerate(requests)]
        blocks = [one for n, request in enumerate(numbered) for one in block_of(request, name=str(n))]
        sent = sum((spans_of(request.resource_spans) for request in numbered), spans_of([]))
        whole = merge_all(blocks)
        assert sum((spans_of(to_otlp(table_of(block)).resource_spans) for block in whole), spans_of([])) == sent
        again = merge_all(whole)
        assert sum((spans_of(to_otlp(table_of(block)).resource_spans) for block in again), spans_of([])) == sent


def renumbered(request: ExportTraceServiceRequest, number: int) -> ExportTraceServiceRequest:
    """The request with span ids that occur once, for copies of a span would be merged."""
    at = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for each in scope.spans:
                at += 1
                each.span_id = bytes([number + 1, *at.to_bytes(7, "big")])
    return request


def test_a_large_merge_is_cut_into_blocks_by_trace_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MERGE_SPANS", 50)
    monkeypatch.setattr(merge, "BLOCK_BYTES", 1)
    draw = random.Random(3)
    ids = [draw.randbytes(16) for _ in range(100)]
    spans = [span(f"s{n}", trace_id=ids[n % 100], start_ns=RECEIVED_NS + n) for n in range(400)]
    blocks = [one for n in range(4) for one in block_of(request_of(*spans[n::4]), name=str(n))]
    parts = merge_all(blocks)
    assert len(parts) > 3
    assert [part.entry.block_id for part in parts] == [f"merged-{n}" for n in range(len(parts))]
    for before, after in pairwise(parts):
        assert before.entry.max_trace_id < after.entry.min_trace_id
    assert names_in(parts) == sorted(s.name for s in spans)


def in_memory_at_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of spans that merges hold at once, from now on."""
    held: list[int] = []
    once = merge._once

    def noted(table: pa.Table) -> pa.Table:
        held.append(len(table))
        return once(table)

    monkeypatch.setattr(merge, "_once", noted)
    return held


@pytest.mark.parametrize("starts", [300, 1], ids=["of many starts", "of one start"])
def test_a_trace_larger_than_memory_is_merged_part_by_part_and_stays_in_one_block(
    starts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "MERGE_SPANS", 50)
    monkeypatch.setattr(ranges, "_SAMPLED", 1)
    monkeypatch.setattr(merge, "BLOCK_BYTES", 1)
    held = in_memory_at_once(monkeypatch)
    spans = [span(f"s{n}", start_ns=RECEIVED_NS + n % starts) for n in range(300)]
    other = span("other", trace_id=bytes(16))
    blocks = [one for n in range(3) for one in block_of(request_of(*spans[n::3], other), name=str(n))]
    before, whole = merge_all(blocks)
    assert (before.entry.spans, whole.entry.spans) == (1, 300)
    assert max(held) <= 3 * 50
    assert names_in([whole]) == sorted(one.name for one in spans)


def test_copies_of_a_span_meet_wherever_its_trace_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MERGE_SPANS", 7)
    monkeypatch.setattr(ranges, "_SAMPLED", 1)
    spans = [span(f"s{n}", start_ns=RECEIVED_NS + n % 5) for n in range(100)]
    blocks = [one for n in range(3) for one in block_of(request_of(*spans), name=str(n))]
    (whole,) = merge_all(blocks)
    assert names_in([whole]) == sorted(one.name for one in spans)


def test_values_that_are_long_once_they_are_spelt_out_make_small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "ROW_GROUP_BYTES", 100_000)
    spans = [span(f"s{n}", start_ns=RECEIVED_NS + n) for n in range(64)]
    blocks = block_of(request_of(*spans, resource={"command": "x" * 10_000}))
    (whole,) = merge_all(blocks)
    groups = pq.read_metadata(io.BytesIO(whole.body))
    assert {groups.row_group(at).num_rows for at in range(groups.num_row_groups)} == {8}
    assert len(names_in([whole])) == 64


def test_spans_with_long_values_are_merged_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MERGE_BYTES", 200_000)
    monkeypatch.setattr(ranges, "_SAMPLED", 1)
    held = in_memory_at_once(monkeypatch)
    draw = random.Random(2)
    long = [span(f"s{n}", trace_id=draw.randbytes(16), attributes={"v": draw.randbytes(5000)}) for n in range(120)]
    blocks = [one for n in range(3) for one in block_of(request_of(*long[n::3]), name=str(n))]
    assert names_in(merge_all(blocks)) == sorted(one.name for one in long)
    assert max(held) <= 80


def test_a_merge_is_cut_at_the_ids_that_it_is_given() -> None:
    spans = [span(f"s{n:02}", trace_id=bytes([n]) * 16) for n in range(20)]
    blocks = [one for n in range(2) for one in block_of(request_of(*spans[n::2]), name=str(n))]
    sources = [Source(block.entry, block.body) for block in blocks]
    entries = [block.entry for block in blocks]
    cuts = [bytes([at]) * 16 for at in (0, 5, 6, 30)]
    parts = list(merged(sources, lambda number: draft_of(entries, 1, "merged", number), cuts))
    assert [names_in([part]) for part in parts] == [
        [f"s{n:02}" for n in numbers] for numbers in (range(5), range(5, 6), range(6, 20))
    ]


def test_a_repeated_key_stays_whole_in_the_rest() -> None:
    repeated = span("a", attributes={"k": "one"})
    repeated.attributes.append(key_value("k", "two"))
    (whole,) = merge_all(
        [*block_of(request_of(repeated)), *block_of(request_of(span("b", attributes={"k": "x"})), name="b")]
    )
    rests = [[pair["string"] for pair in pairs or ()] for pairs in table_of(whole)["span_rest"].to_pylist()]
    assert sorted(rests) == [[], ["one", "two"]]


def test_merged_blocks_are_merged_again_however_their_texts_are_encoded() -> None:
    users = [span(f"s{n}", attributes={"user": f"user-{n * 7919 % 100_000}"}) for n in range(2000)]
    halves = [block_of(request_of(*half), name=str(n)) for n, half in enumerate((users[::2], users[1::2]))]
    large = [one for half in halves for one in merge_all(half)]
    encodings = [pq.read_metadata(io.BytesIO(block.body)).row_group(0) for block in large]
    assert any("DELTA_LENGTH_BYTE_ARRAY" in group.column(at).encodings for group in encodings for at in range(10))
    (whole,) = merge_all(large)
    table = table_of(whole)
    assert dict(zip(table["name"].to_pylist(), table["span.user:string"].to_pylist(), strict=True)) == {
        one.name: one.attributes[0].value.string_value for one in users
    }


def test_equal_sources_make_equal_bytes_whatever_their_order() -> None:
    blocks = [one for n in range(3) for one in block_of(request_of(span(f"s{n}")), name=str(n))]
    assert [b.body for b in merge_all(blocks)] == [b.body for b in merge_all(blocks[::-1])]


def test_a_source_that_is_no_block_is_named() -> None:
    (block,) = block_of(request_of(span("a")))
    with pytest.raises(Corrupt, match=block.entry.block_id):
        Source(block.entry, block.body[: len(block.body) // 2])
