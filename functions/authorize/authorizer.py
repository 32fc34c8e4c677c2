"""Finds out who asks."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from spandrel.http.credentials import keys_of
from spandrel.http.identity import Identity, Refusal, context_of, context_of_refusal
from spandrel.http.request import Request
from spandrel.model.errors import SpandrelError
from spandrel.model.keys import KeyStore, digest_of, looks_like_key
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
        if key is None and self.open_tenant:
            return context_of(Identity(self.open_tenant, frozenset(SCOPES), OPEN_KEY))
        found = self._found(key) if key else None
        if isinstance(found, Identity):
            return context_of(found)
        return context_of_refusal(found or ("unknown-key" if sent else "no-key"))

    def _found(self, key: str) -> Identity | Refusal:
        try:
            known = self.keys.find(digest_of(key))
        except SpandrelError as error:
            # Not the client's fault, so it must not look like a wrong key: that would make SDKs drop their spans.
            _log.error(json.dumps({"message": "API keys cannot be looked up", "reason": str(error)}))
            return "unavailable"
        if known is None or known.revoked:
            return "unknown-key"
        return Identity(known.tenant, frozenset(known.scopes), known.name)
