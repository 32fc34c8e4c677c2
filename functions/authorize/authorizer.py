"""Finds out who asks."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from spandrel.http.credentials import keys_of
from spandrel.http.identity import Identity, Refusal, context_of, context_of_claim, context_of_refusal
from spandrel.http.request import Request
from spandrel.http.signature import signature_of, signer_of, signing_key
from spandrel.model.errors import SpandrelError, Unauthenticated
from spandrel.model.keys import ApiKey, KeyStore, digest_of, looks_like_key, looks_like_pair_id, secret_of
from spandrel.model.routes import SCOPES

OPEN_KEY = "none"  # what stands for a key's name where none is needed

_log = logging.getLogger("authorize")


@dataclass(frozen=True, slots=True)
class Authorizer:
    """`open_tenant`: whose the requests without a key are; empty (always, where it is deployed) for nobody's."""

    keys: KeyStore
    open_tenant: str = ""

    def context(self, request: Request) -> dict[str, str]:
        """What the functions are told: tenant, scopes and key, or why there are none (spandrel.http.identity)."""
        sent = keys_of(request)
        key = next(filter(looks_like_key, sent), None)  # one alone: a request must not buy a look-up for each of many
        if key:
            return self._of_key(key)
        signer = signer_of(request)
        if signer and looks_like_pair_id(signer):
            return self._of_pair(request)
        if self.open_tenant:
            return context_of(Identity(self.open_tenant, frozenset(SCOPES), OPEN_KEY))
        if signer == "":
            return context_of_refusal("incomplete-signature")
        return context_of_refusal("unknown-key" if sent or signer else "no-key")

    def _of_key(self, key: str) -> dict[str, str]:
        found = self._found(key)
        return context_of(_identity(found)) if isinstance(found, ApiKey) else context_of_refusal(found)

    def _of_pair(self, request: Request) -> dict[str, str]:
        """Who it is if the signature is right, which only the function that has the body can find out."""
        try:
            signature = signature_of(request)
        except Unauthenticated as error:
            return context_of_refusal(error.lacking)
        found = self._found(signature.key_id)
        if not isinstance(found, ApiKey):
            return context_of_refusal(found)
        if not found.seed:  # then the secret would follow from the id alone
            return context_of_refusal("unknown-key")
        return context_of_claim(_identity(found), signing_key(secret_of(signature.key_id, found.seed), signature))

    def _found(self, key: str) -> ApiKey | Refusal:
        """The key in use that is kept under the hash of `key`, which is a key or the id of a pair."""
        try:
            known = self.keys.find(digest_of(key))
        except SpandrelError as error:
            # Not the client's fault, so it must not look like a wrong key: that would make SDKs drop their spans.
            _log.error(json.dumps({"message": "API keys cannot be looked up", "reason": str(error)}))
            return "unavailable"
        if known is None or known.revoked:
            return "unknown-key"
        return known


def _identity(key: ApiKey) -> Identity:
    return Identity(key.tenant, frozenset(key.scopes), key.name)
