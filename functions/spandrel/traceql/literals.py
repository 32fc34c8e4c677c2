"""Numbers, durations, texts and attribute names as they are written.

Rules of Go's scanner and strconv, which TraceQL's are, and of Prometheus's durations for days, weeks and years. A
ValueError says what is wrong, in a form that a sentence about the query can end with.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from .expressions import Attribute, Literal, Scope
from .intrinsics import ValueType

INTEGER_MAX = 2**63 - 1
INTEGER_MIN = -(2**63)
LIMITS = {"minInt": INTEGER_MIN, "maxInt": INTEGER_MAX}
DIGITS_MAX = 400  # more than any 64-bit number needs, few enough to calculate with at once

SECOND_NS = 10**9
# The units of a duration, longest first. A year is 365 days.
UNITS_NS = {
    "y": 365 * 86_400 * SECOND_NS,
    "w": 7 * 86_400 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
    "h": 3_600 * SECOND_NS,
    "m": 60 * SECOND_NS,
    "s": SECOND_NS,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
_SAME_UNIT = {"µs": "us", "μs": "us"}  # micro sign, Greek mu
_INTEGER = re.compile(r"[0-9]+")
_FLOAT = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DURATION_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ms|us|µs|μs|ns|[ywdhms])")

_SIMPLE_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\\"])|(.?))", re.DOTALL
)
_CONTROL = re.compile(r'[\x00-\x1f\x7f"\\]')
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}

_ATTRIBUTE = re.compile(
    r"(parent\.(?:span\.|resource\.)?|span\.|resource\.|event\.|link\.|instrumentation\.|\.)(.*)", re.DOTALL
)
_KEY_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|[^"]+', re.DOTALL)
_NEEDS_QUOTES = re.compile(r'[\s{}()=~!<>&|^,"]|^[0-9]|^(?:span|resource)\.|^$')


def number(text: str) -> Literal:
    """An integer of 64 bits, a float or a duration: `5`, `maxInt`, `1.5e3`, `1h30m`."""
    if text in LIMITS:
        return Literal(ValueType.INTEGER, LIMITS[text])
    if len(text) > DIGITS_MAX:
        raise ValueError(f"a number has {DIGITS_MAX} digits at most")
    if _INTEGER.fullmatch(text):
        return Literal(ValueType.INTEGER, within_64_bits(int(text)))
    if _FLOAT.fullmatch(text):
        return Literal(ValueType.FLOAT, finite(float(text)))
    return Literal(ValueType.DURATION, duration_ns(text))


def duration_ns(text: str) -> int:
    """`1h30m`, `1.5s`, `2d`, in nanoseconds; parts of one are dropped."""
    total, at = Fraction(0), 0
    while found := _DURATION_PART.match(text, at):
        unit = _SAME_UNIT.get(found[2], found[2])
        total += Fraction(found[1].rstrip(".")) * UNITS_NS[unit]
        at = found.end()
    if at != len(text) or not text:
        raise ValueError(f"`{text}` is neither a number nor a duration such as 1h30m or 1.5s")
    return within_64_bits(math.floor(total))


def within_64_bits(value: int) -> int:
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise ValueError("whole numbers and durations have 64 bits; this is beyond them")
    return value


def finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("this number is beyond 64-bit floating point")
    return value


def duration_text(duration: int) -> str:
    """Nanoseconds in the longest unit, from an hour down, that says them exactly: 90 s is `90s`, 5400 s `90m`."""
    unit = next(unit for unit in ("h", "m", "s", "ms", "us", "ns") if duration % UNITS_NS[unit] == 0)
    return f"{duration // UNITS_NS[unit]}{unit}" if duration else "0s"


def float_text(value: float) -> str:
    return repr(value)  # the shortest that reads back as the same; always with a point or an exponent


def text(quoted: str) -> str:
    """What stands between the quotes: as it is between backticks, with Go's escapes between double quotes."""
    if quoted[0] == "`":
        return quoted[1:-1].replace("\r", "")
    parts, at = [], 1
    for found in _ESCAPE.finditer(quoted, 1, len(quoted) - 1):
        parts += [quoted[at : found.start()].encode(), _escaped(found)]
        at = found.end()
    try:
        return b"".join([*parts, quoted[at:-1].encode()]).decode()
    except UnicodeDecodeError:
        raise ValueError("the bytes of this text are not UTF-8") from None


def _escaped(found: re.Match[str]) -> bytes:
    """Two hex or three octal digits make a byte, longer ones a character."""
    byte_hex, byte_octal, short, long, simple, other = found.groups()
    if simple:
        return bytes([_SIMPLE_ESCAPES[simple]])
    if byte_hex or (byte_octal and int(byte_octal, 8) < 256):
        return bytes([int(byte_hex, 16) if byte_hex else int(byte_octal, 8)])
    point = int(short or long or "ffffffff", 16)
    if point > 0x10FFFF or 0xD800 <= point < 0xE000:
        raise ValueError(f"`\\{other or found[0][1:]}` is no escape in a text; for a backslash write `\\\\`")
    return chr(point).encode()


def quoted(value: str) -> str:
    """The text between double quotes, control characters as escapes."""
    return '"' + _CONTROL.sub(lambda found: _SHORT.get(found[0], f"\\x{ord(found[0]):02x}"), value) + '"'


def attribute(written: str) -> Attribute:
    """`span.http.route`, `."a key"`, `parent.resource.x`, `span.a."b c".d`."""
    found = _ATTRIBUTE.fullmatch(written)
    assert found is not None  # the grammar's ATTRIBUTE is the same
    words = found[1].rstrip(".").split(".")
    of_parent = words[0] == "parent"
    return Attribute(Scope("" if words[-1] == "parent" else words[-1]), _key(found[2]), of_parent)


def _key(written: str) -> str:
    return "".join(_unescaped(found[1]) if found[1] is not None else found[0] for found in _KEY_PART.finditer(written))


def _unescaped(part: str) -> str:
    wrong = re.search(r'\\([^\\"])', re.sub(r'\\[\\"]', "", part), re.DOTALL)
    if wrong:
        raise ValueError(f'`\\{wrong[1]}` is no escape in an attribute name; only \\" and \\\\ are')
    return re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)


def attribute_text(named: Attribute) -> str:
    """The attribute as it can be written; its key in quotes where it needs them."""
    key = named.key
    if _NEEDS_QUOTES.search(key):
        key = '"' + re.sub(r'(["\\])', r"\\\1", key) + '"'
    words = ["parent"] if named.of_parent else []
    words += [named.scope.value] if named.scope is not Scope.ANY else []
    return ".".join([*words, key]) if words else f".{key}"
