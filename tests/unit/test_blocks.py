from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.blocks.naming import ATTRIBUTE_SCOPES, ATTRIBUTE_TYPES, attribute_column, attribute_of_column
from spandrel.blocks.otlp import to_otlp
from spandrel.blocks.schema import COLUMNS, COLUMNS_MAX
from spandrel.blocks.writer import WrittenBlock, write_blocks
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.otlp import REQUESTS, TEXT, spans_of


def written(*requests: ExportTraceServiceRequest) -> list[WrittenBlock]:
    return list(write_blocks("shop", [request.SerializeToString() for request in requests], RECEIVED_NS, "a-batch"))


def read(block: WrittenBlock) -> pa.Table:
    return pq.read_table(io.BytesIO(block.body))


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.lists(REQUESTS, min_size=1, max_size=2))
def test_what_a_block_gives_back_equals_what_was_written(requests: list[ExportTraceServiceRequest]) -> None:
    sent = sum((spans_of(request.resource_spans) for request in requests), spans_of([]))
    blocks = written(*requests)
    assert sum((spans_of(to_otlp(read(block)).resource_spans) for block in blocks), spans_of([])) == sent
    assert sum(block.entry.spans for block in blocks) == sent.total()


def columns_of(*spans: Span, **resource: Any) -> pa.Table:
    (block,) = written(request_of(*spans, **resource))
    return read(block)


def test_every_attribute_is_a_column_named_by_scope_key_and_type() -> None:
    attributes = {"http.route": "/cart", "retries": 3, "ratio": 0.5, "cached": True, "raw": b"\0", "tags": ["a", "b"]}
    table = columns_of(span("a", attributes=attributes), resource={"host.name": "h1"})
    assert table["span.http.route:string"].to_pylist() == ["/cart"]
    assert table["span.retries:int"].to_pylist() == [3]
    assert table["span.ratio:double"].to_pylist() == [0.5]
    assert table["span.cached:bool"].to_pylist() == [True]
    assert table["span.raw:bytes"].to_pylist() == [b"\0"]
    assert table["span.tags:string[]"].to_pylist() == [["a", "b"]]
    assert table["resource.host.name:string"].to_pylist() == ["h1"]
    assert table["service"].to_pylist() == ["checkout"]
    assert "span_rest" not in table.column_names


def test_a_key_of_two_types_has_two_columns() -> None:
    table = columns_of(span("a", attributes={"port": 80}), span("b", attributes={"port": "http"}))
    rows = sorted(zip(table["span.port:int"].to_pylist(), table["span.port:string"].to_pylist(), strict=True), key=str)
    assert rows == [(80, None), (None, "http")]


def test_keys_that_differ_in_case_alone_are_different_columns_to_an_engine_that_ignores_case() -> None:
    table = columns_of(span("a", attributes={"userId": "1", "userid": "2", "USERID": "3"}))
    folded = {name.lower() for name in table.column_names}
    assert len(folded) == len(table.column_names)
    assert table["span.user^Id:string"].to_pylist() == ["1"]


def test_a_repeated_key_is_kept_whole_and_in_order_in_the_rest() -> None:
    repeated = span("a", attributes={"k": "other"})
    repeated.attributes.extend([key_value("k", "second"), key_value("k", 3)])
    table = columns_of(repeated, span("b", attributes={"k": "once"}))
    rest = [[pair["string"] or pair["int"] for pair in pairs or ()] for pairs in table["span_rest"].to_pylist()]
    assert sorted(rest) == [[], ["other", "second", 3]]
    assert sorted(table["span.k:string"].to_pylist(), key=str) == [None, "once"]


def test_columns_are_bounded_and_the_most_frequent_keys_have_them() -> None:
    rare = {f"rare.{number:04}": number for number in range(2 * COLUMNS_MAX["span"])}
    spans = [span(f"s{number}", attributes={"common": number}) for number in range(3)]
    table = columns_of(span("wide", attributes=rare), *spans)
    own = [name for name in table.column_names if name.startswith("span.")]
    assert len(own) == COLUMNS_MAX["span"]
    assert "span.common:int" in own
    assert sum(len(pairs or ()) for pairs in table["span_rest"].to_pylist()) == len(rare) + 1 - len(own)


def test_a_hundred_thousand_distinct_keys_make_no_more_columns_than_a_few_do() -> None:
    spans = [span(f"s{n}", attributes={f"key.{n}.{m}": "v" for m in range(100)}) for n in range(1000)]
    table = columns_of(*spans)
    assert len(table.column_names) < COLUMNS_MAX["span"] + len(COLUMNS)
    assert sum(len(pairs or ()) for pairs in table["span_rest"].to_pylist()) == 100_000 - COLUMNS_MAX["span"]


def test_rows_are_sorted_by_trace_and_start() -> None:
    ids = [bytes(15) + bytes([number]) for number in (3, 1, 2)]
    table = columns_of(
        *(span(f"{n}{late}", trace_id=i, start_ns=RECEIVED_NS - late) for n, i in enumerate(ids) for late in (0, 9))
    )
    rows = list(zip(table["trace_id"].to_pylist(), table["start_time_unix_nano"].to_pylist(), strict=True))
    assert rows == sorted(rows)


def test_a_column_that_says_nothing_is_left_out() -> None:
    plain, eventful = columns_of(span("a")), columns_of(span("a", events=[Span.Event(name="retry")], flags=257))
    assert {"events", "flags"} <= set(eventful.column_names) - set(plain.column_names)


def test_the_footer_repeats_the_catalogue_entry() -> None:
    (block,) = written(request_of(span("a")))
    said = json.loads(pq.read_metadata(io.BytesIO(block.body)).metadata[b"spandrel.block"])
    entry = asdict(block.entry)
    for name in ("tenant", "block_id", "key", "spans", "min_start_ns", "max_start_ns", "received_ns", "far", "level"):
        assert said[name] == entry[name]
    assert bytes.fromhex(said["min_trace_id"]) == entry["min_trace_id"]


def test_equal_requests_make_equal_bytes() -> None:
    requests = [request_of(span("a", attributes={"x": 1})), request_of(span("b", attributes={"y": [1.5]}))]
    assert [block.body for block in written(*requests)] == [block.body for block in written(*requests)]


@given(st.sampled_from(ATTRIBUTE_SCOPES), TEXT.filter(bool), st.sampled_from(list(ATTRIBUTE_TYPES)))
def test_a_column_name_gives_back_scope_key_and_type(scope: Any, key: str, attribute_type: Any) -> None:
    assert attribute_of_column(attribute_column(scope, key, attribute_type)) == (scope, key, attribute_type)
