"""Points in time (RFC 3339) and durations (as Go and Jaeger's UI write them), in nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(?:Z|([+ -])(\d\d):(\d\d))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Go's time.ParseDuration: a sign, then numbers with units. Both signs for micro are in use: U+00B5 and U+03BC.
_UNITS_NS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_NUMBER = r"(?:\d+\.?\d*|\.\d+)"
_UNIT = "|".join(sorted(_UNITS_NS, key=len, reverse=True))
_PART = re.compile(f"({_NUMBER})({_UNIT})", re.ASCII)
_DURATION = re.compile(f"([+-]?)((?:{_NUMBER}(?:{_UNIT}))+)", re.ASCII)
_DURATION_MAX_NS = 2**63 - 1
_TEXT_MAX = 100

_DAYS = re.compile(r"(\d{1,4})([dw])", re.ASCII)
_DAYS_NS = {"d": 24 * 3600 * 10**9, "w": 7 * 24 * 3600 * 10**9}


def time_ns(text: str) -> int:
    """RFC 3339 -> unix nanoseconds, what is finer cut off. ValueError says what is taken.

    A space stands for the plus of an offset: it becomes one in a URL where it was not escaped, as Grafana leaves it.
    """
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        seconds, fraction, sign, hours, minutes = found.groups()
        at = datetime.fromisoformat(seconds).replace(tzinfo=_zone(sign, hours, minutes))
    except ValueError as error:
        raise ValueError(f"takes a time like 2026-11-05T10:15:30.000Z (RFC 3339), not {text[:80]!r}") from error
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + int((fraction or "")[:9].ljust(9, "0"))


def time_text(time_ns: int) -> str:
    """Unix nanoseconds as RFC 3339 in UTC, with as few digits as say it: 0, 3, 6 or 9 (protobuf.dev, "ProtoJSON
    Format").
    """
    seconds, nanos = divmod(time_ns, 10**9)
    digits = f"{nanos:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}" + (f".{digits}Z" if digits else "Z")


def _zone(sign: str | None, hours: str, minutes: str) -> timezone:
    if sign is None:
        return UTC
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def duration_ns(text: str) -> int:
    """A Go duration -> nanoseconds, what is finer cut off: 1h2m3.5s, 100ms, 250µs, 0. ValueError says what is taken."""
    if text in ("0", "+0", "-0"):
        return 0
    found = _DURATION.fullmatch(text) if len(text) <= _TEXT_MAX else None
    total_ns = sum(_part_ns(*part) for part in _PART.findall(text)) if found else 0
    if found is None or total_ns > _DURATION_MAX_NS:
        raise ValueError(f"takes a duration with units like 1.5s, 100ms or 1h30m, not {text[:80]!r}")
    return -total_ns if found[1] == "-" else total_ns


def lookback_ns(text: str) -> int:
    """How far back Jaeger UI looks: a Go duration, or whole days or weeks like 2d and 1w. ValueError says what is
    taken.
    """
    found = _DAYS.fullmatch(text)
    length_ns = int(found[1]) * _DAYS_NS[found[2]] if found else duration_ns(text)
    if length_ns <= 0:
        raise ValueError(f"takes a duration from now like 1h or 2d, not {text[:80]!r}")
    return length_ns


def _part_ns(number: str, unit: str) -> int:
    return int(Fraction(number.rstrip(".")) * _UNITS_NS[unit])
