"""Who asks, and whether they may: the one place that decides 401 and 403.

The authorizer finds out who asks and writes it into the request's context; the functions refuse (docs/architecture.md).
Both directions of that context stand here, so that they cannot differ. Nothing of the request itself is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from spandrel.model.errors import Forbidden, NotFound, Overloaded, Rejected, Unauthenticated
from spandrel.model.routes import Scope, route_of
from spandrel.model.tenant import tenant_name

from .request import Request

Refusal = Literal["no-key", "unknown-key", "unavailable"]
"""Why the authorizer found no tenant: no key came, none that counts came, or keys cannot be looked up at the moment."""

_TOLD = {
    "no-key": "an API key is needed: as `Authorization: Bearer KEY`, as `x-api-key: KEY`, or as a Basic password",
    "unknown-key": "this API key is not known, or it is revoked",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A tenant, what its key may do, and the key's name."""

    tenant: str
    scopes: frozenset[str]
    key: str


def context_of(identity: Identity) -> dict[str, str]:
    """What the authorizer hands on about somebody it knows."""
    return {"tenant": identity.tenant, "scopes": " ".join(sorted(identity.scopes)), "key": identity.key}


def context_of_refusal(refusal: Refusal) -> dict[str, str]:
    """What the authorizer hands on about somebody it does not know."""
    return {"refusal": refusal}


def identified(request: Request) -> Identity:
    """Who may do what the request's route is for.

    Raises Unauthenticated, Forbidden, or Overloaded when the authorizer could not look. Whatever is missing or odd
    counts as no key: a route whose authorizer was forgotten is closed, not open.
    """
    scope = _scope(request.route_key)
    identity = _identity(request.authorizer)
    if scope not in identity.scopes:
        raise Forbidden(f"the key {identity.key!r} lacks the scope {scope!r} that {request.route_key} needs")
    return identity


def _scope(route_key: str) -> Scope:
    try:
        scope = route_of(route_key).scope
    except KeyError as error:
        raise NotFound(f"there is no route {route_key}") from error
    if scope is None:
        raise LookupError(f"{route_key} is open to everybody, so nobody is identified")
    return scope


def _identity(context: Mapping[str, object]) -> Identity:
    refusal = context.get("refusal")
    if refusal == "unavailable":
        raise Overloaded("API keys cannot be looked up at the moment")
    tenant, scopes, key = (context.get(name) for name in ("tenant", "scopes", "key"))
    if refusal or not (isinstance(tenant, str) and isinstance(scopes, str) and isinstance(key, str)):
        raise Unauthenticated(_TOLD.get(str(refusal), _TOLD["no-key"]))
    try:
        return Identity(tenant_name(tenant), frozenset(scopes.split()), key)
    except Rejected as error:
        raise Unauthenticated(f"the API key belongs to no tenant: {error}") from error
