"""`/openapi.json`: what every API says of itself, in one document, made when it is first asked for."""

from __future__ import annotations

import json
from functools import cache

from spandrel.api.described import APIS
from spandrel.http.openapi import Json, document
from spandrel.model.version import VERSION
from spandrel.wire.described import FORMATS

from .described import PAGES

TITLE = "Spandrel"
ABOUT = (
    "Distributed tracing in your own AWS account: spans in, in any client's format, and traces out, by any UI's API."
)


def openapi() -> Json:
    """The document."""
    return document((*FORMATS, *APIS, PAGES), TITLE, ABOUT, VERSION)


@cache
def openapi_text() -> bytes:
    """The document as it is served."""
    return json.dumps(openapi(), ensure_ascii=False, separators=(",", ":")).encode()
