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
def test_a_key_may_come_in_any_of_three_ways(headers: dict[str, str], found: list[str]) -> None:
    assert keys_of(request_of(authorizer_event(**headers))) == found


def test_no_other_header_carries_a_key() -> None:
    sent = authorizer_event(cookie="x-api-key=k", proxy_authorization="Bearer k", api_key="k")
    assert keys_of(request_of(sent)) == []
