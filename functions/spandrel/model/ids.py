"""Trace and span ids: one parser for all spellings, because each client has its own.

Ids are bytes inside (16 for a trace, 8 for a span) and lower-case hex outside. W3C Trace Context gives the widths;
64-bit trace ids (Zipkin, older Jaeger) are the low half of a 128-bit id whose high half is zero.
"""

from __future__ import annotations

from .errors import Rejected

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def trace_id_from_hex(text: str) -> bytes:
    """1 to 32 hex digits in any case, leading zeros optional -> 16 bytes. Rejected names what is wrong."""
    return _id_from_hex(text, TRACE_ID_BYTES, "trace id")


def span_id_from_hex(text: str) -> bytes:
    """1 to 16 hex digits in any case, leading zeros optional -> 8 bytes. Rejected names what is wrong."""
    return _id_from_hex(text, SPAN_ID_BYTES, "span id")


def _id_from_hex(text: str, width_bytes: int, what: str) -> bytes:
    if not 1 <= len(text) <= 2 * width_bytes or not HEX_DIGITS.issuperset(text):
        raise Rejected(f"a {what} is 1 to {2 * width_bytes} hex digits, not {text[:80]!r}")
    id_bytes = bytes.fromhex(text.zfill(2 * width_bytes))
    if not any(id_bytes):
        raise Rejected(f"a {what} of zeros only is not an id")
    return id_bytes
