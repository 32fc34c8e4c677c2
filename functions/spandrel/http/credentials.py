"""Where a request carries its API key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from .request import Request

PLACE = "{key}"


def keys_of(request: Request) -> list[str]:
    """What stands where a key may: `x-api-key`, `Authorization: Bearer` or the password of `Basic`, `{key}` in a path.

    Google's clients put the key that they are given into `x-goog-api-key` (google-auth, api_key.Credentials).
    Empty for a request without any. Repeated headers arrive joined by commas, and no key contains one.
    """
    found = (
        *request.header("x-api-key").split(","),
        *request.header("x-goog-api-key").split(","),
        *_of_authorization(request.header("authorization")),
        *_of_path(request),
    )
    return [key for text in found if (key := text.strip())]


def _of_authorization(header: str) -> Iterator[str]:
    for credentials in header.split(","):
        scheme, _, value = credentials.strip().partition(" ")
        match scheme.lower():
            case "bearer":
                yield value
            case "basic":
                yield _password(value)


def _of_path(request: Request) -> Iterator[str]:
    """Of a route that has a place for it: `/datadog/{key}/...`, for clients that can be told a URL and nothing else."""
    route = request.route_key.split("/")
    if PLACE in route:
        yield request.path.split("/")[route.index(PLACE)]


def _password(credentials: str) -> str:
    """RFC 7617; empty when it is no base64 of `user:password`."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
