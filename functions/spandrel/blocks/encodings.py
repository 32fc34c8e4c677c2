"""How a block's columns are encoded: only in ways that every Parquet engine reads.

BYTE_STREAM_SPLIT of integers would take a byte a span off each time, but engines without it (Trino, and so Athena)
could not read the column (ADR 0006).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .schema import COLUMNS

BloomFilter = dict[str, float]
"""PyArrow's: `ndv`, how many values it is made for; `fpp`, how often it may say of another that it might be there."""

QUICK_LEVEL, THOROUGH_LEVEL = 1, 6

# Texts that repeat little are read in two thirds of the time when their lengths stand apart from them, and take more
# room unless compressed by a strategy of zstd that takes several times as long. Parents gain by it too (ADR 0012).
_TEXTS, _HARD_LEVEL = "DELTA_LENGTH_BYTE_ARRAY", 13

# Ids and times hardly repeat: a dictionary of them would be built and thrown away.
_QUICK = {
    "trace_id": "PLAIN",
    "span_id": "PLAIN",
    "parent_span_id": "PLAIN",
    "start_time_unix_nano": "DELTA_BINARY_PACKED",
    "duration_nano": "DELTA_BINARY_PACKED",
}
_FALSE_POSITIVES = 0.01  # of a filter; its size is rounded up to a power of two, so there are fewer
_FILTERED_SPANS = 4  # spans a trace, from which on a filter takes less than a fiftieth of a block
_SAMPLE_SPANS = 4096
_SAMPLE_DISTINCT = 0.75  # of the sample: such a column goes without a dictionary
_TRIED_DISTINCT = 0.02  # of the sample: from here on a dictionary may not pay


def quick_encodings(table: pa.Table) -> dict[str, str]:
    """The columns that are written without a dictionary, and how: a guess from a sample, for blocks that live for a
    minute.
    """
    plain = {n: "PLAIN" for n in table.column_names if n not in COLUMNS and _distinct(table[n]) > _SAMPLE_DISTINCT}
    doubles = {name: "BYTE_STREAM_SPLIT" for name in plain if name.endswith(":double")}
    return {name: how for name, how in _QUICK.items() if name in table.column_names} | plain | doubles


def thorough_encodings(table: pa.Table) -> dict[str, str]:
    """The same, each way tried on the rows of `table`: for blocks that stay."""
    tried = [name for name in table.column_names if _distinct(table[name]) > _TRIED_DISTINCT]
    best = {name: _smallest(table[name]) for name in tried}
    return {name: how for name, how in best.items() if how is not None}


def trace_filter(table: pa.Table) -> dict[str, BloomFilter]:
    """The Bloom filter of trace ids that each row group has, for row groups with as many traces as this one: by it a
    few traces are looked for without reading the ids. None where traces are so small that it would take its share.
    """
    traces = pc.count_distinct(table["trace_id"]).as_py()
    if traces * _FILTERED_SPANS > len(table):
        return {}
    return {"trace_id": {"ndv": traces, "fpp": _FALSE_POSITIVES}}


def parquet_writer(
    sink: pa.NativeFile,
    schema: pa.Schema,
    encodings: Mapping[str, str],
    level: int,
    filters: Mapping[str, BloomFilter] | None = None,
) -> pq.ParquetWriter:
    """A writer of these columns; those without an encoding have a dictionary."""
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=_levels(schema, encodings, level),
        use_dictionary=[name for name in schema.names if name not in encodings],
        column_encoding=dict(encodings),
        write_statistics=_with_statistics(schema),
        store_schema=False,
        write_page_checksum=True,
        bloom_filter_options=dict(filters or {}),
    )


def _levels(schema: pa.Schema, encodings: Mapping[str, str], level: int) -> dict[str, int]:
    """zstd's level for each column, by its path in Parquet."""
    hard = {name for name, how in encodings.items() if how == _TEXTS}
    if level == THOROUGH_LEVEL:
        hard.add("parent_span_id")
    levels = {field.name: _HARD_LEVEL if field.name in hard else level for field in schema}
    return {path: levels[field.name] for field in schema for path in _paths(field, field.name)}


def _paths(field: pa.Field, path: str) -> Iterator[str]:
    """The columns that Parquet makes of a field."""
    if pa.types.is_list(field.type):
        yield from _paths(field.type.value_field, f"{path}.list.element")
    elif pa.types.is_struct(field.type):
        for part in field.type:
            yield from _paths(part, f"{path}.{part.name}")
    else:
        yield path


def _with_statistics(schema: pa.Schema) -> list[str]:
    """The columns whose row groups say from where to where their values go, by their paths in Parquet.

    Not parents' ids: nobody is helped by the range of random ids, and DuckDB 2.0.0 takes `IS NULL` for true of all rows
    where the values of a text or bytes column without a dictionary are all the same, which it knows from there. Not
    what lies in structs either: nothing is looked for there by its range.
    """
    flat = (field for field in schema if field.name != "parent_span_id" and not _holds_structs(field.type))
    return [f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name for field in flat]


def _holds_structs(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) and pa.types.is_struct(kind.value_type))


def _distinct(column: pa.ChunkedArray) -> float:
    """Which part of a sample is distinct; 0 where that says nothing."""
    kind = column.type
    if not (pa.types.is_primitive(kind) or pa.types.is_string(kind) or pa.types.is_fixed_size_binary(kind)):
        return 0.0
    sample = column.slice(0, _SAMPLE_SPANS).drop_null()
    return pc.count_distinct(sample).as_py() / len(sample) if len(sample) > 100 else 0.0


def _smallest(column: pa.ChunkedArray) -> str | None:
    """The encoding that takes the fewest bytes; None for a dictionary."""
    sizes = {how: _size_bytes(column, how) for how in (None, "PLAIN", *_others(column.type))}
    return min(sizes, key=lambda how: sizes[how])


def _others(kind: pa.DataType) -> Sequence[str]:
    if pa.types.is_integer(kind):
        return ("DELTA_BINARY_PACKED",)
    if pa.types.is_string(kind):
        return (_TEXTS,)
    return ("BYTE_STREAM_SPLIT",) if pa.types.is_floating(kind) else ()


def _size_bytes(column: pa.ChunkedArray, how: str | None) -> int:
    sink = pa.BufferOutputStream()
    table = pa.table({"tried": column})
    with parquet_writer(sink, table.schema, {} if how is None else {"tried": how}, THOROUGH_LEVEL) as writer:
        writer.write_table(table)
    return int(sink.tell())
