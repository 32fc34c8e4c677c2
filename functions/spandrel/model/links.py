"""Who calls whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Via = Literal["call", "database", "message", "peer", "unmarked"]
"""How a link is known (docs/dependencies.md has the rules).

`call`: both sides sent spans. `database`, `message`, `peer`: one side did, and named the other one, which is a
database, a message broker or something else. `unmarked`: a span's parent is of another service, though neither says
that this is a remote call; Jaeger counts these, Zipkin does not.
"""
VIAS: tuple[Via, ...] = get_args(Via)
MARKED: tuple[Via, ...] = ("call", "database", "message", "peer")
"""Those that Zipkin counts."""


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Calls from the service `parent` to the service `child`, and how many of them failed."""

    parent: str
    child: str
    calls: int
    errors: int


@dataclass(frozen=True, slots=True, order=True)
class Calls:
    """Calls known in one way that start in one step; `start_ns` is the step's."""

    start_ns: int
    via: Via
    link: Link
