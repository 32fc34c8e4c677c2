"""Refusals as AWS's services answer them in JSON, for the clients of X-Ray.

Smithy's AWS restJson1 protocol ("Operation error serialization"): the code is the header `x-amzn-errortype`, the
message stands in the body. The codes are those of X-Ray's API reference, of its operations ("Errors") and of all
("Common Error Types").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from spandrel.model import errors
from spandrel.model.errors import Lacking, SpandrelError

from .refusals import Refusal, refused
from .response import Response

CONTENT_TYPE = "application/json"

# error -> its code. An error that is not listed has that of its nearest base.
CODES: Mapping[type[SpandrelError], str] = {
    errors.Rejected: "InvalidRequestException",
    errors.Forbidden: "AccessDeniedException",
    errors.NotFound: "ResourceNotFoundException",
    errors.NotAllowed: "UnknownOperationException",
    errors.TooLarge: "RequestEntityTooLargeException",
    errors.Unsupported: "UnsupportedMediaTypeException",
    errors.Overloaded: "ServiceUnavailableException",
    SpandrelError: "InternalFailure",
}
UNAUTHENTICATED: Mapping[Lacking, str] = {
    "no-key": "MissingAuthenticationTokenException",
    "unknown-key": "UnrecognizedClientException",
    "incomplete-signature": "IncompleteSignatureException",
    "wrong-signature": "InvalidSignatureException",
}
THROTTLED = "ThrottledException"
# AWS has no 401: whom it does not know, it refuses like whom it does not allow.
UNAUTHENTICATED_STATUS = 403


def refused_as_aws(error: SpandrelError) -> Response:
    """The error as boto3, the other SDKs and the X-Ray daemon read it."""
    response = refused(error, _body)
    headers = {**response.headers, "x-amzn-errortype": _code(error)}
    if isinstance(error, errors.Unauthenticated):
        headers.pop("www-authenticate", None)
        return replace(response, status=UNAUTHENTICATED_STATUS, headers=headers)
    return replace(response, headers=headers)


def _code(error: SpandrelError) -> str:
    match error:
        case errors.Unauthenticated():
            return UNAUTHENTICATED[error.lacking]
        case errors.Overloaded(throttled=True):
            return THROTTLED
        case _:
            return next(CODES[base] for base in type(error).__mro__ if base in CODES)


def _body(refusal: Refusal) -> tuple[str, bytes]:
    """X-Ray's own errors say `Message`, those that all services share `message`; clients take either."""
    return CONTENT_TYPE, json.dumps({"Message": refusal.message}).encode()
