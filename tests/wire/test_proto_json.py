from __future__ import annotations

from typing import Any

import pytest

from spandrel.model.errors import Undecodable
from spandrel.wire.proto_json import integer, message, messages, required_unix_ns, unix_ns, with_camel_case

NOON_NS = 1_714_564_800 * 10**9


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("2024-05-01T12:00:00Z", NOON_NS),
        ("2024-05-01T12:00:00.1Z", NOON_NS + 100_000_000),
        ("2024-05-01T12:00:00.123Z", NOON_NS + 123_000_000),
        ("2024-05-01T12:00:00.123456Z", NOON_NS + 123_456_000),
        ("2024-05-01T12:00:00.123456789Z", NOON_NS + 123_456_789),
        ("2024-05-01T12:00:00.000000001Z", NOON_NS + 1),
        ("2024-05-01T14:30:00+02:30", NOON_NS),
        ("2024-05-01T11:00:00.5-01:00", NOON_NS + 500_000_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800 * 10**9),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:30:00+00:30", 0),
        ("2554-07-21T23:34:33.709551615Z", 2**64 - 1),
        ("", 0),
        (None, 0),
    ],
)
def test_a_timestamp_is_read_to_the_nanosecond(text: str | None, time_ns: int) -> None:
    assert unix_ns({"time": text}, "time") == time_ns


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01",
        "2024-05-01T12:00:00",
        "2024-05-01 12:00:00Z",
        "2024-05-01T12:00Z",
        "2024-05-01T12:00:00.Z",
        "2024-05-01T12:00:00.1234567890Z",
        "2024-05-01T12:00:00,5Z",
        "2024-05-01T12:00:00+0200",
        "2024-05-01T12:00:00+25:00",
        "2024-05-01T24:00:00Z",
        "2024-05-01T12:00:60Z",
        "2024-02-30T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "2554-07-21T23:34:33.709551616Z",
        "9999-12-31T23:59:59-23:59",
        "٢٠٢٤-05-01T12:00:00Z",
        "now",
        1_714_564_800,
        {"seconds": 1},
        True,
        [],
    ],
)
def test_any_other_text_is_no_time(text: Any) -> None:
    with pytest.raises(Undecodable, match="time cannot be "):
        required_unix_ns({"time": text or [1]}, "time")


def test_a_time_that_has_to_be_there_is_missed() -> None:
    for found in ({}, {"time": None}, {"time": ""}):
        with pytest.raises(Undecodable, match="time is missing"):
            required_unix_ns(found, "time")


def test_a_wrong_value_is_told_in_short() -> None:
    with pytest.raises(Undecodable) as refusal:
        integer({"n": "x" * 5000}, "n")
    assert len(str(refusal.value)) < 120


def test_keys_come_in_camel_case_whichever_way_they_were_sent() -> None:
    fields = frozenset({"spanId", "kind"})
    known = {"spanId": 1, "kind": 2}
    assert with_camel_case(known, fields) is known
    assert with_camel_case({"span_id": 1, "kind": 2, "other_key": 3}, fields) == known | {"otherKey": 3}


def test_an_empty_list_is_an_empty_map_and_null_an_empty_list() -> None:
    assert message({"map": []}, "map") == message({"map": None}, "map") == message({}, "map") == {}
    assert messages({"list": None}, "list") == messages({}, "list") == []
