"""HTTP requests as events and answers as responses: API Gateway's payload format 2.0 for HTTP APIs.

The rules stand in the API Gateway guide: "Create AWS Lambda proxy integrations for HTTP APIs", "Control access to HTTP
APIs with AWS Lambda authorizers".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from .deployed import Api

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
# The gateway itself writes these, whatever the function says.
OWN_HEADERS = frozenset(
    {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came in. `path` is decoded, as API Gateway matches and passes it on; header names lower-case."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    request_id: str
    received: datetime

    def header(self, name: str) -> str:
        """All values of a header, joined by commas; empty when it is not there."""
        return _joined(self.headers).get(name, "")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it goes out."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = field(default=(("content-type", JSON),))


def message(status: int, text: str) -> HttpAnswer:
    """An answer of the gateway itself."""
    return HttpAnswer(status, json.dumps({"message": text}, separators=(",", ":")).encode())


def integration_event(request: HttpRequest, route_key: str, parameters: Mapping[str, str], api: Api) -> dict[str, Any]:
    """The event of the function that answers the route; `requestContext.authorizer` is added by who asked one."""
    event = _event(request, route_key, parameters, api)
    body = _body(request)
    if body is not None:
        event["body"] = body[0]
    event["isBase64Encoded"] = body is not None and body[1]
    return event


def authorizer_event(request: HttpRequest, route_key: str, parameters: Mapping[str, str], api: Api) -> dict[str, Any]:
    """The event of a REQUEST authorizer: the same without the body."""
    event = _event(request, route_key, parameters, api)
    route_arn = f"{api.execution_arn}/$default/{request.method}{request.path}"
    return {**event, "type": "REQUEST", "routeArn": route_arn, "identitySource": None}


def _event(request: HttpRequest, route_key: str, parameters: Mapping[str, str], api: Api) -> dict[str, Any]:
    cookies = [cookie.strip() for name, value in request.headers if name == "cookie" for cookie in value.split(";")]
    headers = _joined((name, value) for name, value in request.headers if name != "cookie")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": _context(request, route_key, api, headers.get("user-agent", "")),
    }
    optional = {
        "cookies": cookies,
        "queryStringParameters": _joined(parse_qsl(request.query, keep_blank_values=True)),
        "pathParameters": dict(parameters),
    }
    return event | {name: value for name, value in optional.items() if value}


def _context(request: HttpRequest, route_key: str, api: Api, user_agent: str) -> dict[str, Any]:
    return {
        "accountId": api.account_id,
        "apiId": api.api_id,
        "domainName": f"{api.api_id}.execute-api.local",
        "domainPrefix": api.api_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": user_agent,
        },
        "requestId": request.request_id,
        "routeKey": route_key,
        "stage": "$default",
        "time": request.received.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.received.timestamp() * 1000),
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Repeated names become one value, joined by commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


# Bodies of these content types reach the function as text, all others as base64.
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript")


def _body(request: HttpRequest) -> tuple[str, bool] | None:
    """(text, whether it is base64); None without a body."""
    if not request.body:
        return None
    encoded = request.header("content-encoding") not in {"", "identity"}
    said_to_be_text = request.header("content-type").lower().startswith(_TEXT_TYPES)
    text = _text(request.body) if said_to_be_text and not encoded else None
    return (base64.b64encode(request.body).decode(), True) if text is None else (text, False)


def _text(body: bytes) -> str | None:
    """The body as text; None for one that is none, whatever its content type says."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


class BrokenAnswer(ValueError):
    """A function's answer that payload format 2.0 does not allow."""


def answer_of(payload: bytes) -> HttpAnswer:
    """What a function's answer says in HTTP. Without a `statusCode`, any JSON is the body of a 200. BrokenAnswer."""
    response = json.loads(payload)
    if not isinstance(response, dict) or "statusCode" not in response:
        text = response if isinstance(response, str) else json.dumps(response)
        return HttpAnswer(200, text.encode())
    status = _status(response["statusCode"])
    headers = [(str(name).lower(), _header_value(value)) for name, value in (response.get("headers") or {}).items()]
    kept = [(name, value) for name, value in headers if name not in OWN_HEADERS]
    if not any(name == "content-type" for name, _ in kept):
        kept.append(("content-type", TEXT))
    cookies = [("set-cookie", str(cookie)) for cookie in response.get("cookies") or []]
    return HttpAnswer(status, _answer_body(response), (*kept, *cookies))


def _status(value: object) -> int:
    try:
        status = int(str(value))
    except ValueError:
        raise BrokenAnswer(f"statusCode {value!r}") from None
    if not 100 <= status <= 599:
        raise BrokenAnswer(f"statusCode {status}")
    return status


def _header_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise BrokenAnswer(f"a header of {value!r}")
    return str(value)


def _answer_body(response: Mapping[str, Any]) -> bytes:
    body = response.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise BrokenAnswer("a body that is not text")
    if not response.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise BrokenAnswer(f"a body that is not base64: {error}") from error
