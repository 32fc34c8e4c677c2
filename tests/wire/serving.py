"""An HTTP server in this process that does what API Gateway does, in front of the authorizer and `receive`.

So that real clients can send to it. It knows one key pair, and keeps what would be queued.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from authorize.authorizer import Authorizer
from receive.receiver import Receiver
from spandrel.http.request import request_of
from spandrel.model.keys import ApiKey
from tests.events import authorizer_event, http_event
from tests.signing import PAIR, Pairs


@dataclass
class Endpoint:
    """`clock_s` is what its clock is ahead of this machine's. `queued`: tenants, and what came for them."""

    keys: Sequence[ApiKey] = (PAIR,)
    clock_s: float = 0
    url: str = ""
    queued: list[tuple[str, ExportTraceServiceRequest]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        """`spandrel.model.catalogue.Queue`."""
        self.queued += [(tenant, ExportTraceServiceRequest.FromString(body)) for body in bodies]

    def answered(self, method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        """A request -> the answer of `receive`, in API Gateway's form."""
        url = urlsplit(target)
        self.asked.append(f"{method} {url.path}")
        event = http_event(method, url.path, headers=headers, query=url.query, body=body, context=None)
        seen = authorizer_event(method, url.path) | {"headers": event["headers"], "rawQueryString": url.query}
        for made in (event, seen):
            made["requestContext"]["timeEpoch"] = int((time.time() + self.clock_s) * 1000)
        context = Authorizer(Pairs(*self.keys)).context(request_of(seen))
        event["requestContext"]["authorizer"] = {"lambda": context}
        return Receiver(self, time.time_ns).answer(event)


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint while it is served, with its `url`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = endpoint.answered(self.command, self.path, headers, body)
            told = answer["body"]
            sent = base64.b64decode(told) if answer["isBase64Encoded"] else told.encode()
            self.send_response(answer["statusCode"])
            for name, value in {**answer["headers"], "content-length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_told: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
