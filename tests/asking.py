"""Questions to `query` as API Gateway hands them over, and its answers."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.events import KNOWN, http_event


@dataclass(frozen=True)
class Reply:
    """What the client sees."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Asking:
    """A client of the function `handle`."""

    handle: Callable[[dict[str, Any]], Mapping[str, Any]]

    def get(
        self,
        path: str,
        query: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        *,
        tenant: str = "shop",
        method: str = "GET",
        body: bytes | None = None,
        route_key: str | None = None,
        context: Mapping[str, str] | None = KNOWN,
        **headers: str,
    ) -> Reply:
        """The reply to one request; headers are given with `_` for `-`."""
        event = http_event(
            method,
            path,
            route_key=route_key or f"{method} /{path.split('/')[1]}/{{proxy+}}",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            query=urlencode(query or {}),
            body=body,
            context=context and {**context, "tenant": tenant},
        )
        return reply_of(self.handle(event))

    def post(self, path: str, body: bytes = b"", **headers: Any) -> Reply:
        """As `get`, with a body."""
        return self.get(path, method="POST", body=body, **headers)


def reply_of(answer: Mapping[str, Any]) -> Reply:
    """Payload 2.0 -> what its client sees, decompressed."""
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    if answer["headers"].get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Reply(answer["statusCode"], answer["headers"], body)
