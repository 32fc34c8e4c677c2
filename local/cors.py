"""CORS as an HTTP API of API Gateway does it: "Configure CORS for HTTP APIs" in its guide.

Where no route takes OPTIONS, the gateway itself answers a preflight and asks nobody. It adds the headers to each
answer, its own errors included, and drops what a function says of CORS.
"""

from __future__ import annotations

from dataclasses import replace

from .deployed import Cors
from .http_events import HttpAnswer, HttpRequest

PREFIX = "access-control-"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

Headers = list[tuple[str, str]]


def preflight(cors: Cors, request: HttpRequest) -> HttpAnswer:
    """The answer to OPTIONS. A browser reads from it whether it may send the request that it has in mind."""
    headers = _of_origin(cors, request)
    if headers and request.header("access-control-request-method"):
        headers += _listing("access-control-allow-methods", METHODS if "*" in cors.methods else cors.methods)
        headers += _listing("access-control-allow-headers", cors.headers)
        headers += [("access-control-max-age", str(cors.max_age_s))] if cors.max_age_s is not None else []
    return HttpAnswer(204, headers=tuple(headers))


def with_cors(cors: Cors, request: HttpRequest, answer: HttpAnswer) -> HttpAnswer:
    """The answer as a page of the request's origin may read it; unchanged for an API without CORS."""
    if not cors.origins:
        return answer
    kept = [(name, value) for name, value in answer.headers if not name.startswith(PREFIX)]
    headers = _of_origin(cors, request)
    exposed = _listing("access-control-expose-headers", cors.exposed) if headers else []
    return replace(answer, headers=(*kept, *headers, *exposed))


def _of_origin(cors: Cors, request: HttpRequest) -> Headers:
    """What tells the origin of the request that it is allowed; nothing for any other, or without an origin."""
    origin = request.header("origin")
    scheme = origin.partition("://")[0]
    if not origin or not {"*", origin, f"{scheme}://*"} & set(cors.origins):
        return []
    headers = [("access-control-allow-origin", "*" if "*" in cors.origins else origin)]
    return headers + ([("access-control-allow-credentials", "true")] if cors.credentials else [])


def _listing(name: str, values: tuple[str, ...]) -> Headers:
    return [(name, ",".join(values))] if values else []
