"""The fields of JSON objects that stand for protobuf messages (protobuf.dev, "ProtoJSON Format").

`null` is as good as absent, and what is absent is its type's zero; 64-bit integers are text or numbers, enums names or
numbers; keys are camelCase or as in the .proto file; unknown keys are ignored. Every reader takes an object and a
field's camelCase name, and raises Undecodable that says which field cannot have which value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from spandrel.model.errors import Undecodable

from .otlp_messages import camel_case

Object = dict[str, Any]
"""A JSON object."""

INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1
NS = 10**9
TOLD_CHARACTERS = 80  # of a wrong value, in a refusal

_is_integer = re.compile(r"-?[0-9]{1,20}").fullmatch
# RFC 3339, 5.6; protobuf's Timestamp has no more than 9 digits of a fraction.
_timestamp = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[-+]\d\d:\d\d)", re.ASCII).fullmatch


def unfit(field: str, value: Any) -> Undecodable:
    """The refusal of a value that its field cannot have."""
    return Undecodable(f"{field} cannot be {json.dumps(value, default=str)[:TOLD_CHARACTERS]}")


def with_camel_case(found: Object, fields: frozenset[str]) -> Object:
    """The object itself if it has none but these keys, else one whose keys are all in camelCase."""
    return found if fields.issuperset(found) else {camel_case(key): value for key, value in found.items()}


def text(found: Object, field: str) -> str:
    value = found.get(field)
    if value is None:
        return ""
    if type(value) is not str:
        raise unfit(field, value)
    return value


def boolean(found: Object, field: str) -> bool:
    value = found.get(field)
    if value is not None and type(value) is not bool:
        raise unfit(field, value)
    return value or False


def integer(found: Object, field: str, least: int = -INT64_MAX - 1, most: int = INT64_MAX) -> int:
    """An integer between the two, both included."""
    value = found.get(field)
    if value is None:
        return 0
    number = int(value) if type(value) is str and _is_integer(value) else value
    if type(number) is not int or not least <= number <= most:
        raise unfit(field, value)
    return number


def count(found: Object, field: str) -> int:
    """An int32 that counts, so that it cannot be negative."""
    return integer(found, field, 0, INT32_MAX)


def number_of(found: Object, field: str, numbers: Mapping[str, int]) -> int:
    """An enum's number; `numbers` has that of each name."""
    value = found.get(field)
    if value is None:
        return 0
    number = numbers.get(value) if type(value) is str else value
    if type(number) is not int or number not in numbers.values():
        raise unfit(field, value)
    return number


def message(found: Object, field: str) -> Object:
    """The object in the field; an empty one when it is absent, or an empty list, as PHP writes an empty map."""
    value = found.get(field)
    if value is None or value == []:
        return {}
    if type(value) is not dict:
        raise unfit(field, value)
    return value


def messages(found: Object, field: str) -> list[Object]:
    values = found.get(field)
    if values is None:
        return []
    if type(values) is not list:
        raise unfit(field, values)
    for value in values:
        if type(value) is not dict:
            raise unfit(field, value)
    return values


def unix_ns(found: Object, field: str) -> int:
    """A Timestamp in nanoseconds since 1970, as far as 64 bits go; 0 when it is absent or empty."""
    value = found.get(field)
    if value is None or value == "":
        return 0
    parts = _timestamp(value) if type(value) is str else None
    try:
        second = _unix_second(parts[1], parts[3]) if parts else -1
    except (ValueError, OverflowError):  # the 30th of February; an offset that leads out of the year 9999
        second = -1
    time_ns = second * NS + int((parts[2] or "").ljust(9, "0")) if parts else -1
    if not 0 <= time_ns <= UINT64_MAX:
        raise unfit(field, value)
    return time_ns


def required_unix_ns(found: Object, field: str) -> int:
    """A Timestamp that has to be there."""
    if not found.get(field):
        raise Undecodable(f"{field} is missing")
    return unix_ns(found, field)


@lru_cache(maxsize=256)
def _unix_second(date_and_time: str, offset: str) -> int:
    """Remembered, because most of a request happened within a few seconds."""
    return int(datetime.fromisoformat(date_and_time + offset).timestamp())
