"""OTLP's protobuf messages in the forms that this package needs: typed for Python, and flat for Arrow.

ptars turns serialized messages into Arrow without a Python object a span, but cannot follow AnyValue's recursion. So a
private copy of OTLP's descriptors says that nested arrays and key-value lists are bytes, which is the same on the wire.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import ptars
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf import descriptor_pb2, descriptor_pool
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

PACKAGE = "opentelemetry.proto"
_AS_BYTES = {("AnyValue", "array_value"), ("AnyValue", "kvlist_value"), ("Resource", "entity_refs")}


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, trace_pb2, trace_service_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            for field in message.field:
                if (message.name, field.name) in _AS_BYTES:
                    field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
                    field.ClearField("type_name")
        pool.Add(file)
    return pool


@cache
def _handler(message: str) -> Any:
    descriptor = _pool().FindMessageTypeByName(f"{PACKAGE}.{message}")
    return ptars.HandlerPool([descriptor.file]).get_for_message(descriptor)


def requests_to_arrow(bodies: list[bytes]) -> pa.RecordBatch:
    """Serialized ExportTraceServiceRequests -> one row a request, its column `resource_spans` nested as the messages
    are.

    Raises what ptars raises (RuntimeError or ValueError) when any body cannot be decoded.
    """
    return _handler("collector.trace.v1.ExportTraceServiceRequest").list_to_record_batch(bodies)


def arrays_to_arrow(arrays: pa.Array) -> pa.ListArray:
    """Serialized ArrayValues -> a list of AnyValue structs for each, its own nested values still bytes."""
    return _handler("common.v1.ArrayValue").array_to_record_batch(arrays).column("values")


def arrays_from_arrow(lists: pa.ListArray) -> pa.Array:
    """Lists of text, integers, doubles or booleans -> serialized ArrayValues."""
    field = {pa.string(): "string_value", pa.int64(): "int_value", pa.float64(): "double_value"}.get(
        lists.type.value_type, "bool_value"
    )
    handler = _handler("common.v1.ArrayValue")
    any_value = handler.schema().field("values").type.value_type
    scalars = pc.list_flatten(lists)
    columns = [scalars if each.name == field else pa.nulls(len(scalars), each.type) for each in any_value]
    values = pa.StructArray.from_arrays(columns, fields=list(any_value))
    ends = pc.cumulative_sum(pc.list_value_length(lists))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends.cast(pa.int32())])
    return handler.record_batch_to_array(
        pa.record_batch(
            [pa.ListArray.from_arrays(offsets, values, type=handler.schema().field("values").type)], ["values"]
        )
    )
