from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.cors import preflight, with_cors
from local.deployed import Cors
from local.http_events import HttpAnswer, HttpRequest

ANYBODY = Cors(origins=("*",), methods=("*",), headers=("content-type", "x-api-key"), exposed=("etag",), max_age_s=600)
SOME = Cors(origins=("https://app.example", "http://*"), methods=("POST",), credentials=True)


def request(**headers: str) -> HttpRequest:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpRequest("OPTIONS", "/v1/traces", "", named, b"", "127.0.0.1", "id", datetime.now(UTC))


def test_a_preflight_learns_methods_headers_and_for_how_long() -> None:
    answer = preflight(ANYBODY, request(origin="https://any.example", access_control_request_method="POST"))
    assert answer.status == 204
    assert dict(answer.headers) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT",
        "access-control-allow-headers": "content-type,x-api-key",
        "access-control-max-age": "600",
    }


@pytest.mark.parametrize("origin", ["https://other.example", "https://app.example.org", "null", ""])
def test_an_origin_that_is_not_allowed_learns_nothing(origin: str) -> None:
    assert preflight(SOME, request(origin=origin, access_control_request_method="POST")) == HttpAnswer(204, headers=())
    assert with_cors(SOME, request(origin=origin), HttpAnswer(200)).headers == HttpAnswer(200).headers


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:3000"])
def test_an_allowed_origin_is_named_when_not_all_are(origin: str) -> None:
    answer = with_cors(SOME, request(origin=origin), HttpAnswer(500))
    assert ("access-control-allow-origin", origin) in answer.headers
    assert ("access-control-allow-credentials", "true") in answer.headers


def test_what_a_function_says_of_cors_is_dropped() -> None:
    own = HttpAnswer(200, headers=(("access-control-allow-origin", "https://evil.example"), ("etag", "1")))
    assert with_cors(ANYBODY, request(origin="https://a.example"), own).headers == (
        ("etag", "1"),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "etag"),
    )


def test_an_api_without_cors_leaves_answers_as_they_are() -> None:
    own = HttpAnswer(200, headers=(("access-control-allow-origin", "*"),))
    assert with_cors(Cors(), request(origin="https://a.example"), own) == own
