"""The body of a call of X-Ray's, whichever operation it is for."""

from __future__ import annotations

from spandrel.http.aws_errors import CONTENT_TYPE
from spandrel.http.request import Request
from spandrel.model.errors import NotAllowed, Undecodable, Unsupported
from spandrel.wire.content import decoded_body, media_type
from spandrel.wire.json_body import json_of

from .attributes import Object

# As SDKs send it, and as older ones of AWS's JSON protocols do; botocore says nothing where there is no body.
CONTENT_TYPES = frozenset({CONTENT_TYPE, "application/x-amz-json-1.1", "application/x-amz-json-1.0", ""})


def body_of(request: Request) -> Object:
    """The JSON object that each of X-Ray's operations takes."""
    if request.method != "POST":
        raise NotAllowed(f"{request.path} takes POST, not {request.method}", ("POST",))
    if media_type(request) not in CONTENT_TYPES:
        raise Unsupported(f"Content-Type is {CONTENT_TYPE}, not {media_type(request)[:80]!r}")
    found, _ = json_of(decoded_body(request))
    if type(found) is not dict:
        raise Undecodable("the body is no JSON object")
    return found
