from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.blocks.otlp import to_otlp
from spandrel.blocks.writer import WrittenBlock, write_blocks
from tests.otlp import REQUESTS, spans_of

RECEIVED_NS = 1_790_000_000 * 10**9


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
