"""Who asks, and whether they may: the one place that decides 401 and 403.

The authorizer finds out who asks and writes it into the request's context; the functions refuse (docs/architecture.md).
Both directions of that context stand here, so that they cannot differ. Nothing of the request itself is looked at, but
where its signature has to be checked: then the context holds a claim, under names of its own, and the key to check it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from spandrel.model.errors import Forbidden, Lacking, NotFound, Overloaded, Rejected, Unauthenticated
from spandrel.model.routes import Scope, route_of
from spandrel.model.tenant import tenant_name

from .request import Request
from .signature import check_signature, signature_of

Refusal = Lacking | Literal["unavailable"]
"""Why the authorizer found no tenant: what the request lacks, or that keys cannot be looked up at the moment."""

_TOLD: Mapping[Lacking, str] = {
    "no-key": "an API key is needed: as `Authorization: Bearer KEY`, as `x-api-key: KEY`, or as a Basic password",
    "unknown-key": "this API key is not known, or it is revoked",
    "incomplete-signature": "this signature is not complete",
    "wrong-signature": "this signature is not for X-Ray, or not of now",
}
_CLAIMED = "claimed_"
_SIGNING_KEY = "signing_key"


@dataclass(frozen=True, slots=True)
class Identity:
    """A tenant, what its key may do, and the key's name."""

    tenant: str
    scopes: frozenset[str]
    key: str


def context_of(identity: Identity) -> dict[str, str]:
    """What the authorizer hands on about somebody it knows."""
    return {"tenant": identity.tenant, "scopes": " ".join(sorted(identity.scopes)), "key": identity.key}


def context_of_claim(identity: Identity, signing_key: str) -> dict[str, str]:
    """What the authorizer hands on about somebody it knows, if the request is signed with that key."""
    claimed = {_CLAIMED + name: value for name, value in context_of(identity).items()}
    return {**claimed, _SIGNING_KEY: signing_key}


def context_of_refusal(refusal: Refusal) -> dict[str, str]:
    """What the authorizer hands on about somebody it does not know."""
    return {"refusal": refusal}


def identified(request: Request) -> Identity:
    """Who may do what the request's route is for.

    Raises Unauthenticated, Forbidden, or Overloaded when the authorizer could not look. Whatever is missing or odd
    counts as no key: a route whose authorizer was forgotten is closed, not open.
    """
    scope = _scope(request.route_key)
    identity = _identity(request)
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


def _identity(request: Request) -> Identity:
    context = request.authorizer
    _raise_refusal(request, context.get("refusal"))
    claimed = _SIGNING_KEY in context
    if claimed:
        check_signature(request, str(context[_SIGNING_KEY]))
    prefix = _CLAIMED if claimed else ""
    tenant, scopes, key = (context.get(prefix + name) for name in ("tenant", "scopes", "key"))
    if not (isinstance(tenant, str) and isinstance(scopes, str) and isinstance(key, str)):
        raise Unauthenticated(_TOLD["no-key"])
    try:
        return Identity(tenant_name(tenant), frozenset(scopes.split()), key)
    except Rejected as error:
        raise Unauthenticated(f"the API key belongs to no tenant: {error}") from error


def _raise_refusal(request: Request, refusal: object) -> None:
    match refusal:
        case None:
            return
        case "unavailable":
            raise Overloaded("API keys cannot be looked up at the moment")
        case "unknown-key":
            raise Unauthenticated(_TOLD[refusal], refusal)
        case "incomplete-signature" | "wrong-signature":
            signature_of(request)  # raises what is wrong with it, in more words than the context holds
            raise Unauthenticated(_TOLD[refusal], refusal)
        case _:
            raise Unauthenticated(_TOLD["no-key"])
