"""`layout`: attributes as typed columns (ours) beside attributes as one shredded VARIANT, which ADR 0001 decided
between.

Both hold the same spans, sorted by trace id, and answer the same questions in DuckDB on two threads from local disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from spandrel.blocks.spans import Spans
from spandrel.blocks.writer import draft, write_block

from .clocks import median_seconds, one_core
from .figures import Figure
from .spans import START_NS, SpanSource

REQUESTS = 400
SHREDDED = {
    "http.request.method": "VARCHAR",
    "http.response.status_code": "BIGINT",
    "http.response.body.size": "BIGINT",
    "url.path": "VARCHAR",
    "user.id": "VARCHAR",
    "server.address": "VARCHAR",
    "network.protocol.version": "VARCHAR",
    "thread.id": "BIGINT",
}
QUESTIONS = {
    "a rare value": ("select trace_id from {file} where {value} = 'user-4711'", "user.id"),
    "a common value": ("select count(*) from {file} where {value} = 500", "http.response.status_code"),
}
DRAFT = draft("bench", START_NS, "layout", is_far=False)


def figures() -> Iterator[Figure]:
    """For both layouts: microseconds a span to write, bytes a span, milliseconds a question."""
    table = Spans(SpanSource().requests(REQUESTS)).table()
    spans = len(table)
    with tempfile.TemporaryDirectory() as name:
        columns, variant = Path(name, "columns.parquet"), Path(name, "variant.parquet")
        with one_core():
            columns_s = median_seconds(lambda: columns.write_bytes(write_block(table, DRAFT).body), runs=3)
            variant_s = median_seconds(lambda: _write_variant(table, variant), runs=3)
        for layout, seconds, path in (("columns", columns_s, columns), ("VARIANT", variant_s, variant)):
            yield Figure("layout", f"{layout}: write, one core", seconds / spans * 1e6, "us/span")
            yield Figure("layout", f"{layout}: size", path.stat().st_size / spans, "bytes/span")
        for question in QUESTIONS:
            for layout, path in (("columns", columns), ("VARIANT", variant)):
                yield Figure("layout", f"{layout}: {question}", 1000 * _ask(question, layout, path), "ms")


def _write_variant(table: pa.Table, path: Path) -> None:
    """The attributes as one object a span, shredded by name and type: the best case, for nothing has to be counted."""
    fixed = ", ".join(f'"{name}"' for name in table.column_names if not name.startswith("span."))
    fields = ", ".join(f"'{key}': \"{_column(key)}\"" for key in SHREDDED)
    shredding = ", ".join(f'"{key}" {kind}' for key, kind in SHREDDED.items())
    connection = _connection(1)
    connection.register("spans", table)
    connection.execute(
        f"""copy (select {fixed}, {{{fields}}}::variant as attributes from spans) to '{path}'
        (format parquet, compression zstd, row_group_size 30720, shredding {{'attributes': 'STRUCT({shredding})'}})"""
    )


def _column(key: str) -> str:
    return f"span.{key}:{'string' if SHREDDED[key] == 'VARCHAR' else 'int'}"


def _ask(question: str, layout: str, path: Path) -> float:
    sql, key = QUESTIONS[question]
    column = f'"{_column(key)}"' if layout == "columns" else f'attributes."{key}"::{SHREDDED[key]}'
    connection = _connection(2)
    return median_seconds(lambda: connection.execute(sql.format(file=f"'{path}'", value=column)).fetchall())


def _connection(threads: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": threads})
