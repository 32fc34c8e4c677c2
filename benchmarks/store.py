"""`store`: an SQS event of OTLP requests -> a block on disk, on one core; beside it the loop over spans that it does
without.
"""

from __future__ import annotations

import io
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.aws.queued import as_text, packed
from spandrel.model.catalogue import Block
from store.batch import Batch

from .clocks import median_seconds, one_core
from .figures import Figure, Target
from .files import Files
from .spans import SPANS_A_REQUEST, START_NS, SpanSource

REQUESTS = 100


class Folder(Files):
    """An object store and catalogue on disk."""

    def get(self, key: str) -> bytes:
        return (self._root / key).read_bytes()

    def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
        return self.get(key)[first_byte : first_byte + length_bytes]

    def add(self, block: Block) -> None:
        self.put(f"{block.key}.entry", repr(block).encode())

    def blocks(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        raise LookupError(f"no blocks of {tenant} in {start_ns}..{end_ns}: a benchmark only writes")

    def send(self, record: Mapping[str, Any], reason: str) -> None:
        raise ValueError(f"message {record['messageId']} was given up: {reason}")

    def block_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._root.rglob("*.parquet"))


def figures() -> Iterator[Figure]:
    """Spans a second, bytes a span, and the yardstick's."""
    bodies = SpanSource().requests(REQUESTS)
    records = [_record(number, body) for number, body in enumerate(bodies)]
    spans = REQUESTS * SPANS_A_REQUEST
    with one_core(), tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name))
        ours_s = median_seconds(lambda: Batch(folder, folder, folder).store(records))
        naive_s = median_seconds(lambda: Path(name, "naive").write_bytes(naive_block(records)))
        block_bytes = folder.block_bytes()
    yield Figure("store", "spans a second, one core", spans / ours_s, "spans/s", Target("at least", 50_000))
    yield Figure("store", "block", block_bytes / spans, "bytes/span", Target("at most", 40))
    yield Figure("store", "the same spans as OTLP", sum(map(len, bodies)) / spans, "bytes/span")
    yield Figure("store", "a loop over spans in Python, one core", spans / naive_s, "spans/s")
    yield Figure("store", "times faster than that loop", naive_s / ours_s, "x")


def naive_block(records: list[dict[str, Any]]) -> bytes:
    """The yardstick: the same messages, each span and attribute taken in a Python loop, written as Parquet rows."""
    rows = []
    for record in records:
        body = zstandard.ZstdDecompressor().decompress(b64decode(record["body"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            shared = {f"resource.{pair.key}": _value(pair.value) for pair in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    rows.append(shared | _naive_row(span))
    rows.sort(key=lambda row: row["trace_id"])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, compression="zstd")
    return sink.getvalue()


def _naive_row(span: Any) -> dict[str, Any]:
    row = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "kind": span.kind,
        "start_time_unix_nano": span.start_time_unix_nano,
        "duration_nano": span.end_time_unix_nano - span.start_time_unix_nano,
        "status_code": span.status.code,
    }
    for pair in span.attributes:
        row[f"span.{pair.key}"] = _value(pair.value)
    return row


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def _record(number: int, body: bytes) -> dict[str, Any]:
    said = {"tenant": "shop", "received": str(START_NS + 10**10)}
    return {
        "messageId": f"{number:08}",
        "body": as_text(packed(body)),
        "messageAttributes": {name: {"stringValue": value} for name, value in said.items()},
    }
