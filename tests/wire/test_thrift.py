"""Records out of Thrift's bytes, written here by Apache Thrift itself, and out of what no honest peer writes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TType

from benchmarks.thrift_bytes import Fields, written
from spandrel.model.errors import Undecodable
from spandrel.wire.thrift import (
    BOOL,
    BYTES,
    DOUBLE,
    ELEMENTS_MAX,
    I16,
    I32,
    I64,
    LIST,
    TEXT,
    Encoding,
    Reader,
    Record,
    list_of,
    record,
)


class Place(Record):
    FIELDS: ClassVar = {1: ("port", I16), 2: ("name", TEXT)}


class Call(Record):
    FIELDS: ClassVar = {
        1: ("number", I64),
        2: ("text", TEXT),
        3: ("blob", BYTES),
        5: ("sure", BOOL),
        6: ("share", DOUBLE),
        7: ("place", record(Place)),
        8: ("places", list_of(record(Place))),
        9: ("small", I32),
    }


PLACE: Fields = {1: (TType.I16, -1), 2: (TType.STRING, b"here")}
CALL: Fields = {
    1: (TType.I64, -(2**63)),
    2: (TType.STRING, "Zoë".encode()),
    3: (TType.STRING, b"\xff\0"),
    5: (TType.BOOL, True),
    6: (TType.DOUBLE, 0.1),
    7: (TType.STRUCT, PLACE),
    8: (TType.LIST, (TType.STRUCT, [PLACE, {}])),
    9: (TType.I32, 2**31 - 1),
}
ENCODINGS: tuple[Encoding, ...] = ("binary", "compact")
BOTH = pytest.mark.parametrize("encoding", ENCODINGS)
PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol}


def struct(fields: Fields, encoding: Encoding) -> bytes:
    return written(PROTOCOLS[encoding], TType.STRUCT, fields)


def listed(*structs: Fields) -> bytes:
    """A list that is no field of anything: compact cannot write one."""
    return written(TBinaryProtocol, TType.LIST, (TType.STRUCT, structs))


def told(found: Record) -> dict[str, Any]:
    """The fields that came, those of inner records too."""
    return {name: _told(value) for name, value in vars(found).items()}


def _told(value: Any) -> Any:
    if isinstance(value, list):
        return [_told(item) for item in value]
    return told(value) if isinstance(value, Record) else value


def read(body: bytes, encoding: Encoding) -> dict[str, Any]:
    return told(Reader(body, encoding).record(Call))


def all_of(body: bytes, encoding: Encoding) -> list[Any]:
    """Whatever the fields of the struct hold."""
    reader = Reader(body, encoding)
    return [_value(reader, wire_type) for _, wire_type in reader.fields()]


def _value(reader: Reader, wire_type: int) -> Any:
    match wire_type:
        case TType.LIST:
            return list(map(told, reader.records(Place)))
        case TType.STRUCT:
            return told(reader.record(Call))
        case _:
            return reader.skip(wire_type)


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """A function that says how many bytes were held at most since then."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@BOTH
def test_each_kind_of_field_comes_back_as_it_was_written(encoding: Encoding) -> None:
    place = {"port": -1, "name": "here"}
    assert read(struct(CALL, encoding), encoding) == {
        "number": -(2**63),
        "text": "Zoë",
        "blob": b"\xff\0",
        "sure": True,
        "share": 0.1,
        "place": place,
        "places": [place, {}],
        "small": 2**31 - 1,
    }


@BOTH
def test_a_field_that_did_not_come_is_none(encoding: Encoding) -> None:
    found = Reader(struct({}, encoding), encoding).record(Call)
    assert [getattr(found, name) for name, _ in Call.FIELDS.values()] == [None] * len(Call.FIELDS)


@BOTH
def test_fields_that_nobody_declared_are_skipped(encoding: Encoding) -> None:
    unknown: Fields = {4: (TType.STRUCT, CALL), 90: (TType.LIST, (TType.STRING, [b"\xff", b""]))}
    assert read(struct({**unknown, 9: (TType.I32, 5)}, encoding), encoding) == {"small": 5}


@BOTH
def test_a_field_of_another_type_than_declared_is_skipped(encoding: Encoding) -> None:
    body = struct({1: (TType.STRING, b"one"), 2: (TType.I64, 2), 9: (TType.I32, 5)}, encoding)
    assert read(body, encoding) == {"small": 5}


