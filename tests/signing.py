"""Requests signed as AWS's SDKs sign them, by botocore, at a moment of the test's choice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from authorize.authorizer import Authorizer
from spandrel.http.request import Request, request_of
from spandrel.model.keys import ApiKey, KeyStore, digest_of, new_pair, secret_of
from tests.events import authorizer_event, http_event

HOST = "abcdef1234.execute-api.eu-central-1.amazonaws.com"
NOW = datetime(2026, 11, 5, 10, 15, 30, tzinfo=UTC)  # when the events of tests.events arrive

PAIR_ID, SEED = new_pair()
SECRET = secret_of(PAIR_ID, SEED)
PAIR = ApiKey(digest_of(PAIR_ID), "shop", ("ingest", "query"), "daemon", "2026-11-05", seed=SEED)


class Pairs:
    """`spandrel.model.keys.KeyStore` of some keys in memory."""

    def __init__(self, *keys: ApiKey) -> None:
        self.asked: list[str] = []
        self._keys = {key.digest: key for key in keys}

    def find(self, digest: str) -> ApiKey | None:
        self.asked.append(digest)
        return self._keys.get(digest)


def signed_headers(
    body: bytes = b"{}",
    *,
    path: str = "/TraceSegments",
    method: str = "POST",
    key_id: str = PAIR_ID,
    secret: str = SECRET,
    token: str | None = None,
    service: str = "xray",
    region: str = "eu-central-1",
    at: datetime = NOW,
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers of a request that botocore signs, lower-case; `headers` are signed too."""
    sent = {"content-type": "application/json", **(headers or {})}
    request = AWSRequest(method, f"https://{HOST}{path}", data=body, headers=sent)
    with patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        SigV4Auth(Credentials(key_id, secret, token), service, region).add_auth(request)
    return {"host": HOST} | {name.lower(): value for name, value in request.headers.items()}


def received(
    headers: Mapping[str, str],
    body: bytes = b"{}",
    *,
    path: str = "/TraceSegments",
    method: str = "POST",
    query: str = "",
    keys: KeyStore | None = None,
    open_tenant: str = "",
) -> Request:
    """The request as the function gets it, after the authorizer has seen what it sees of it."""
    event: dict[str, Any] = http_event(method, path, headers=headers, query=query, body=body.decode(), context=None)
    seen = authorizer_event(method, path) | {name: event[name] for name in ("headers", "rawQueryString")}
    authorizer = Authorizer(keys or Pairs(PAIR), open_tenant)
    event["requestContext"]["authorizer"] = {"lambda": authorizer.context(request_of(seen))}
    return request_of(event)
