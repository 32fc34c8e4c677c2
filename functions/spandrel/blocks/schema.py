"""Block format, version 1: the columns of a block. docs/blocks.md describes it for readers outside this project.

A column that would say nothing in a whole block (no span has an event, every flag is 0) is left out of that block;
what is left out reads as null, and null reads as OTLP's default (0, empty). So a reader asks which columns a block
has, anyway has to for attributes, and a footer of a small block stays small.

Attributes are ordinary columns, one for each key and type, named `span.<key>:<type>`, `resource.<key>:<type>` or
`scope.<key>:<type>`: every Parquet engine reads them, with statistics, and blocks can never disagree about a column's
type. What is too rare for a column of its own (beyond COLUMNS_MAX), repeated within a span, nested or of mixed
elements stays in `span_rest`, `resource_rest` and `scope_rest` exactly as it came (ADR 0001).
"""

from __future__ import annotations

import pyarrow as pa

from spandrel.model.ids import SPAN_ID_BYTES, TRACE_ID_BYTES

from .naming import AttributeScope, AttributeType

# Columns of their own that attributes of a block may have; the most frequent pairs of key and type win.
COLUMNS_MAX: dict[AttributeScope, int] = {"span": 128, "resource": 64, "scope": 16}

ARROW_TYPES: dict[AttributeType, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "bytes": pa.binary(),
    "string[]": pa.list_(pa.string()),
    "int[]": pa.list_(pa.int64()),
    "double[]": pa.list_(pa.float64()),
    "bool[]": pa.list_(pa.bool_()),
}

# One attribute as OTLP has it. At most one of the fields behind `key` is set; none is OTLP's empty value.
# `array` and `kvlist` are the serialized ArrayValue and KeyValueList messages of opentelemetry/proto/common/v1.
KEY_VALUE = pa.struct(
    {
        "key": pa.string(),
        "string": pa.string(),
        "int": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "bytes": pa.binary(),
        "array": pa.binary(),
        "kvlist": pa.binary(),
    }
)

EVENT = pa.struct(
    {
        "time_unix_nano": pa.uint64(),
        "name": pa.string(),
        "attributes": pa.list_(KEY_VALUE),
        "dropped_attributes_count": pa.uint32(),
    }
)

LINK = pa.struct(
    {
        "trace_id": pa.binary(),
        "span_id": pa.binary(),
        "trace_state": pa.string(),
        "flags": pa.uint32(),
        "attributes": pa.list_(KEY_VALUE),
        "dropped_attributes_count": pa.uint32(),
    }
)

# The columns that are no attributes, in the order in which they stand in a block.
# `duration_nano` is end minus start modulo 2^64, so that an end before its start comes out as it went in.
# `service` is the resource's service.name where that is text; it is not repeated as an attribute column.
COLUMNS: dict[str, pa.DataType] = {
    "trace_id": pa.binary(TRACE_ID_BYTES),
    "span_id": pa.binary(SPAN_ID_BYTES),
    "parent_span_id": pa.binary(SPAN_ID_BYTES),
    "name": pa.string(),
    "kind": pa.int32(),
    "service": pa.string(),
    "start_time_unix_nano": pa.uint64(),
    "duration_nano": pa.int64(),
    "status_code": pa.int32(),
    "status_message": pa.string(),
    "trace_state": pa.string(),
    "flags": pa.uint32(),
    "dropped_attributes_count": pa.uint32(),
    "dropped_events_count": pa.uint32(),
    "dropped_links_count": pa.uint32(),
    "resource_schema_url": pa.string(),
    "resource_dropped_attributes_count": pa.uint32(),
    "resource_entity_refs": pa.list_(pa.binary()),
    "scope_name": pa.string(),
    "scope_version": pa.string(),
    "scope_schema_url": pa.string(),
    "scope_dropped_attributes_count": pa.uint32(),
    "events": pa.list_(EVENT),
    "links": pa.list_(LINK),
    "span_rest": pa.list_(KEY_VALUE),
    "resource_rest": pa.list_(KEY_VALUE),
    "scope_rest": pa.list_(KEY_VALUE),
}
