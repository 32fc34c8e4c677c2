"""A span as Zipkin knows it, whichever of its encodings it came in, and the values that all of them share.

The rules are those of Zipkin's own decoder (openzipkin/zipkin: Span.java, Endpoint.java), with one difference: names
keep the letters that they were sent with. Zipkin makes them small; its API does so when it gives them back.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from spandrel.model.errors import Undecodable
from spandrel.model.ids import SPAN_ID_BYTES, TRACE_ID_BYTES

# OTLP's numbers of Zipkin's kinds (`model.zipkin.KINDS`); a span without one is none of these.
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
PORT_MAX = 0xFFFF
IP_LENGTH_MAX = 64  # as text, with a zone; what is longer is no address, and nothing to remember

Tag = str | bool | int | float | bytes
"""Tags are text. Version 1 can hold other values in their place."""


class Endpoint(NamedTuple):
    """A side of a connection. What is not known is empty, or 0; one of which nothing is known is NOWHERE itself."""

    service: str = ""
    ipv4: str = ""
    ipv6: str = ""
    port: int = 0


NOWHERE = Endpoint()


@dataclass(slots=True)
class ZipkinSpan:
    """Version 2. `kind` is OTLP's number; times are µs; 0 and empty are what is not said. Ids are bytes.

    `annotations` are (time, value). `local` is who reports, `remote` the other side.
    """

    trace_id: bytes
    span_id: bytes
    parent_id: bytes = b""
    kind: int = 0
    name: str = ""
    timestamp_us: int = 0
    duration_us: int = 0
    local: Endpoint = NOWHERE
    remote: Endpoint = NOWHERE
    annotations: list[tuple[int, str]] = field(default_factory=list)
    tags: dict[str, Tag] = field(default_factory=dict)
    debug: bool = False
    shared: bool = False


def trace_id_of(text: str) -> bytes:
    """1 to 32 small hex digits -> 16 bytes; 64-bit ids are the lower half. Undecodable for anything else and for 0."""
    return _id(text, TRACE_ID_BYTES, "traceId")


def span_id_of(text: str) -> bytes:
    """1 to 16 small hex digits -> 8 bytes. Undecodable for anything else and for 0."""
    return _id(text, SPAN_ID_BYTES, "id")


def parent_id_of(text: str, span_id: bytes) -> bytes:
    """As `span_id_of`; empty for 0, and for the span itself: it cannot be its own parent."""
    parent_id = _hex(text, SPAN_ID_BYTES, "parentId")
    return parent_id if any(parent_id) and parent_id != span_id else b""


def _id(text: str, width_bytes: int, what: str) -> bytes:
    found = _hex(text, width_bytes, what)
    if not any(found):
        raise Undecodable(f"{what} is all zeros")
    return found


def _hex(text: str, width_bytes: int, what: str) -> bytes:
    padded = text.zfill(2 * width_bytes)
    try:
        found = bytes.fromhex(padded)
    except ValueError:
        found = b""
    if not text or found.hex() != padded or len(found) != width_bytes:
        raise Undecodable(f"{what} is 1 to {2 * width_bytes} lower-case hex digits with no prefix, not {text[:80]!r}")
    return found


def endpoint_of(service: str, ipv4: str, ipv6: str, port: int) -> Endpoint:
    """What is no IP address is left out, as is a port of 0 or less; an IPv4 address within an IPv6 one is one itself.

    Undecodable for a port over 65535.
    """
    if port > PORT_MAX:
        raise Undecodable(f"port is at most {PORT_MAX}, not {port}")
    return _endpoint(service, ip_of(ipv4), ip_of(ipv6), port)


def packed_endpoint_of(service: str, ipv4: bytes, ipv6: bytes, port: int) -> Endpoint:
    """As `endpoint_of`, of addresses as they stand in a packet: 4 or 16 bytes."""
    if port > PORT_MAX:
        raise Undecodable(f"port is at most {PORT_MAX}, not {port}")
    return _endpoint(service, ip_of(ipv4), ip_of(ipv6), port)


def _endpoint(service: str, first: tuple[str, str], second: tuple[str, str], port: int) -> Endpoint:
    fields = (service, first[0] or second[0], first[1] or second[1], max(port, 0))
    return Endpoint(*fields) if any(fields) else NOWHERE


def ip_of(address: str | bytes) -> tuple[str, str]:
    """The address as IPv4 and as IPv6, of which one is empty; both are when it is none."""
    return _known_ip(address) if 0 < len(address) <= IP_LENGTH_MAX else ("", "")


@lru_cache(maxsize=1024)
def _known_ip(address: str | bytes) -> tuple[str, str]:
    if isinstance(address, str) and _is_ipv4(address):
        return address, ""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "", ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found), ""
    return (str(found.ipv4_mapped), "") if found.ipv4_mapped else ("", str(found))


def _is_ipv4(text: str) -> bool:
    """As in Zipkin, also with zeros in front of a number, which ipaddress refuses."""
    numbers = text.split(".")
    return len(numbers) == 4 and all(part.isascii() and part.isdecimal() and int(part) <= 255 for part in numbers)
