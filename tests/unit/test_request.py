from __future__ import annotations

import pytest

from spandrel.http.request import request_of
from tests.events import authorizer_event, http_event


def test_a_request_says_what_the_event_says() -> None:
    event = http_event("GET", "/api/v3/traces", headers={"X-Api-Key": "k"}, query="a=1&b=x+y%2Fz&a=&c", body=None)
    request = request_of(event)
    assert (request.method, request.path, request.route_key) == ("GET", "/api/v3/traces", "GET /api/v3/traces")
    assert request.header("x-api-key") == "k"
    assert request.header("not-there") == ""
    assert request.query == (("a", "1"), ("b", "x y/z"), ("a", ""), ("c", ""))
    assert request.body == b""
    assert request.authorizer == {"tenant": "shop", "scopes": "ingest query", "key": "tests"}


@pytest.mark.parametrize("body", [b"", b"\x00\xff\x80", "{}", "é💩", "half \ud83d"])
def test_a_body_is_bytes_however_it_came(body: bytes | str) -> None:
    expected = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    assert request_of(http_event(body=body)).body == expected


def test_the_path_is_without_the_stage() -> None:
    assert request_of(http_event(path="/v1/traces", stage="prod")).path == "/v1/traces"


def test_an_event_of_a_route_without_authorizer_knows_nobody() -> None:
    assert request_of(http_event(context=None)).authorizer == {}


def test_an_authorizers_event_is_a_request_too() -> None:
    request = request_of(authorizer_event(authorization="Bearer x"))
    assert (request.route_key, request.header("authorization"), request.body) == ("POST /v1/traces", "Bearer x", b"")
