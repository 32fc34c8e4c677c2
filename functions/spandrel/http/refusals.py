"""The one table from Spandrel's errors to HTTP. How a refusal's body looks is the business of each API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spandrel.model import errors
from spandrel.model.errors import SpandrelError

from .response import Response

# error -> HTTP status, google.rpc.Code. An error that is not listed is refused as its nearest base is.
TABLE: Mapping[type[SpandrelError], tuple[int, int]] = {
    errors.Rejected: (400, 3),
    errors.Undecodable: (400, 3),
    errors.QueryTooBroad: (400, 3),
    errors.Unauthenticated: (401, 16),
    errors.Forbidden: (403, 7),
    errors.NotFound: (404, 5),
    errors.NotAllowed: (405, 12),
    errors.Conflict: (409, 10),
    errors.TooLarge: (413, 3),
    errors.Unsupported: (415, 3),
    errors.Overloaded: (503, 14),
    errors.Corrupt: (500, 15),
    SpandrelError: (500, 13),
}
THROTTLED = (429, 8)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is google.rpc.Code's number, for the APIs that speak it."""

    status: int
    code: int
    message: str
    headers: Mapping[str, str]


Renderer = Callable[[Refusal], tuple[str, bytes]]
"""Refusal -> content type and body, in the format of the API that was asked."""


def refusal_of(error: SpandrelError) -> Refusal:
    """What the table says of the error, with the headers that its status asks for."""
    status, code = next(TABLE[base] for base in type(error).__mro__ if base in TABLE)
    if isinstance(error, errors.Overloaded) and error.throttled:
        status, code = THROTTLED
    return Refusal(status, code, str(error), _headers(error))


def refused(error: SpandrelError, render: Renderer) -> Response:
    """The error as a response."""
    refusal = refusal_of(error)
    content_type, body = render(refusal)
    return Response(refusal.status, content_type, body, refusal.headers)


def _headers(error: SpandrelError) -> Mapping[str, str]:
    """RFC 9110: Retry-After in seconds (10.2.3), Allow with 405 (15.5.6), WWW-Authenticate with 401 (15.5.2)."""
    match error:
        case errors.Overloaded():
            return {"retry-after": str(error.retry_after_s)}
        case errors.NotAllowed():
            return {"allow": ", ".join(error.allowed)}
        case errors.Unauthenticated():
            # Basic works too, but if it were offered, browsers would ask for a password in front of every UI.
            return {"www-authenticate": 'Bearer realm="spandrel"'}
        case _:
            return {}
