"""The routes: which function answers them and which scope a key needs.

The template and the local gateway are made from this list; refusals and README's table are held to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Function = Literal["receive", "query"]
Scope = Literal["ingest", "query", "admin"]
SCOPES: tuple[Scope, ...] = ("ingest", "query", "admin")


@dataclass(frozen=True, slots=True)
class Route:
    """`method` and `path` as API Gateway writes them (`ANY`, `{id}`, `{proxy+}`); `scope` None is open to everybody."""

    method: str
    path: str
    function: Function
    scope: Scope | None

    @property
    def key(self) -> str:
        """API Gateway's route key, as it stands in the template and in each event."""
        return f"{self.method} {self.path}"


# ANY, so that a wrong method is refused by the function in its API's own format (405), not by the gateway's 404.
ROUTES: tuple[Route, ...] = (
    Route("ANY", "/v1/traces", "receive", "ingest"),
    Route("ANY", "/api/{proxy+}", "query", "query"),
    Route("ANY", "/health", "query", None),
)


def route_of(key: str) -> Route:
    """The route whose key an event carries; KeyError for one that is not in the list."""
    return _BY_KEY[key]


_BY_KEY = {route.key: route for route in ROUTES}
