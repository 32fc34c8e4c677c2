"""What a span says of its request: how it ended, over HTTP what was asked, and whose it was.

The same as `conditions` asks of spans, for spans that are at hand; tests hold the two to each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spandrel.api.spans import Span
from spandrel.api.values import Attributes
from spandrel.model import xray
from spandrel.model.spans import STATUSES

from .conditions import FLAGS, PATH_KEYS, STATUS_KEYS, TEXT_KEYS, URL_KEYS

_TOO_MANY = 429
_INTEGER_MAX = 2**31 - 1  # HttpStatus is an integer of 32 bits


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whose fault it was that a request failed: its sender's (`error`), or the service's (`fault`)."""

    error: bool
    fault: bool
    throttle: bool


def outcome_of(span: Span) -> Outcome:
    """How the request of a span ended."""
    statuses = list(_statuses(span.attributes))
    throttle = _flagged(span, "throttle") or _TOO_MANY in statuses
    error = _flagged(span, "error") or throttle or any(400 <= status < 500 for status in statuses)
    failed = span.status == STATUSES["error"] and not error
    fault = _flagged(span, "fault") or failed or any(500 <= status < 600 for status in statuses)
    return Outcome(error, fault, throttle)


def http_of(span: Span) -> dict[str, str | int]:
    """The members of a summary's `Http` that the span tells."""
    attributes = span.attributes
    texts = {
        "HttpURL": first_text(attributes, (*URL_KEYS, *PATH_KEYS)),
        "HttpMethod": first_text(attributes, TEXT_KEYS["http.method"]),
        "UserAgent": first_text(attributes, TEXT_KEYS["http.useragent"]),
        "ClientIp": first_text(attributes, TEXT_KEYS["http.clientip"]),
    }
    told: dict[str, str | int] = {name: text for name, text in texts.items() if text}
    status = next((status for status in _statuses(attributes) if 0 <= status <= _INTEGER_MAX), None)
    return told if status is None else {**told, "HttpStatus": status}


def user_of(span: Span) -> str:
    """Who asked; empty where nobody said."""
    return first_text(span.attributes, TEXT_KEYS["user"])


def is_partial(span: Span) -> bool:
    """It is not over yet."""
    return span.attributes.get(xray.IN_PROGRESS) is True


def first_text(attributes: Attributes, keys: Iterable[str]) -> str:
    """The first text under any of the keys; empty where there is none."""
    found = (attributes.get(key) for key in keys)
    return next((value for value in found if isinstance(value, str) and value), "")


def _statuses(attributes: Attributes) -> Iterable[int]:
    for key in STATUS_KEYS:
        value = attributes.get(key)
        if type(value) is int:
            yield value
        elif type(value) is str and len(value) == 3 and value.isascii() and value.isdecimal():
            yield int(value)


def _flagged(span: Span, name: str) -> bool:
    return span.attributes.get(FLAGS[name]) is True
