"""An HTTP server that hands what it hears to the receiver, as API Gateway does, so that real clients can send to it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from authorize.authorizer import Authorizer
from local.routes import RouteKey, by_precedence, find_route
from receive.receiver import Receiver
from spandrel.http.request import request_of
from spandrel.model.keys import ApiKey, digest_of, new_key
from spandrel.model.routes import ROUTES
from tests.events import http_event

from .test_otlp_answers import RECEIVED_NS, QueueInMemory


@dataclass(frozen=True)
class Routed:
    key: RouteKey


ALL = by_precedence(Routed(RouteKey.parse(route.key)) for route in ROUTES if route.function == "receive")


class Gateway:
    """`url` is where it listens, `key` an API key that it knows. Whatever else it is asked for is not found (404)."""

    def __init__(self) -> None:
        self.key = new_key()
        self.url = ""
        self.answered: list[tuple[str, str, int]] = []
        self._queue = QueueInMemory()
        self._receiver = Receiver(self._queue, lambda: RECEIVED_NS)
        self._authorizer = Authorizer(self)

    def find(self, digest: str) -> ApiKey | None:
        """`spandrel.model.keys.KeyStore`."""
        return ApiKey(digest, "shop", ("ingest",), "client", "2026-11-05") if digest == digest_of(self.key) else None

    def requests(self) -> list[ExportTraceServiceRequest]:
        """What was queued, for the key's tenant alone."""
        assert {tenant for tenant, _, _ in self._queue.sent} <= {"shop"}
        return [ExportTraceServiceRequest.FromString(body) for _, body, _ in self._queue.sent]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """API Gateway's event -> the authorizer -> the receiver."""
        path, _, query = target.partition("?")
        path = unquote(path)
        found = find_route(ALL, method, path)
        if found is None:
            return {
                "statusCode": 404,
                "headers": {"content-type": "application/json"},
                "body": '{"message":"Not Found"}',
            }
        event = http_event(
            method, path, route_key=found[0].key.text, headers=headers, query=query, body=body, context=None
        )
        event["requestContext"]["authorizer"] = {"lambda": self._authorizer.context(request_of(event))}
        return self._receiver.answer(event)


@contextmanager
def gateway() -> Iterator[Gateway]:
    """A gateway that listens on a port of its own."""
    found = Gateway()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    found.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield found
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _handler(of: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = of.answer(self.command, self.path, headers, self._body())
            body = answer["body"].encode()
            body = base64.b64decode(body) if answer.get("isBase64Encoded") else body
            of.answered.append((self.command, self.path, answer["statusCode"]))
            self.send_response(answer["statusCode"])
            for name, value in {**answer["headers"], "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = do_POST = do_PUT = _answer  # noqa: N815 (the server's own names)

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") == "chunked":
                return b"".join(iter(self._chunk, b""))
            return self.rfile.read(int(self.headers.get("content-length", 0)))

        def _chunk(self) -> bytes:
            chunk = self.rfile.read(int(self.rfile.readline(), 16))
            self.rfile.readline()
            return chunk

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """A test that fails says what matters."""

    return Handler
