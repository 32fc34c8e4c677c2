"""Events as AWS hands them to the functions."""

from __future__ import annotations

import base64
import time
from typing import Any


def export_event(body: bytes, content_type: str = "application/x-protobuf", encoding: str = "") -> dict[str, Any]:
    """A POST of OTLP through the HTTP API, payload 2.0, by a key that is known."""
    headers = {"content-type": content_type} | ({"content-encoding": encoding} if encoding else {})
    return http_event("POST", "/v1/traces", headers, body)


def http_event(method: str, path: str, headers: dict[str, str], body: bytes, route_key: str = "") -> dict[str, Any]:
    """A request with a body, by a key that is known; `route_key` where the route is not the path."""
    context = {"tenant": "bench", "scopes": "ingest query", "key": "bench"}
    return _http(method, path, headers, {"lambda": context}) | {
        "routeKey": route_key or f"{method} {path}",
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def authorizer_event(key: str) -> dict[str, Any]:
    """What the authorizer is asked before a POST of spans."""
    return _http("POST", "/v1/traces", {"authorization": f"Bearer {key}"}, {}) | {"type": "REQUEST"}


def query_event(path: str) -> dict[str, Any]:
    """A GET of the read API by a key that is known."""
    context = {"tenant": "bench", "scopes": "ingest query", "key": "bench"}
    return _http("GET", path, {}, {"lambda": context}) | {"routeKey": "GET /api/{proxy+}"}


def sqs_event(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Messages as ReceiveMessage gives them -> Lambda's event of them."""
    return {"Records": [_record(message) for message in messages]}


def _record(message: dict[str, Any]) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "body": message["Body"],
        "messageAttributes": {
            name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
            for name, value in attributes.items()
        },
    }


def _http(method: str, path: str, headers: dict[str, str], authorizer: dict[str, Any]) -> dict[str, Any]:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "bench"}
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "http": http,
            "stage": "$default",
            "requestId": "bench",
            "timeEpoch": time.time_ns() // 10**6,
            "authorizer": authorizer,
        },
    }