@BOTH
def test_text_that_is_no_utf_8_is_mended(encoding: Encoding) -> None:
    body = struct({2: (TType.STRING, b"a\xffb")}, encoding)
    assert read(body, encoding) == {"text": "a\N{REPLACEMENT CHARACTER}b"}


def test_a_bare_list_is_read_record_by_record() -> None:
    body = listed(*({9: (TType.I32, number)} for number in range(3)))
    assert list(map(told, Reader(body).records(Call))) == [{"small": 0}, {"small": 1}, {"small": 2}]


@BOTH
def test_a_struct_can_be_read_field_by_field(encoding: Encoding) -> None:
    body = struct({1: (TType.STRING, b"\xff"), 5: CALL[5], 7: CALL[7], 8: CALL[8], 9: (TType.I32, 5)}, encoding)
    reader = Reader(body, encoding)
    places: list[Any] = []
    for number, wire_type in reader.fields():
        if (number, wire_type) == (8, LIST):
            places = list(map(told, reader.records(Place)))
        else:
            reader.skip(wire_type)
    assert places == [{"port": -1, "name": "here"}, {}]


@BOTH
def test_a_body_cut_short_anywhere_is_refused(encoding: Encoding) -> None:
    body = struct({**CALL, 1: (TType.STRUCT, CALL)}, encoding)
    assert len(all_of(body, encoding)) == len(CALL)
    for end in range(len(body)):
        with pytest.raises(Undecodable):
            all_of(body[:end], encoding)


HOSTILE = {
    "text of 2 GB": b"\x0b\x00\x02\x7f\xff\xff\xff",
    "text of less than nothing": b"\x0b\x00\x02\xff\xff\xff\xff",
    "unknown text of 2 GB": b"\x0b\x00\x63\x7f\xff\xff\xff",
    "two thousand million elements": b"\x0f\x00\x08\x0c\x7f\xff\xff\xff",
    "less elements than none": b"\x0f\x00\x08\x0c\xff\xff\xff\xff",
    "unknown elements by the million": b"\x0f\x00\x63\x02\x7f\xff\xff\xff",
    "unknown pairs by the million": b"\x0d\x00\x63\x02\x02\x7f\xff\xff\xff",
    "numbers instead of records": b"\x0f\x00\x08\x08\x00\x00\x00\x01\x00\x00\x00\x07\x00",
    "a type that there is not": b"\x63\x00\x01",
    "a million structs in each other": b"\x0c\x00\x63" * 1_000_000,
    "a million lists in each other": b"\x0f\x00\x63" + b"\x0f\x00\x00\x00\x01" * 1_000_000,
    "a million maps in each other": b"\x0d\x00\x63" + b"\x0d\x0d\x00\x00\x00\x01" * 1_000_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_a_body_only_claims_to_hold_costs_nothing(body: bytes) -> None:
    with traced() as peak_bytes, pytest.raises(Undecodable):
        Reader(body).record(Call)
    assert peak_bytes() < 2 * len(body) + 100_000


def test_more_elements_than_a_record_may_have_are_refused() -> None:
    places = b"\x0f\x00\x08\x0c" + (ELEMENTS_MAX + 1).to_bytes(4) + bytes(ELEMENTS_MAX + 2)
    with pytest.raises(Undecodable):
        Reader(places).record(Call)


def test_a_list_of_many_records_is_never_in_memory_at_once() -> None:
    count = 300_000
    body = b"\x0c" + count.to_bytes(4) + bytes(count)
    with traced() as peak_bytes:
        assert sum(1 for _ in Reader(body).records(Call)) == count
    assert peak_bytes() < 2 * len(body) + 100_000


def test_a_list_of_anything_else_than_structs_is_refused() -> None:
    with pytest.raises(Undecodable, match="type 8"):
        list(Reader(b"\x08\0\0\0\1\0\0\0\1").records(Call))


@BOTH
@given(start=st.integers(0, 160), junk=st.binary(max_size=12))
def test_no_body_does_more_than_be_refused(encoding: Encoding, start: int, junk: bytes) -> None:
    body = bytearray(struct({**CALL, 1: (TType.STRUCT, CALL)}, encoding))
    body[start : start + len(junk)] = junk
    try:
        all_of(bytes(body), encoding)
    except Undecodable as error:
        assert "Thrift" in str(error)
