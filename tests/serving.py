"""An HTTP server in this process, before functions that answer as API Gateway is answered."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from spandrel.model.routes import METHODS

Answered = Callable[[str, str, dict[str, str], bytes], Mapping[str, Any]]
"""Method, target, headers by lower-case name, body -> payload 2.0."""


@contextmanager
def served(answered: Answered) -> Iterator[str]:
    """The address at which requests are answered, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = answered(self.command, self.path, headers, body)
            told = answer["body"]
            sent = base64.b64decode(told) if answer["isBase64Encoded"] else told.encode()
            self.send_response(answer["statusCode"])
            for name, value in {**answer["headers"], "content-length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # the client that asked is gone
                self.wfile.write(sent)

        def log_message(self, *_told: object) -> None:
            pass

    for method in (*METHODS, "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
