"""A client that sends exactly what a test says, one connection a request unless it is given one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reply:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """All values of a header, joined by commas."""
        return ",".join(value for each, value in self.headers if each.lower() == name)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connection(url: str) -> HTTPConnection:
    return HTTPConnection(urlsplit(url).netloc, timeout=60)


def ask(
    url: str,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
    over: HTTPConnection | None = None,
) -> Reply:
    """Sends one request; an iterable body goes out in chunks."""
    through = over or connection(url)
    try:
        through.request(method, path, body=body, headers=dict(headers or {}))
        answer = through.getresponse()
        return Reply(answer.status, tuple(answer.getheaders()), answer.read())
    finally:
        if over is None:
            through.close()


def post_json(url: str, path: str, body: object, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(url, "POST", path, json.dumps(body).encode(), {"content-type": "application/json", **named})
