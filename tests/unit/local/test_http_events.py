from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.deployed import Api
from local.http_events import (
    BrokenAnswer,
    HttpAnswer,
    HttpRequest,
    answer_of,
    authorizer_event,
    integration_event,
)

API = Api("api", "111111111111", "us-east-1", ())


def request(body: bytes = b"", query: str = "", *headers: tuple[str, str]) -> HttpRequest:
    when = datetime(2026, 11, 22, 8, 5, 3, 250_000, tzinfo=UTC)
    return HttpRequest("POST", "/v1/a b", query, headers, body, "127.0.0.1", "id", when)


def event(asked: HttpRequest) -> dict[str, Any]:
    return integration_event(asked, "POST /v1/{name}", {"name": "a b"}, API)


def answer(response: object) -> HttpAnswer:
    return answer_of(json.dumps(response).encode())


def test_a_request_becomes_an_event_of_format_2() -> None:
    made = event(request(b"{}", "a=1&b=&a=%20", ("content-type", "application/json"), ("user-agent", "curl")))
    assert made == {
        "version": "2.0",
        "routeKey": "POST /v1/{name}",
        "rawPath": "/v1/a b",
        "rawQueryString": "a=1&b=&a=%20",
        "headers": {"content-type": "application/json", "user-agent": "curl"},
        "queryStringParameters": {"a": "1, ", "b": ""},
        "pathParameters": {"name": "a b"},
        "requestContext": {
            "accountId": "111111111111",
            "apiId": "api",
            "domainName": "api.execute-api.local",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/v1/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "curl",
            },
            "requestId": "id",
            "routeKey": "POST /v1/{name}",
            "stage": "$default",
            "time": "22/Nov/2026:08:05:03 +0000",
            "timeEpoch": 1795334703250,
        },
        "body": "{}",
        "isBase64Encoded": False,
    }


def test_repeated_headers_are_joined_and_cookies_stand_apart() -> None:
    made = event(request(b"", "", ("x-a", "1"), ("cookie", "a=1; b=2"), ("x-a", "2"), ("cookie", "c=3")))
    assert made["headers"] == {"x-a": "1,2"}
    assert made["cookies"] == ["a=1", "b=2", "c=3"]


def test_what_is_absent_is_not_in_the_event() -> None:
    made = integration_event(request(), "$default", {}, API)
    assert not {"body", "cookies", "queryStringParameters", "pathParameters"} & made.keys()
    assert made["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("content_type", "encoding", "body"),
    [
        ("application/x-protobuf", "", b"abc"),
        ("application/json", "gzip", b"\x1f\x8b"),
        ("application/json", "", b"\xff"),
        ("", "", b"abc"),
    ],
)
def test_a_binary_body_is_base64(content_type: str, encoding: str, body: bytes) -> None:
    made = event(request(body, "", ("content-type", content_type), ("content-encoding", encoding)))
    assert made["isBase64Encoded"] is True
    assert base64.b64decode(made["body"]) == body


def test_the_authorizer_sees_everything_but_the_body() -> None:
    asked = request(b"secret", "", ("x-api-key", "k"))
    made = authorizer_event(asked, "POST /v1/{name}", {"name": "a b"}, API)
    assert made["type"] == "REQUEST"
    assert made["routeArn"] == "arn:aws:execute-api:us-east-1:111111111111:api/$default/POST/v1/a b"
    assert made["headers"] == {"x-api-key": "k"}
    assert not {"body", "isBase64Encoded"} & made.keys()


@pytest.mark.parametrize(
    ("response", "body"),
    [("hello", b"hello"), ({"a": 1}, b'{"a": 1}'), ([1], b"[1]"), (None, b"null"), (7, b"7")],
)
def test_an_answer_without_a_status_is_the_body_of_a_200(response: object, body: bytes) -> None:
    made = answer(response)
    assert (made.status, made.body, made.headers) == (200, body, (("content-type", "application/json"),))


def test_an_answer_says_status_headers_cookies_and_body() -> None:
    made = answer(
        {
            "statusCode": "201",
            "headers": {"X-Count": 3, "X-Flag": True, "Content-Type": "text/css", "Content-Length": "99"},
            "cookies": ["a=1; Secure", "b=2"],
            "body": "AP8=",
            "isBase64Encoded": True,
        }
    )
    assert made.status == 201
    assert made.body == b"\x00\xff"
    assert made.headers == (
        ("x-count", "3"),
        ("x-flag", "true"),
        ("content-type", "text/css"),
        ("set-cookie", "a=1; Secure"),
        ("set-cookie", "b=2"),
    )


def test_an_answer_without_a_content_type_is_text() -> None:
    assert answer({"statusCode": 200}) == HttpAnswer(200, b"", (("content-type", "text/plain; charset=utf-8"),))


@pytest.mark.parametrize(
    "response",
    [
        {"statusCode": "fine"},
        {"statusCode": 99},
        {"statusCode": None},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {"x": ["a"]}},
    ],
)
def test_an_answer_that_the_format_does_not_allow_is_broken(response: object) -> None:
    with pytest.raises(BrokenAnswer):
        answer(response)
