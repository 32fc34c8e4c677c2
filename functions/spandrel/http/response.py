"""A response, and the form in which a Lambda function gives it to API Gateway (payload format 2.0)."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .request import Request

COMPRESS_FROM_BYTES = 1024  # below this, gzip saves no packet
TEXT_BYTES = (
    1024 * 1024
)  # above this as base64: Lambda writes text as JSON, which may treble it, and base64 adds a third
GZIP_LEVEL = 5
GZIP_WINDOW = 31  # zlib's way to ask for the gzip format

Answer = dict[str, Any]
"""What the function returns to Lambda."""


@dataclass(frozen=True, slots=True)
class Response:
    """`body` is as the client shall see it: compression and base64 are no concern of those who make a response."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_of(response: Response, request: Request) -> Answer:
    """Response -> payload 2.0, gzipped where it is worth it and the client takes it, base64 where it is not text."""
    return delivered(encoded(response, request))


def encoded(response: Response, request: Request) -> Response:
    """The response with the body as it travels: none for HEAD, gzipped where that is worth it and the client takes it.
    It must not be encoded again.
    """
    if request.method == "HEAD":
        return replace(response, body=b"")
    if len(response.body) < COMPRESS_FROM_BYTES:
        return response
    varying = replace(response, headers={**response.headers, "vary": "accept-encoding"})
    if not takes_gzip(request.header("accept-encoding")):
        return varying
    headers = {**varying.headers, "content-encoding": "gzip"}
    return replace(varying, body=gzipped(response.body), headers=headers)


def delivered(response: Response) -> Answer:
    """An encoded response -> payload 2.0, in base64 unless it is short text."""
    headers = {"content-type": response.content_type, **response.headers}
    as_text = "content-encoding" not in headers and _is_text(response.content_type) and len(response.body) <= TEXT_BYTES
    body = response.body.decode() if as_text else base64.b64encode(response.body).decode()
    return {"statusCode": response.status, "headers": headers, "body": body, "isBase64Encoded": not as_text}


def takes_gzip(accept_encoding: str) -> bool:
    """RFC 9110, 12.5.3: named or covered by `*`, and not at weight 0."""
    weights = dict(map(_weight, accept_encoding.lower().split(",")))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def gzipped(body: bytes) -> bytes:
    """The same bytes for the same body, on any day."""
    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()


def _weight(coding: str) -> tuple[str, float]:
    name, _, parameter = coding.partition(";")
    try:
        return name.strip(), float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:  # not a weight: as if it were not named
        return name.strip(), 0.0


def _is_text(content_type: str) -> bool:
    return content_type.startswith(("text/", "application/json"))
