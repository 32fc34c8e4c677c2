from __future__ import annotations

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spandrel.blocks.encodings import (
    QUICK_LEVEL,
    THOROUGH_LEVEL,
    parquet_writer,
    quick_encodings,
    thorough_encodings,
)

ROWS = 5000
EVERYWHERE = {"PLAIN", "RLE", "RLE_DICTIONARY", "DELTA_BINARY_PACKED", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"}
"""Encodings that Arrow, DuckDB, parquet-java (Spark) and Trino (Athena) read for the types that they are used for."""


def drawn() -> pa.Table:
    draw = random.Random(5)
    return pa.table(
        {
            "trace_id": pa.array(sorted(draw.randbytes(16) for _ in range(ROWS)), pa.binary(16)),
            "start_time_unix_nano": pa.array([10**18 + draw.randrange(10**10) for _ in range(ROWS)], pa.uint64()),
            "duration_nano": pa.array([int(draw.lognormvariate(15, 1)) for _ in range(ROWS)], pa.int64()),
            "name": pa.array([draw.choice("abc") for _ in range(ROWS)]),
            "span.user:string": pa.array([f"user-{draw.randrange(10**6)}" for _ in range(ROWS)]),
            "span.size:int": pa.array([draw.randrange(3000) for _ in range(ROWS)], pa.int64()),
            "span.load:double": pa.array([draw.random() for _ in range(ROWS)]),
            "span.few:string": pa.array([None] * (ROWS - 1) + ["x"]),
        }
    )


def written(table: pa.Table, encodings: dict[str, str], level: int) -> bytes:
    sink = pa.BufferOutputStream()
    with parquet_writer(sink, table.schema, encodings, level) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def used(body: bytes) -> dict[str, set[str]]:
    group = pq.read_metadata(io.BytesIO(body)).row_group(0)
    columns = (group.column(at) for at in range(group.num_columns))
    return {column.path_in_schema: set(column.encodings) for column in columns}


@pytest.mark.parametrize("choose", [quick_encodings, thorough_encodings])
def test_only_encodings_that_all_engines_read_are_used(choose: object) -> None:
    table = drawn()
    body = written(table, choose(table), THOROUGH_LEVEL)  # type: ignore[operator]
    for name, encodings in used(body).items():
        assert encodings <= EVERYWHERE | ({"BYTE_STREAM_SPLIT"} if name.endswith(":double") else set()), name
    assert pq.read_table(io.BytesIO(body)).equals(table)


def test_what_is_tried_is_smaller_than_what_is_guessed() -> None:
    table = drawn()
    thorough, quick = thorough_encodings(table), quick_encodings(table)
    assert len(written(table, thorough, THOROUGH_LEVEL)) < len(written(table, quick, QUICK_LEVEL))
    assert "name" not in thorough


def test_a_column_that_nearly_no_span_has_and_one_of_lists_keep_their_dictionary() -> None:
    lists = pa.table({"span.all:string[]": pa.array([["a", "b"]] * 10)})
    assert thorough_encodings(lists) == quick_encodings(lists) == {}
    assert "span.few:string" not in thorough_encodings(drawn())
