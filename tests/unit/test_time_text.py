from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandrel.api.time_text import duration_ns, time_ns


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("+0", 0),
        ("1ns", 1),
        ("250us", 250_000),
        ("250µs", 250_000),
        ("250μs", 250_000),
        ("100ms", 100_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1.s", 1_000_000_000),
        ("2m", 120_000_000_000),
        ("1h2m3.5s", 3_723_500_000_000),
        ("-1.5h", -5_400_000_000_000),
        ("+1s", 1_000_000_000),
        ("1s1s", 2_000_000_000),
        ("0.3333333333333333333h", 1_199_999_999_999),
        ("9223372036854775807ns", 2**63 - 1),
    ],
)
def test_durations_are_those_of_go(text: str, nanoseconds: int) -> None:
    assert duration_ns(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5.5",
        "s",
        "ms",
        ".s",
        "5 s",
        " 5s",
        "5S",
        "5d",
        "1e3s",
        "--1s",
        "1s-",
        "٣s",
        "9223372036854775808ns",
        "9" * 5000 + "s",
    ],
)
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"takes a duration with units"):
        duration_ns(text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-09-21T14:13:20Z", 1_790_000_000 * 10**9),
        ("2026-09-21T14:13:20.123Z", 1_790_000_000_123_000_000),
        ("2026-09-21T14:13:20,123456789Z", 1_790_000_000_123_456_789),
        ("2026-09-21T14:13:20.1234567899Z", 1_790_000_000_123_456_789),
        ("2026-09-21T16:13:20+02:00", 1_790_000_000 * 10**9),
        ("2026-09-21T16:13:20.5 02:00", 1_790_000_000_500_000_000),
        ("2026-09-21T05:43:20-08:30", 1_790_000_000 * 10**9),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800 * 10**9),
    ],
)
def test_times_are_rfc_3339_to_the_nanosecond(text: str, nanoseconds: int) -> None:
    assert time_ns(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1790000000",
        "2026-09-21",
        "2026-09-21T14:13:20",
        "2026-09-21 14:13:20Z",
        "2026-09-21T14:13Z",
        "2026-09-21T14:13:20z",
        "2026-09-21T14:13:60Z",
        "2026-09-21T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-09-21T14:13:20.Z",
        "2026-09-21T14:13:20+0200",
        "2026-09-21T14:13:20+99:00",
        "٢٠٢٦-09-21T14:13:20Z",
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        time_ns(text)


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_times_come_back_to_the_microsecond(at: datetime) -> None:
    expected = (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // (at.resolution)
    assert time_ns(at.isoformat() + "Z") == expected * 1000
