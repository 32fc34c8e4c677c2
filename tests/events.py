"""Events as API Gateway's HTTP API makes them (payload format 2.0), for its functions and for its authorizer."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

KNOWN = {"tenant": "shop", "scopes": "ingest query", "key": "tests"}
"""What the authorizer says of a key of the tenant `shop`."""


def http_event(
    method: str = "POST",
    path: str = "/v1/traces",
    *,
    route_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    body: bytes | str | None = None,
    context: Mapping[str, str] | None = KNOWN,
    stage: str = "$default",
) -> dict[str, Any]:
    """What a function gets. A body of bytes arrives as base64, text as it is; `context` None: no authorizer ran."""
    event = _common(method, path, route_key or f"{method} {path}", headers or {}, query, stage)
    event["isBase64Encoded"] = isinstance(body, bytes)
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    if context is not None:
        event["requestContext"]["authorizer"] = {"lambda": dict(context)}
    return event


def authorizer_event(method: str = "POST", path: str = "/v1/traces", **headers: str) -> dict[str, Any]:
    """What the authorizer gets. Headers are given with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event = _common(method, path, f"{method} {path}", named, "", "$default")
    arn = f"arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/$default/{method}{path}"
    return event | {"type": "REQUEST", "routeArn": arn, "identitySource": None}


def _common(
    method: str, path: str, route_key: str, headers: Mapping[str, str], query: str, stage: str
) -> dict[str, Any]:
    raw_path = path if stage == "$default" else f"/{stage}{path}"
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "host": "abcdef1234.execute-api.eu-central-1.amazonaws.com",
            "user-agent": "OTel-OTLP-Exporter-Python/1.45.2",
            "x-amzn-trace-id": "Root=1-671c5b9e-0a1b2c3d4e5f60718293a4b5",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **headers,
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "domainName": "abcdef1234.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "abcdef1234",
            "http": {
                "method": method,
                "path": raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "OTel-OTLP-Exporter-Python/1.45.2",
            },
            "requestId": "AbCdEfGhIjKlMn=",
            "routeKey": route_key,
            "stage": stage,
            "time": "05/Nov/2026:10:15:30 +0000",
            "timeEpoch": 1793873730000,
        },
    }
