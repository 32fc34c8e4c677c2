"""Jaeger's Thrift (jaeger-idl, thrift/jaeger.thrift and agent.thrift): a batch, or the call that hands batches over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import ClassVar

from spandrel.model.errors import Undecodable
from spandrel.wire.thrift import (
    BOOL,
    BYTES,
    DOUBLE,
    I32,
    I64,
    LIST,
    STRUCT,
    TEXT,
    Call,
    Encoding,
    Reader,
    Record,
    list_of,
    record,
    reply,
)

SUBMIT, EMIT = "submitBatches", "emitBatch"  # of a collector, and of an agent, which answers nothing
BINARY_CALL, COMPACT_CALL = b"\x80", b"\x82"  # the first byte of a message (thrift-rpc.md)


class Tag(Record):
    """`type` says which of the five values counts: some clients fill in all."""

    FIELDS: ClassVar = {
        1: ("key", TEXT),
        2: ("type", I32),
        3: ("text", TEXT),
        4: ("double", DOUBLE),
        5: ("flag", BOOL),
        6: ("integer", I64),
        7: ("binary", BYTES),
    }
    key: str
    type: int
    text: str | None
    double: float | None
    flag: bool | None
    integer: int | None
    binary: bytes | None


class Log(Record):
    FIELDS: ClassVar = {1: ("time_us", I64), 2: ("fields", list_of(record(Tag)))}
    time_us: int
    fields: list[Tag]


class Reference(Record):
    FIELDS: ClassVar = {1: ("type", I32), 2: ("trace_id_low", I64), 3: ("trace_id_high", I64), 4: ("span_id", I64)}
    type: int
    trace_id_low: int
    trace_id_high: int
    span_id: int


class Span(Record):
    FIELDS: ClassVar = {
        1: ("trace_id_low", I64),
        2: ("trace_id_high", I64),
        3: ("span_id", I64),
        4: ("parent_id", I64),
        5: ("name", TEXT),
        6: ("references", list_of(record(Reference))),
        7: ("flags", I32),
        8: ("start_us", I64),
        9: ("duration_us", I64),
        10: ("tags", list_of(record(Tag))),
        11: ("logs", list_of(record(Log))),
    }
    trace_id_low: int
    trace_id_high: int
    span_id: int
    parent_id: int
    name: str
    references: list[Reference] | None
    flags: int
    start_us: int
    duration_us: int
    tags: list[Tag] | None
    logs: list[Log] | None


class Process(Record):
    FIELDS: ClassVar = {1: ("service", TEXT), 2: ("tags", list_of(record(Tag)))}
    service: str
    tags: list[Tag] | None


# What the IDL calls required.
REQUIRED: Mapping[type[Record], tuple[tuple[str, ...], Callable[[Record], tuple[object, ...]]]] = {
    of: (names, attrgetter(*names, names[0]))  # the first twice, so that a tuple comes out also for one
    for of, names in {
        Tag: ("key", "type"),
        Log: ("time_us", "fields"),
        Reference: ("type", "trace_id_low", "trace_id_high", "span_id"),
        Span: ("trace_id_low", "trace_id_high", "span_id", "parent_id", "name", "flags", "start_us", "duration_us"),
        Process: ("service",),
    }.items()
}


class _Outcome(Record):
    FIELDS: ClassVar = {1: ("ok", BOOL)}
    ok: bool


class _Outcomes(Record):
    FIELDS: ClassVar = {0: ("success", list_of(record(_Outcome)))}
    success: list[_Outcome]


def encoding_of(body: bytes) -> Encoding:
    """By its first byte: in binary the type of a field, or 80 for a call; in compact 16 and more, or 82 for a call."""
    return "compact" if body[:1] > b"\x0f" and body[:1] != BINARY_CALL else "binary"


def batches(body: bytes, encoding: Encoding) -> Iterator[Iterator[Process | Span]]:
    """Each batch, as what it consists of in the order in which it came; it has to be read before the next.

    The body is one batch, or a call that hands over one or many. Undecodable where it is neither, and for a batch
    without its process, a span without one of the fields that Jaeger requires, and so on: nothing is taken then.
    """
    reader = Reader(body, encoding)
    call = _call(body, reader)
    if not call:
        yield _batch(reader)
        return
    for number, field_type in reader.fields():
        if (call.name, number, field_type) == (SUBMIT, 1, LIST):
            for _ in reader.structs():
                yield _batch(reader)
        elif (call.name, number, field_type) == (EMIT, 1, STRUCT):
            yield _batch(reader)
        else:
            reader.skip(field_type)


def answer_of(body: bytes, encoding: Encoding, taken: Iterable[bool]) -> bytes:
    """What the caller waits for, with `taken` for each batch; empty for a body that is no call."""
    call = _call(body, Reader(body, encoding))
    if not call or call.name == EMIT:
        return b""
    result = _Outcomes()
    result.success = list(map(_outcome, taken))
    return reply(call, result, encoding)


def _outcome(taken: bool) -> _Outcome:
    outcome = _Outcome()
    outcome.ok = taken
    return outcome


def _call(body: bytes, reader: Reader) -> Call | None:
    if body[:1] not in {BINARY_CALL, COMPACT_CALL}:
        return None
    call = reader.call()
    if call.name not in {SUBMIT, EMIT}:
        raise Undecodable(f"there is no call {call.name[:80]!r}, only {SUBMIT} and {EMIT}")
    return call


def _batch(reader: Reader) -> Iterator[Process | Span]:
    missing = {"process", "spans"}
    for number, field_type in reader.fields():
        if (number, field_type) == (1, STRUCT):
            missing.discard("process")
            process = reader.record(Process)
            _require(Process, [process])
            _require(Tag, process.tags or ())
            yield process
        elif (number, field_type) == (2, LIST):
            missing.discard("spans")
            for span in reader.records(Span):
                yield _whole(span)
        else:
            reader.skip(field_type)
    if missing:
        raise Undecodable(f"a batch has no {' and no '.join(sorted(missing))}")


def _whole(span: Span) -> Span:
    _require(Span, [span])
    _require(Tag, span.tags or ())
    _require(Reference, span.references or ())
    logs = span.logs or ()
    _require(Log, logs)
    for log in logs:
        _require(Tag, log.fields)
    return span


def _require(of: type[Record], found: Iterable[Record]) -> None:
    """That none of its required fields is missing, or came with another type, which is the same in Thrift."""
    names, fields = REQUIRED[of]
    for item in found:
        if None in fields(item):
            missing = " or ".join(name for name, value in zip(names, fields(item), strict=False) if value is None)
            raise Undecodable(f"a {of.__name__.lower()} has no {missing}")
