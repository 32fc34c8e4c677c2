"""All functions that answer requests, behind the routes of the model, as a WSGI application in this process."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any

from local.routes import RouteKey, by_precedence, find_route
from query.answering import Answering
from receive.receiver import Receiver
from show.pages import Pages, files_of_the_pages
from spandrel.model.routes import ROUTES, Function
from tests.archive import Archive
from tests.events import KNOWN, http_event
from tests.wire.test_otlp_answers import QueueInMemory

Handler = Callable[[dict[str, Any]], Mapping[str, Any]]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


@dataclass(frozen=True)
class Routed:
    key: RouteKey
    function: Function
    is_open: bool


ALL = by_precedence(Routed(RouteKey.parse(route.key), route.function, route.scope is None) for route in ROUTES)


@dataclass
class Stack:
    """`handlers` answer events; a function that is not there answers nobody. `asked` are the routes' keys and paths."""

    handlers: dict[Function, Handler]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, Any] | None:
        """Payload 2.0 of the function whose route it is; None where there is no route."""
        found = find_route(ALL, method, path)
        if found is None:
            return None
        route = found[0]
        self.asked.append((route.key.text, path))
        context = None if route.is_open else KNOWN
        event = http_event(
            method, path, route_key=route.key.text, headers=headers, query=query, body=body, context=context
        )
        return self.handlers[route.function](event)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """WSGI (PEP 3333)."""
        answer = self.answer(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
            environ["QUERY_STRING"],
            _headers(environ),
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
        )
        if answer is None:  # as API Gateway says it
            start_response("404 Not Found", [("content-type", "application/json")])
            return [b'{"message":"Not Found"}']
        start_response(f"{answer['statusCode']} {responses[answer['statusCode']]}", list(answer["headers"].items()))
        body = answer["body"]
        return [base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()]


def stack_of(archive: Archive, clock_ns: Callable[[], int]) -> Stack:
    """`receive`, `query` over an archive, and `show`. What comes in is kept by nobody."""
    return Stack(
        {
            "receive": Receiver(QueueInMemory(), clock_ns).answer,
            "query": Answering(archive.store, archive.objects, clock_ns).answer,
            "show": Pages(files_of_the_pages(), "https://bucket.test").answer,
        }
    )


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    named = {name.removeprefix("HTTP_"): value for name, value in environ.items() if name.startswith("HTTP_")}
    content = {name: environ[name] for name in ("CONTENT_TYPE",) if environ.get(name)}
    return {name.lower().replace("_", "-"): value for name, value in {**named, **content}.items()}
