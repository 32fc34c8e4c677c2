"""A trace's id as people have it: out of a log, a header, a URL or another tool. Every system's spelling is read here.

docs/querying.md has the spellings as a table with their sources. Those who send spans are held to their own format
instead (`ids`): there, what is spelt otherwise is a mistake.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote

from .errors import Rejected
from .ids import trace_id_from_hex

TOLD_CHARACTERS = 80  # of what is no id, in a refusal

# The groups of a pattern, one after the other, are the id's hex digits. No text fits two of them in two ways.
_SPELT_IN_HEX = (
    r"([0-9a-f]{1,32})",
    r"1-([0-9a-f]{8})-([0-9a-f]{24})",  # X-Ray
    r"(?:[^;]*;)*\s*root=1-([0-9a-f]{8})-([0-9a-f]{24})\s*(?:;.*)?",  # X-Amzn-Trace-Id
    r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?",  # traceparent, of later versions too
    r"([0-9a-f]{16}|[0-9a-f]{32})-[0-9a-f]{16}(?:-[01d](?:-[0-9a-f]{16})?)?",  # b3
    r"([0-9a-f]{1,32})(?::[0-9a-f]{1,16}){2}:[0-9a-f]{1,2}",  # uber-trace-id
    r"([0-9a-f]{32})(?:/[0-9]{1,20})?(?:;o=[0-9]+)?",  # X-Cloud-Trace-Context
    r"projects/[^/]+/traces/([0-9a-f]{32})(?:/spans/[0-9a-f]{16})?",  # the same in Cloud Logging
)
_in_hex = tuple(re.compile(pattern, re.IGNORECASE | re.ASCII).fullmatch for pattern in _SPELT_IN_HEX)

_header_name = re.compile(
    r"(?:traceparent|b3|x-b3-traceid|uber-trace-id|x-cloud-trace-context|x-amzn-trace-id)\s*:\s*", re.IGNORECASE
).match

# The lower 64 bits as a number; the upper ones, where there are any, in the tag of another header. Without its header's
# name a number is one of Datadog's if it has so many digits that nobody writes hex like that: a trace id of 128 bits
# that begins with twelve zeros, left out, and then has no letter.
_datadog = re.compile(
    r"(?:x-datadog-trace-id\s*:\s*([0-9]{1,20})|([1-9][0-9]{16,19}))(?:\W.*\b_dd\.p\.tid=([0-9a-f]{16})\b.*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
).fullmatch

# 16 bytes; the last digit carries 2 bits. Without `==` it is hex if it can be.
_base64 = re.compile(r"([A-Za-z0-9+/_-]{21}[AQgw])(?:==)?", re.ASCII).fullmatch


def trace_id_of(text: str) -> bytes:
    """The 16 bytes of the id that the text spells; Rejected where it spells none.

    A header may have its name with it, and what is escaped with `%` may still be: Jaeger's clients write `%3A`.
    """
    told = unquote(text).strip()
    if number := _datadog(told):
        return _from_number(int(number[1] or number[2]), number[3] or "")
    name = _header_name(told)
    digits = _digits(told[name.end() :] if name else told)
    if not digits:
        raise Rejected(
            "a trace id is 1 to 32 hex digits, or as X-Ray, traceparent, b3, uber-trace-id, X-Cloud-Trace-Context, "
            f"Datadog or base64 have it, not {text[:TOLD_CHARACTERS]!r}"
        )
    return trace_id_from_hex(digits)


def _digits(text: str) -> str:
    """The id in hex; empty where there is none."""
    for fits in _in_hex:
        if found := fits(text):
            return "".join(found.groups())
    found = _base64(text)
    return base64.b64decode(found[1].replace("-", "+").replace("_", "/") + "==").hex() if found else ""


def _from_number(low: int, high_digits: str) -> bytes:
    if low >= 2**64:
        raise Rejected(f"a trace id of Datadog is a number of 64 bits, not {low}")
    return trace_id_from_hex(f"{high_digits}{low:016x}")
