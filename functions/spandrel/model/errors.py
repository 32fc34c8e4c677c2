"""The errors, split by who has to act. `http/refusals.py` maps them to HTTP; `store` maps them to SQS.

SpandrelError
    Rejected          the client has to change the request; the same request is refused again
        Undecodable       the body is not what its headers say (400)
        Unauthenticated   no key or one that is not known, no signature or a wrong one (401)
        Forbidden         a key without the scope that the route needs (403)
        NotFound          no such thing for this tenant (404)
        NotAllowed        the route exists, with another method (405)
        TooLarge          over a limit in bytes, before or after decompression (413)
        Unsupported       another content type or encoding than the route takes (415)
        QueryTooBroad     the question would read more than a request may; narrow it (400)
    Overloaded        the same request can succeed later: 429 or 503 with Retry-After
    Conflict          somebody else changed the record in between; read again, then retry
    Corrupt           stored data does not read back; somebody has to look
"""

from __future__ import annotations

from typing import Literal

Lacking = Literal["no-key", "unknown-key", "incomplete-signature", "wrong-signature"]
"""What a request lacks that nobody vouches for."""


class SpandrelError(Exception):
    """Base of all errors that Spandrel raises on purpose. `str(error)` is for the person who has to act."""


class Rejected(SpandrelError):
    """The client has to change the request."""


class Undecodable(Rejected):
    """The body is not what its headers say."""


class Unauthenticated(Rejected):
    """No key or one that is not known, no signature or a wrong one: `lacking` says which."""

    def __init__(self, message: str, lacking: Lacking = "no-key") -> None:
        super().__init__(message)
        self.lacking = lacking


class Forbidden(Rejected):
    """A known key without the scope that the route needs."""


class NotFound(Rejected):
    """No such thing for this tenant."""


class NotAllowed(Rejected):
    """The route exists, with another method. `allowed` lists the methods that it takes."""

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class TooLarge(Rejected):
    """Over a limit in bytes, before or after decompression."""


class Unsupported(Rejected):
    """A content type or encoding that the route does not take."""


class QueryTooBroad(Rejected):
    """The question would read more than one request may. The message says what to narrow."""


class Overloaded(SpandrelError):
    """The same request can succeed after `retry_after_s` seconds. `throttled`: by a rate (429), not a fault (503)."""

    def __init__(self, message: str, retry_after_s: int = 1, *, throttled: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.throttled = throttled


class Conflict(SpandrelError):
    """Somebody else changed the record in between."""


class Corrupt(SpandrelError):
    """Stored data does not read back. `where` names the object."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where
