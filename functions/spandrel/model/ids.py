"""Trace and span ids: one parser for all spellings, because each client has its own.

Ids are bytes inside (16 for a trace, 8 for a span) and lower-case hex outside. W3C Trace Context gives the widths;
64-bit trace ids (Zipkin, older Jaeger) are the low half of a 128-bit id whose high half is zero.
"""

from __future__ import annotations

import re

from .errors import Rejected

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
HEX_DIGITS = frozenset("0123456789abcdefABCDEF")

_XRAY_TRACE_ID = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})", re.IGNORECASE)


def trace_id_from_hex(text: str) -> bytes:
    """1 to 32 hex digits in any case, leading zeros optional -> 16 bytes. Rejected names what is wrong."""
    return _id_from_hex(text, TRACE_ID_BYTES, "trace id")


def span_id_from_hex(text: str) -> bytes:
    """1 to 16 hex digits in any case, leading zeros optional -> 8 bytes. Rejected names what is wrong."""
    return _id_from_hex(text, SPAN_ID_BYTES, "span id")


def trace_id_from_xray(text: str) -> bytes:
    """`1-` and the 32 hex digits with a `-` after the eighth, or the 32 alone (X-Ray guide, "Trace IDs") -> 16 bytes.

    The first eight were a time once; nobody checks it any more. Rejected names what is wrong.
    """
    found = _XRAY_TRACE_ID.fullmatch(text)
    digits = "".join(found.groups()) if found else text
    if len(digits) != 2 * TRACE_ID_BYTES:
        raise Rejected(f"a trace id of X-Ray is like 1-5759e988-bd862e3fe1be46a994272793, not {text[:80]!r}")
    return trace_id_from_hex(digits)


def xray_trace_id(trace_id: bytes) -> str:
    """A trace id as X-Ray writes it."""
    digits = trace_id.hex()
    return f"1-{digits[:8]}-{digits[8:]}"


def _id_from_hex(text: str, width_bytes: int, what: str) -> bytes:
    if not 1 <= len(text) <= 2 * width_bytes or not HEX_DIGITS.issuperset(text):
        raise Rejected(f"a {what} is 1 to {2 * width_bytes} hex digits, not {text[:80]!r}")
    id_bytes = bytes.fromhex(text.zfill(2 * width_bytes))
    if not any(id_bytes):
        raise Rejected(f"a {what} of zeros only is not an id")
    return id_bytes
