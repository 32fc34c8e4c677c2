"""Thrift as it stands on the wire, binary or compact: records of a declared shape out of bytes of anybody.

Apache Thrift's C reader does the reading. It looks at a length before it makes room for it and at the depth of what it
skips, as long as it is told the limits, which is done here. Fields that a record does not know, and fields of another
type than the declared one, are skipped, as by any Thrift peer (thrift-binary-protocol.md, "Struct").

A list of records is read one by one: what they are made into is smaller than what Python makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.protocol.TCompactProtocol import TCompactProtocolAccelerated
from thrift.Thrift import TException, TMessageType, TType
from thrift.transport.TTransport import TMemoryBuffer

from spandrel.model.errors import Undecodable

Encoding = Literal["binary", "compact"]

ELEMENTS_MAX = 100_000  # of a list inside of a record: an empty element is one byte on the wire and some 100 in memory

Kind = tuple[int, Any]
"""A type on the wire, and what the C reader wants to know besides."""

BOOL: Kind = (TType.BOOL, None)
BYTE: Kind = (TType.BYTE, None)
I16: Kind = (TType.I16, None)
I32: Kind = (TType.I32, None)
I64: Kind = (TType.I64, None)
DOUBLE: Kind = (TType.DOUBLE, None)
TEXT: Kind = (TType.STRING, "UTF8")  # U+FFFD stands for what is no UTF-8
BYTES: Kind = (TType.STRING, "BINARY")
STOP, STRUCT, LIST = int(TType.STOP), int(TType.STRUCT), int(TType.LIST)

_PROTOCOLS = {"binary": TBinaryProtocolAccelerated, "compact": TCompactProtocolAccelerated}
_BROKEN = (TException, EOFError, LookupError, OverflowError, TypeError, ValueError)  # all that thrift raises of a body


class Record:
    """A Thrift struct. A subclass lists its fields, by number, as (attribute, kind); those that did not come are None.

    A number is fixed for ever in Thrift, a name is not: the names are free.
    """

    FIELDS: ClassVar[Mapping[int, tuple[str, Kind]]]
    thrift_spec: ClassVar[tuple[Any, ...]]

    def __init_subclass__(cls) -> None:
        cls.thrift_spec = tuple(_field(cls.FIELDS, number) for number in range(max(cls.FIELDS) + 1))
        for name, _ in cls.FIELDS.values():
            setattr(cls, name, None)


R = TypeVar("R", bound=Record)


def record(of: type[Record]) -> Kind:
    """The kind of a field that holds one such record."""
    return (TType.STRUCT, [of, of.thrift_spec])


def list_of(kind: Kind) -> Kind:
    """The kind of a field that holds up to ELEMENTS_MAX of that kind."""
    return (TType.LIST, (*kind, False))


class Call(NamedTuple):
    """The head of a message: what is called, and the number that the reply has to repeat."""

    name: str
    number: int


class Reader:
    """Reads a body from its start on; every method raises Undecodable when the body is no Thrift or is cut short."""

    def __init__(self, body: bytes, encoding: Encoding = "binary") -> None:
        self._protocol = _PROTOCOLS[encoding](
            TMemoryBuffer(body), string_length_limit=len(body), container_length_limit=ELEMENTS_MAX, fallback=False
        )
        self._length_bytes = len(body)

    def record(self, of: type[R]) -> R:
        """The record that comes next."""
        with _as_undecodable():
            return self._record(of)

    def records(self, of: type[R]) -> Iterator[R]:
        """Those of the list that comes next, however many. A list outside of any struct is known in binary only."""
        with _as_undecodable():
            for _ in self.structs():
                yield self._record(of)

    def structs(self) -> Iterator[None]:
        """Stops once at each struct of the list that comes next, however many; the caller reads it before the next."""
        with _as_undecodable():
            for _ in range(self._list_size()):
                yield
            self._protocol.readListEnd()

    def call(self) -> Call:
        """The head of the message that comes next, which is followed by a struct of what the call hands over."""
        with _as_undecodable():
            name, message_type, number = self._protocol.readMessageBegin()
        if message_type not in {TMessageType.CALL, TMessageType.ONEWAY}:
            raise Undecodable(f"the body is no call but Thrift's message type {message_type}")
        return Call(name, number)

    def fields(self) -> Iterator[tuple[int, int]]:
        """Number and type of each field of the struct that comes next; the caller reads or skips each before the next.

        For a struct that is too large to be read at once.
        """
        with _as_undecodable():
            self._protocol.readStructBegin()
            while (field := self._protocol.readFieldBegin())[1] != STOP:
                yield field[2], field[1]
                self._protocol.readFieldEnd()
            self._protocol.readStructEnd()

    def skip(self, field_type: int) -> None:
        """Passes over a value of that type."""
        with _as_undecodable():
            self._protocol.readString = self._protocol.readBinary  # what is passed over may be no UTF-8
            self._protocol.skip(field_type)

    def _record(self, of: type[R]) -> R:
        found = of()
        self._protocol._fast_decode(found, self._protocol, [of, of.thrift_spec])
        return found

    def _list_size(self) -> int:
        self._protocol.container_length_limit = self._length_bytes
        element_type, size = self._protocol.readListBegin()
        self._protocol.container_length_limit = ELEMENTS_MAX
        if element_type != TType.STRUCT and size:
            raise Undecodable(f"the body is a list of Thrift's type {element_type}, not of structs")
        return int(size)


def reply(call: Call, result: Record, encoding: Encoding) -> bytes:
    """The message that answers the call with what it gave (thrift-rpc.md, "Response")."""
    written = TMemoryBuffer()
    protocol = _PROTOCOLS[encoding](written, fallback=False)
    protocol.writeMessageBegin(call.name, TMessageType.REPLY, call.number)
    head: bytes = written.getvalue()
    return head + protocol._fast_encode(result, [type(result), result.thrift_spec])


def _field(fields: Mapping[int, tuple[str, Kind]], number: int) -> tuple[Any, ...] | None:
    if number not in fields:
        return None
    name, (wire_type, details) = fields[number]
    return (number, wire_type, name, details, None)


@contextmanager
def _as_undecodable() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise Undecodable(f"the body is no Thrift: {error or 'it is cut short'}") from error
