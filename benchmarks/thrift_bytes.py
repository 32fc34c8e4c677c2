"""Thrift's bytes of records that no IDL describes, by Apache Thrift's own writers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thrift.Thrift import TType
from thrift.transport.TTransport import TMemoryBuffer

Fields = dict[int, tuple[int, Any]]
"""A struct: type and value by the field's number. A list's value is the type of its elements, and they."""

_WRITERS = {
    TType.BOOL: "writeBool",
    TType.I16: "writeI16",
    TType.I32: "writeI32",
    TType.I64: "writeI64",
    TType.DOUBLE: "writeDouble",
}


def written(protocol: Callable[[TMemoryBuffer], Any], wire_type: int, value: Any) -> bytes:
    """A value of a Thrift type, by TBinaryProtocol or TCompactProtocol. STRING is of bytes or text."""
    buffer = TMemoryBuffer()
    _write(protocol(buffer), wire_type, value)
    return bytes(buffer.getvalue())


def _write(protocol: Any, wire_type: int, value: Any) -> None:
    match wire_type:
        case TType.STRUCT:
            protocol.writeStructBegin("")
            for number, (field_type, inner) in value.items():
                protocol.writeFieldBegin("", field_type, number)
                _write(protocol, field_type, inner)
                protocol.writeFieldEnd()
            protocol.writeFieldStop()
            protocol.writeStructEnd()
        case TType.LIST:
            element_type, elements = value
            protocol.writeListBegin(element_type, len(elements))
            for element in elements:
                _write(protocol, element_type, element)
            protocol.writeListEnd()
        case TType.STRING:
            protocol.writeBinary(value.encode() if isinstance(value, str) else value)
        case _:
            getattr(protocol, _WRITERS[wire_type])(value)
