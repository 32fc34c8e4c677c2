"""What an endpoint of a read API gets, and how endpoints are found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.catalogue import VersionedObjects
from spandrel.model.errors import NotAllowed, NotFound, SpandrelError
from spandrel.query.reading import Reading

from .parameters import Parameters

METHODS = ("GET", "HEAD")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Question:
    """One request: `path` has the parts of its path that the endpoint names, `now_ns` is its time (unix ns), `objects`
    is where an API keeps what its users change.
    """

    request: Request
    parameters: Parameters
    path: Mapping[str, str]
    reading: Reading
    now_ns: int
    objects: VersionedObjects


Endpoint = Callable[[Question], Response]


@dataclass(frozen=True, slots=True)
class ReadApi:
    """The endpoints of an API by their paths, and how it tells errors.

    `{name}` stands for one component of a path, `{name+}` for one or more, because API Gateway has decoded slashes.
    `endpoints` are asked with GET or HEAD, those of `posted` with POST.
    """

    endpoints: Mapping[str, Endpoint]
    refuse: Callable[[SpandrelError], Response]
    posted: Mapping[str, Endpoint] = field(default_factory=dict)

    def endpoint(self, request: Request) -> tuple[Endpoint, Mapping[str, str]]:
        """The endpoint of a request and the named parts of its path; NotFound or NotAllowed."""
        allowed: list[str] = []
        for methods, endpoint, parts in self._at(request.path):
            if request.method in methods:
                return endpoint, parts
            allowed += methods
        if allowed:
            raise not_allowed(request, tuple(allowed))
        raise NotFound(f"there is nothing at {request.path[:200]}")

    def _at(self, path: str) -> Iterator[tuple[tuple[str, ...], Endpoint, Mapping[str, str]]]:
        for methods, endpoints in ((METHODS, self.endpoints), (("POST",), self.posted)):
            for template, endpoint in endpoints.items():
                found = _pattern(template).fullmatch(path)
                if found:
                    yield methods, endpoint, found.groupdict()


def not_allowed(request: Request, allowed: tuple[str, ...] = METHODS) -> NotAllowed:
    return NotAllowed(f"{request.path} takes {' and '.join(allowed)}, not {request.method}", allowed)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+\+?)\}", template)
    names = [_named(part) if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(names))


def _named(part: str) -> str:
    name = part.removesuffix("+")
    return f"(?P<{name}>{'.+' if name != part else '[^/]+'})"


def json_response(value: object, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(status, JSON, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
