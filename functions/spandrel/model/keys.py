"""API keys: how they look, what is kept of them, and the port to where they are kept.

A key is 256 random bits, so its SHA-256 can neither be guessed nor reversed, and needs neither salt nor stretching.
Scopes stand for themselves: `admin` does not include the others, so that a key's list says all that it can do.

A key pair is for clients that can only sign their requests (AWS Signature Version 4): an id that they send, and a
secret that they never send. It is kept under the id's SHA-256, with a seed; the secret follows from id and seed
together, and from neither alone (ADR 0005).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .routes import Scope

PREFIX = "sp_"
SECRET_BYTES = 32
ID_DIGITS = 12

# IAM ("AccessKey"): an access key id is 16 to 128 letters, digits or underscores. None of AWS starts like this one.
PAIR_PREFIX = "SPXR"
PAIR_ID_BYTES = 20

_KEY = re.compile(rf"{PREFIX}[0-9a-f]{{{2 * SECRET_BYTES}}}")
_PAIR_ID = re.compile(rf"{PAIR_PREFIX}[A-Z2-7]{{{PAIR_ID_BYTES * 8 // 5}}}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key: its SHA-256 in hex, never the key. Times are ISO 8601, UTC; `revoked` is empty in use.

    Of a key pair: the SHA-256 of its id, and `seed`, in hex, which an ordinary key has not.
    """

    digest: str
    tenant: str
    scopes: tuple[Scope, ...]
    name: str
    created: str
    revoked: str = ""
    seed: str = ""

    @property
    def key_id(self) -> str:
        """Enough of the digest to point at the key."""
        return self.digest[:ID_DIGITS]


class KeyStore(Protocol):
    """Where keys are kept."""

    def find(self, digest: str) -> ApiKey | None:
        """The key of that digest, revoked or not; Overloaded when it cannot be looked up now."""


def new_key() -> str:
    """A key that nobody has seen. To be shown once, and forgotten."""
    return PREFIX + secrets.token_hex(SECRET_BYTES)


def digest_of(key: str) -> str:
    """The SHA-256 under which a key is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


def looks_like_key(text: str) -> bool:
    """Whether it could be one: what cannot is not worth asking the store about."""
    return _KEY.fullmatch(text) is not None


def new_pair() -> tuple[str, str]:
    """The id and the seed of a key pair that nobody has seen."""
    digits = base64.b32encode(secrets.token_bytes(PAIR_ID_BYTES)).decode()
    return PAIR_PREFIX + digits, secrets.token_hex(SECRET_BYTES)


def secret_of(pair_id: str, seed: str) -> str:
    """The secret of a key pair: 43 characters that need no quoting in a shell or a URL."""
    derived = hmac.digest(bytes.fromhex(seed), pair_id.encode(), "sha256")
    return base64.urlsafe_b64encode(derived).decode().rstrip("=")


def looks_like_pair_id(text: str) -> bool:
    """Whether it could be the id of a key pair."""
    return _PAIR_ID.fullmatch(text) is not None


def named(keys: Sequence[ApiKey], name_or_id: str) -> list[ApiKey]:
    """The keys in use with that name or id."""
    return [key for key in keys if not key.revoked and name_or_id in {key.name, key.key_id}]
