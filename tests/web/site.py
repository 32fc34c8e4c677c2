"""The pages and the APIs behind them, served in this process: what API Gateway does (CORS too), before functions over
an archive in memory. What is sent to `/v1/traces` is stored before the answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra import cors
from local.cors import preflight, with_cors
from local.deployed import Cors
from local.http_events import HttpAnswer, HttpRequest
from query.answering import Answering
from receive.receiver import Receiver
from show.pages import Pages, files_of_the_pages
from spandrel.http.response import Answer
from spandrel.model.routes import METHODS
from tests.archive import Archive
from tests.events import KNOWN, http_event
from tests.serving import served

ELSEWHERE = "https://bucket.s3.eu-central-1.amazonaws.com"
CORS = Cors(("*",), METHODS, tuple(cors.HEADERS), tuple(cors.EXPOSED_HEADERS), cors.MAX_AGE_S)


@cache
def pages() -> Pages:
    """The pages of this project."""
    return Pages(files_of_the_pages(), ELSEWHERE)


@dataclass
class Site:
    """`key`, if any, is asked for as the authorizer does; `asked` lists what was. `orders` and `slowest` are trace ids
    of the demo's shop, where that was sent.
    """

    archive: Archive
    url: str = ""
    key: str = ""
    asked: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    slowest: str = ""
    closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        """`spandrel.model.catalogue.Queue`, and `store` behind it."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in bodies]
        self.archive.add(*requests, tenant=tenant, received_ns=received_ns)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """A request -> the function's answer as its client gets it; the gateway answers a preflight itself."""
        self.asked.append(f"{method} {target}")
        url = urlsplit(target)
        named = tuple(headers.items())
        request = HttpRequest(method, unquote(url.path), url.query, named, body, "127.0.0.1", "", datetime.now(UTC))
        if method == "OPTIONS":
            told = preflight(CORS, request)
            return {"statusCode": told.status, "headers": dict(told.headers), "body": "", "isBase64Encoded": False}
        answer = self._answered(method, request.path, headers, url.query, body)
        told = with_cors(CORS, request, HttpAnswer(answer["statusCode"], headers=tuple(answer["headers"].items())))
        return {**answer, "headers": dict(told.headers)}

    def _answered(self, method: str, path: str, headers: dict[str, str], query: str, body: bytes) -> Answer:
        event = self._event(method, path, headers, query, body)
        if path == "/" or path.startswith("/ui/"):
            return pages().answer(event)
        with self._lock:
            if self.closed:  # a page that is gone by now had asked
                return {"statusCode": 503, "headers": {}, "body": "", "isBase64Encoded": False}
            if (method, path) == ("POST", "/v1/traces"):
                return Receiver(self, time.time_ns).answer(event)
            return Answering(self.archive.store, self.archive.objects, time.time_ns).answer(event)

    def close(self) -> None:
        """Nothing is read after it: what is being answered is done when it returns."""
        with self._lock:
            self.closed = True

    def _event(self, method: str, path: str, headers: dict[str, str], query: str, body: bytes) -> dict[str, Any]:
        known = not self.key or headers.get("x-api-key") == self.key
        context = KNOWN if known else {"refusal": "a key is needed"}
        key = "POST /v1/traces" if path == "/v1/traces" else f"{method} /api/{{proxy+}}"
        event = http_event(
            method, path, route_key=key, headers=headers, query=query, body=body or None, context=context
        )
        event["requestContext"]["timeEpoch"] = int(time.time() * 1000)
        return event


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """The site while it is served, with its `url`."""
    try:
        with served(site.answer) as site.url:
            yield site
    finally:
        site.close()
