"""What the rules of the grammar hand to each other: a piece of the query, where it stands, how deep it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from lark import Token

from .errors import UnparsableQuery

# Whatever walks a query recurses; no query that a person writes comes near. Chains of && and || count once.
DEPTH_MAX = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """`node` is a node of the query or one of the rules' own that never leaves them."""

    node: Any
    at: Token
    depth: int = 1


def part(node: Any, at: Token, *of: Part) -> Part:
    """A part made of others. UnparsableQuery when they lie too deep."""
    depth = 1 + max((inner.depth for inner in of), default=0)
    if depth > DEPTH_MAX:
        raise refusal(f"this is nested more than {DEPTH_MAX} deep", at)
    return Part(node, at, depth)


def refusal(message: str, at: Token) -> UnparsableQuery:
    """The error to raise for what stands at the token."""
    return UnparsableQuery(message, at.line or 1, at.column or 1)


def converted(convert: Callable[[str], T], token: Token) -> T:
    """What `convert` makes of the token's text; its ValueError becomes UnparsableQuery there."""
    try:
        return convert(token)
    except ValueError as wrong:
        raise refusal(str(wrong), token) from None
