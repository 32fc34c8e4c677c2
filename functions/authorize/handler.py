"""Lambda's entry point for API Gateway's question who asks."""

from __future__ import annotations

import logging
import os
import time
from functools import cache
from typing import Any

from spandrel.aws.clients import client
from spandrel.aws.keys import KeyTable, RememberedKeys
from spandrel.http.request import Event, request_of
from spandrel.model.tenant import tenant_name

from .authorizer import Authorizer

# Two attempts of at most 1 + 2 s and the pause between them end before API Gateway gives up on an authorizer at 10 s.
READ_TIMEOUT_S = 2
ATTEMPTS = 2


def handle(event: Event, _context: object) -> dict[str, Any]:
    """An event of an HTTP API's authorizer (payload 2.0) -> the simple response, which never refuses (ADR 0002)."""
    return {"isAuthorized": True, "context": _authorizer().context(request_of(event))}


@cache
def _authorizer() -> Authorizer:
    """The composition root: settings are read and clients made on the first call, not at import."""
    logging.getLogger("authorize").setLevel(os.environ["SPANDREL_LOG_LEVEL"])
    dynamodb = client("dynamodb", read_timeout_s=READ_TIMEOUT_S, attempts=ATTEMPTS)
    keys = KeyTable(dynamodb, os.environ["SPANDREL_KEY_TABLE"])
    open_tenant = os.environ.get("SPANDREL_OPEN_TENANT")
    return Authorizer(
        # Wall-clock time: the monotonic clock may stand still while Lambda has the process frozen.
        keys=RememberedKeys(keys, time.time),
        open_tenant=tenant_name(open_tenant) if open_tenant else "",
    )
