"""JSON as clients send it -> Python values, and what can be done about text that is none."""

from __future__ import annotations

import json
from typing import Any

from spandrel.model.errors import TooLarge, Undecodable
from spandrel.model.limits import JSON_OBJECTS_MAX, JSON_VALUES_MAX

NOT_UTF8 = "some text was not UTF-8; U+FFFD stands for what was not"


def json_of(body: bytes) -> tuple[Any, str]:
    """The value, and a warning for its sender (empty: none). Undecodable when the body is no JSON, or nested too deep.

    TooLarge when it may have more objects or values than the limits say (braces and commas in texts count as well):
    what is 3 bytes here is up to 270 on its way to a message. A byte order mark is taken, what is not UTF-8 is
    replaced; `NaN` and `Infinity` are no JSON (RFC 8259, 6).
    """
    if len(body) > JSON_OBJECTS_MAX and body.count(b"{") > JSON_OBJECTS_MAX:
        raise TooLarge(f"the body has more than {JSON_OBJECTS_MAX:,} JSON objects")
    refuse_too_many_values(body)
    text, warning = _text(body)
    try:
        return json.loads(text, parse_constant=no_constant), warning
    except RecursionError:
        raise Undecodable("the body is nested deeper than any message") from None
    except ValueError as error:  # JSONDecodeError, or a number of thousands of digits
        raise Undecodable(f"the body is no JSON: {error}") from error


def refuse_too_many_values(body: bytes) -> None:
    """TooLarge where there are more commas than values may be."""
    if len(body) > JSON_VALUES_MAX and body.count(b",") > JSON_VALUES_MAX:
        raise TooLarge(f"the body holds more than {JSON_VALUES_MAX:,} values")


def mended(found: Any) -> Any:
    """All texts, keys too, with U+FFFD for half a surrogate pair, as JavaScript leaves it where it cuts a text.

    JSON can say such a half (RFC 8259, 8.2), and Python's str can hold it, but UTF-8 and so protobuf cannot.
    """
    match found:
        case str():
            return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {mended(key): mended(value) for key, value in found.items()}
        case list():
            return [mended(value) for value in found]
        case _:
            return found


def _text(body: bytes) -> tuple[str, str]:
    try:
        return body.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return body.decode("utf-8-sig", "replace"), NOT_UTF8


def no_constant(name: str) -> Any:
    """For `parse_constant`: what Python reads and JSON does not know."""
    raise json.JSONDecodeError(f"{name} stands outside of quotes", name, 0)
