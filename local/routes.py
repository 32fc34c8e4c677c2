"""Which route of an HTTP API takes a request: the rules of "Create routes for HTTP APIs" in the API Gateway guide."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

PARAMETER = re.compile(r"\{([^{}+]+)(\+?)\}")


@dataclass(frozen=True)
class RouteKey:
    """A route key as it stands in the template: `GET /api/{proxy+}`, or `$default`."""

    text: str
    method: str
    path: str

    @classmethod
    def parse(cls, text: str) -> RouteKey:
        method, _, path = text.partition(" ")
        return cls(text, "ANY", "/{default+}") if text == "$default" else cls(text, method, path)

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        parts = PARAMETER.split(self.path)  # literal, name, plus, literal, name, plus, … literal
        expression = re.escape(parts[0])
        for name, greedy, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            expression += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + re.escape(literal)
        return re.compile(expression, re.DOTALL)

    def takes(self, method: str, path: str) -> dict[str, str] | None:
        """The path parameters when the route takes the request, else None."""
        if self.method not in {method, "ANY"}:
            return None
        if self.text == "$default":
            return {}
        found = self._expression.fullmatch(path)
        return found.groupdict() if found else None

    @property
    def precedence(self) -> tuple[bool, tuple[int, ...], bool]:
        """Sorts the most specific first: literal segments before `{id}` before `{proxy+}`, a method before ANY."""
        segments = tuple(1 + ("+}" in each) if "{" in each else 0 for each in self.path.split("/"))
        return self.text == "$default", segments, self.method == "ANY"


class HasKey(Protocol):
    @property
    def key(self) -> RouteKey: ...


R = TypeVar("R", bound=HasKey)


def by_precedence(routes: Iterable[R]) -> list[R]:
    """The order in which `find_route` wants them."""
    return sorted(routes, key=lambda route: route.key.precedence)


def find_route(routes: Iterable[R], method: str, path: str) -> tuple[R, dict[str, str]] | None:
    """The first of `routes` that takes a request to the decoded path, with its path parameters; None if none does."""
    for route in routes:
        parameters = route.key.takes(method, path)
        if parameters is not None:
            return route, parameters
    return None
