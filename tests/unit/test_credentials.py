from __future__ import annotations

import base64

import pytest

from spandrel.http.credentials import keys_of
from spandrel.http.request import request_of
from tests.events import authorizer_event


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, []),
        ({"x_api_key": "k"}, ["k"]),
        ({"x_goog_api_key": "k"}, ["k"]),
        ({"authorization": "Bearer k"}, ["k"]),
        ({"authorization": "bearer  k "}, ["k"]),
        ({"authorization": basic("anybody:k")}, ["k"]),
        ({"authorization": basic(":k")}, ["k"]),
        ({"authorization": basic("anybody:with:colons")}, ["with:colons"]),
        ({"x_api_key": "a", "authorization": "Bearer b"}, ["a", "b"]),
        ({"x_api_key": "a,b"}, ["a", "b"]),
        ({"authorization": "Bearer a, Bearer b"}, ["a", "b"]),
        ({"authorization": "Basic k"}, []),
        ({"authorization": basic("no colon")}, []),
        ({"authorization": "Basic \u00fc"}, []),
        ({"authorization": "Digest k"}, []),
        ({"authorization": "k"}, []),
        ({"authorization": "Bearer"}, []),
        ({"x_api_key": " "}, []),
    ],
)
def test_a_key_may_come_in_any_of_four_ways(headers: dict[str, str], found: list[str]) -> None:
    assert keys_of(request_of(authorizer_event(**headers))) == found


@pytest.mark.parametrize(
    ("route_key", "path", "found"),
    [
        ("PUT /datadog/{key}/v0.4/traces", "/datadog/k/v0.4/traces", ["k"]),
        ("GET /datadog/{key}/info", "/datadog//info", []),
        ("PUT /v0.4/traces", "/v0.4/traces", []),
        ("GET /api/{proxy+}", "/api/{key}/k", []),
    ],
)
def test_a_key_may_stand_in_the_path_of_a_route_that_has_a_place_for_it(
    route_key: str, path: str, found: list[str]
) -> None:
    sent = authorizer_event("GET", path) | {"routeKey": route_key}
    assert keys_of(request_of(sent)) == found


def test_no_other_header_carries_a_key() -> None:
    sent = authorizer_event(cookie="x-api-key=k", proxy_authorization="Bearer k", api_key="k")
    assert keys_of(request_of(sent)) == []
