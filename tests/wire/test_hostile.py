"""Every format within the memory and the time of `receive`: bodies of as many parts as go into one.

Each part is as short as its encoding can write it. More of them stand with OTLP, X-Ray and Cloud Trace.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from typing import NamedTuple

import pytest

from infra.settings import Settings
from local.routes import find_route
from spandrel.model.limits import BODY_BYTES, DECODED_BODY_BYTES, DECODED_STRUCTS_BYTES
from spandrel.wire.datadog.payloads import ELEMENTS_MAX
from spandrel.wire.thrift import ELEMENTS_MAX as FIELDS_MAX
from tests.events import http_event
from tests.memory import run_measured

from .gateway import ALL
from .test_memory import RECEIVE
from .test_otlp_protobuf import field

ROOM = 1024  # for what is around the parts
JSON, PROTOBUF, THRIFT, MSGPACK = (f"application/{kind}" for kind in ("json", "x-protobuf", "x-thrift", "msgpack"))
COMPACT = "application/vnd.apache.thrift.compact"
SPAN = b'{"traceId":"1","id":"1"'
SECONDS_MAX = 25  # API Gateway waits 30; on a machine that does other work besides


class Hostile(NamedTuple):
    path: str
    content_type: str
    body: Callable[[], bytes]
    statuses: set[int]


def listed(part: bytes, before: bytes = b"[", after: bytes = b"]") -> bytes:
    """As many of the part as fit into a list of JSON."""
    count = (DECODED_BODY_BYTES - ROOM) // len(part + b",")
    return before + b",".join([part] * count) + after


def numbered(part: bytes, count: int, before: bytes, after: bytes) -> bytes:
    """The same of parts that differ."""
    return before + b",".join(part % number for number in range(count)) + after


def protobuf_filled(number: int, room: int = DECODED_BODY_BYTES - ROOM) -> bytes:
    return field(number, b"") * (room // len(field(number, b"")))


def zipkin_protobuf(number: int) -> bytes:
    return field(1, field(1, b"\1" * 16) + field(3, b"\2" * 8) + protobuf_filled(number))


def thrift_list(number: int, count: int, elements: bytes) -> bytes:
    """A field of the binary protocol: a list of structs."""
    return struct.pack(">bhbi", 15, number, 12, count) + elements


def zipkin_thrift() -> bytes:
    ids = struct.pack(">bhqbhq", 10, 1, 1, 10, 4, 1)
    empty = bytes(FIELDS_MAX)
    return (
        struct.pack(">bi", 12, 1) + ids + thrift_list(6, FIELDS_MAX, empty) + thrift_list(8, FIELDS_MAX, empty) + b"\0"
    )


def jaeger(span: bytes, count: int) -> bytes:
    process = struct.pack(">bhbhi", 12, 1, 11, 1, 0) + b"\0"
    return process + thrift_list(2, count, span * count) + b"\0"


def jaeger_span(rest: bytes = b"") -> bytes:
    numbers = b"".join(struct.pack(">bhq", 10, number, 1) for number in (1, 2, 3, 4, 8, 9))
    return numbers + struct.pack(">bhi", 11, 5, 0) + struct.pack(">bhi", 8, 7, 0) + rest + b"\0"


def jaeger_spans() -> bytes:
    return jaeger(jaeger_span(), (DECODED_STRUCTS_BYTES - ROOM) // len(jaeger_span()))


def jaeger_fields() -> bytes:
    """One span with logs whose fields are empty structs, of a byte each."""
    log = struct.pack(">bhq", 10, 1, 1) + thrift_list(2, FIELDS_MAX, bytes(FIELDS_MAX)) + b"\0"
    count = (DECODED_STRUCTS_BYTES - ROOM) // len(log)
    return jaeger(jaeger_span(thrift_list(11, count, log * count)), 1)


def jaeger_fields_compact() -> bytes:
    """The same in the compact protocol, each with an empty key, which makes three bytes."""
    log = b"\x16\2\x19\xfc" + varint(FIELDS_MAX) + b"\x18\0\0" * FIELDS_MAX + b"\0"
    count = (DECODED_STRUCTS_BYTES - ROOM) // len(log)
    span = b"\x16\2" * 4 + b"\x18\0\x25\0" + b"\x16\2" * 2 + b"\x29\xfc" + varint(count) + log * count + b"\0"
    return b"\x1c\x18\0\0\x19\x1c" + span + b"\0"


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def array(count: int, elements: bytes = b"") -> bytes:
    """A list of msgpack."""
    return b"\xdd" + struct.pack(">I", count) + elements


def datadog(part: bytes) -> bytes:
    """One span whose links are lists, as long as may be, of the part."""
    inner = array(ELEMENTS_MAX, part * ELEMENTS_MAX)
    count = (DECODED_STRUCTS_BYTES - ROOM) // len(inner)
    return b"\x91\x91\x81\xaaspan_links" + array(count, inner * count)


STRUCTS = DECODED_STRUCTS_BYTES - ROOM
ANNOTATION = b'{"timestamp":1,"value":"x","endpoint":{"serviceName":"%x"}}'
BODIES = {
    "Zipkin's spans": Hostile("/api/v2/spans", JSON, lambda: listed(SPAN + b"}"), {413}),
    "Zipkin's services": Hostile(
        *("/api/v2/spans", JSON),
        lambda: numbered(SPAN + b',"localEndpoint":{"serviceName":"%x"}}', 90_000, b"[", b"]"),
        {413},
    ),
    "Zipkin's hosts of a span": Hostile(
        *("/api/v1/spans", JSON),
        lambda: numbered(ANNOTATION, 200_000, b"[" + SPAN + b',"annotations":[', b"]}]"),
        {413},
    ),
    "Zipkin's spans in protobuf": Hostile("/api/v2/spans", PROTOBUF, lambda: protobuf_filled(1), {413}),
    "Zipkin's tags in protobuf": Hostile("/api/v2/spans", PROTOBUF, lambda: zipkin_protobuf(11), {202}),
    "Zipkin's annotations in Thrift": Hostile("/api/v1/spans", THRIFT, zipkin_thrift, {202}),
    "Jaeger's spans": Hostile("/api/traces", THRIFT, jaeger_spans, {202}),
    "Jaeger's fields of logs": Hostile("/api/traces", THRIFT, jaeger_fields, {400}),
    "Jaeger's fields of logs, compact": Hostile("/api/traces", COMPACT, jaeger_fields_compact, {400}),
    "Jaeger's, beyond": Hostile("/api/traces", THRIFT, lambda: bytes(DECODED_STRUCTS_BYTES + 1), {413}),
    "Datadog's spans": Hostile("/v0.4/traces", MSGPACK, lambda: b"\x91" + array(STRUCTS, b"\x80" * STRUCTS), {413}),
    "Datadog's traces": Hostile("/v0.4/traces", MSGPACK, lambda: array(STRUCTS, b"\x90" * STRUCTS), {413}),
    "Datadog's lists": Hostile("/v0.4/traces", MSGPACK, lambda: datadog(b"\x90"), {400}),
    "Datadog's, beyond": Hostile("/v0.5/traces", MSGPACK, lambda: bytes(DECODED_STRUCTS_BYTES + 1), {413}),
    "numbers for OTLP": Hostile("/v1/traces", JSON, lambda: listed(b"1.5", b'{"x":[', b"]}"), {413}),
    "lists for Cloud Trace": Hostile(
        "/v2/projects/p/traces:batchWrite", JSON, lambda: listed(b"[]", b'{"x":[', b"]}"), {413}
    ),
    "lists for X-Ray": Hostile("/TraceSegments", JSON, lambda: listed(b"[]", b'{"x":[', b"]}"), {413}),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_body_of_nothing_but_small_parts_is_answered_within_memory_and_time(what: str) -> None:
    path, content_type, make, statuses = BODIES[what]
    body = make()
    compressed = gzip.compress(body, 1)
    assert len(body) <= DECODED_BODY_BYTES
    assert len(compressed) <= BODY_BYTES
    method = "PUT" if content_type == MSGPACK else "POST"
    found = find_route(ALL, method, path)
    assert found
    headers = {"content-type": content_type, "content-encoding": "gzip"}
    event = http_event(method, path, route_key=found[0].key.text, headers=headers, body=compressed)
    printed, peak_mib = run_measured(TIMED, json.dumps(event).encode())
    status, cpu_s = printed.split()
    assert int(status) in statuses
    assert peak_mib < Settings().memory_mib.receive
    assert float(cpu_s) < SECONDS_MAX


TIMED = RECEIVE.replace('print(answer["statusCode"])', 'print(answer["statusCode"], time.process_time())')
