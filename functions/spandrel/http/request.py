"""A request as API Gateway's HTTP API hands it over (payload format 2.0)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Event = Mapping[str, Any]
"""Lambda's event as json.loads gives it. API Gateway made it: its shape is trusted, what clients put in is not."""

DEFAULT_STAGE = "$default"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    `route_key` is that of `spandrel.model.routes`; `path` is as API Gateway gives it, percent-decoded and without the
    stage; names in `headers` are lower-case, repeated headers are joined by commas; `query` keeps order and repeats;
    `body` is as sent, so perhaps compressed; `received_ms` is when API Gateway got it, unix time. `authorizer` is what
    the authorizer found out and nobody else can write: `spandrel.http.identity` reads it.
    """

    method: str
    path: str
    route_key: str
    headers: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    body: bytes
    received_ms: int
    authorizer: Mapping[str, object]

    def header(self, name: str) -> str:
        """The header of that lower-case name, or empty text."""
        return self.headers.get(name, "")


def request_of(event: Event) -> Request:
    """Payload 2.0 -> Request. The authorizer sees events without a body; theirs is empty."""
    context = event["requestContext"]
    return Request(
        method=context["http"]["method"],
        path=_path(event["rawPath"], context.get("stage", DEFAULT_STAGE)),
        route_key=event["routeKey"],
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        query=tuple(parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)),
        body=_body(event),
        received_ms=context["timeEpoch"],
        authorizer=(context.get("authorizer") or {}).get("lambda") or {},
    )


def _path(raw_path: str, stage: str) -> str:
    return raw_path if stage == DEFAULT_STAGE else raw_path.removeprefix(f"/{stage}")


def _body(event: Event) -> bytes:
    body: str = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
