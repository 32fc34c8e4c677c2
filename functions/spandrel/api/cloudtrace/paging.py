"""Where a page of a list goes on: what stands in `pageToken`.

A token says behind which trace, in which order and of which time range; that of a list without an `endTime` ends
when its first page was asked for. What arrives in between moves no trace but those that it belongs to.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from spandrel.model.errors import Rejected
from spandrel.query.found import Rank

_FINGERPRINT_DIGITS = 16
_NUMBER_MAX = 2**64  # of times and durations, ns


@dataclass(frozen=True, slots=True)
class Place:
    """The range [start_ns, end_ns) of a list, unix ns, and rank and id of the last trace that was told of."""

    start_ns: int
    end_ns: int
    rank: Rank
    trace_id: bytes


def token_of(place: Place, question: Sequence[str | None]) -> str:
    """The token of the page behind; `question`: the parameters that have to be the same there."""
    said = [_fingerprint(question), place.start_ns, place.end_ns, place.rank, place.trace_id.hex()]
    return base64.urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).decode().rstrip("=")


def place_of(token: str, question: Sequence[str | None], *, by_text: bool) -> Place:
    """Rejected for a text that is no token, and for one of another question. `by_text`: what ranks are there."""
    try:
        said = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        fingerprint, start_ns, end_ns, rank, trace_id = said
        rank = rank if type(rank) is str else _number(rank)
        place = Place(_number(start_ns), _number(end_ns), rank, bytes.fromhex(trace_id))
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise _no_token(token) from error
    if fingerprint != _fingerprint(question):
        raise Rejected("pageToken is of a list with other parameters; all but pageSize and view stay the same")
    if isinstance(place.rank, str) is not by_text:
        raise _no_token(token)
    return place


def _no_token(token: str) -> Rejected:
    return Rejected(f"pageToken is none that this API gave: {token[:80]!r}")


def _number(value: object) -> int:
    if type(value) is not int or abs(value) > _NUMBER_MAX:
        raise ValueError("no time and no duration")
    return value


def _fingerprint(question: Sequence[str | None]) -> str:
    return hashlib.sha256(json.dumps(list(question)).encode()).hexdigest()[:_FINGERPRINT_DIGITS]
