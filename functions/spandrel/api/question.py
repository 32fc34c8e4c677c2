"""What an endpoint of a read API gets, and how endpoints are found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import NotAllowed, NotFound, SpandrelError
from spandrel.query.reading import Reading

from .parameters import Parameters

METHODS = ("GET", "HEAD")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Question:
    """One request: `path` has the parts of its path that the endpoint names, `now_ns` is its time (unix ns)."""

    parameters: Parameters
    path: Mapping[str, str]
    reading: Reading
    now_ns: int


Endpoint = Callable[[Question], Response]


@dataclass(frozen=True, slots=True)
class ReadApi:
    """The endpoints of an API by their paths, and how it tells errors.

    A path is like `/api/v3/traces/{trace_id}`; a last part like `{trace_id+}` takes slashes too, as in API Gateway.
    """

    prefix: str
    endpoints: Mapping[str, Endpoint]
    refuse: Callable[[SpandrelError], Response]

    def endpoint(self, request: Request) -> tuple[Endpoint, Mapping[str, str]]:
        """The endpoint of a request and the named parts of its path; NotFound or NotAllowed."""
        for template, endpoint in self.endpoints.items():
            parts = _parts(template, request.path)
            if parts is not None:
                if request.method not in METHODS:
                    raise not_allowed(request)
                return endpoint, parts
        raise NotFound(f"there is nothing at {request.path[:200]}")


def not_allowed(request: Request) -> NotAllowed:
    return NotAllowed(f"{request.path} takes {' and '.join(METHODS)}, not {request.method}", METHODS)


def _parts(template: str, path: str) -> Mapping[str, str] | None:
    """The named parts of a path that the template fits."""
    names = template.split("/")
    values = path.split("/", len(names) - 1 if names[-1].endswith("+}") else -1)
    if len(names) != len(values):
        return None
    pairs = list(zip(names, values, strict=True))
    if any(name != value for name, value in pairs if not name.startswith("{")):
        return None
    return {name.strip("{+}"): value for name, value in pairs if name.startswith("{")}


def json_response(value: object, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(status, JSON, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
