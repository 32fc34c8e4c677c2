from __future__ import annotations

from dataclasses import dataclass

import pytest

from local.routes import RouteKey, by_precedence, find_route
from spandrel.model.routes import ROUTES


@dataclass(frozen=True)
class Named:
    key: RouteKey


def routes(*keys: str) -> list[Named]:
    return by_precedence(Named(RouteKey.parse(key)) for key in keys)


ALL = routes("$default", "ANY /api/{proxy+}", "GET /api/{proxy+}", "GET /api/traces/{id}", "ANY /api/traces/one")


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/api/traces/one", "ANY /api/traces/one", {}),
        ("GET", "/api/traces/two", "GET /api/traces/{id}", {"id": "two"}),
        ("POST", "/api/traces/two", "ANY /api/{proxy+}", {"proxy": "traces/two"}),
        ("GET", "/api/a/b/c", "GET /api/{proxy+}", {"proxy": "a/b/c"}),
        ("GET", "/api/", "$default", {}),
        ("DELETE", "/", "$default", {}),
    ],
)
def test_the_most_specific_route_takes_a_request(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    found = find_route(ALL, method, path)
    assert found is not None
    assert (found[0].key.text, found[1]) == (key, parameters)


@pytest.mark.parametrize("path", ["/v1/traces/", "/v1/tracesx", "/v1.traces", "/V1/traces", "//v1/traces"])
def test_a_path_that_only_resembles_a_route_has_none(path: str) -> None:
    assert find_route(routes("POST /v1/traces", "POST /v1{more}x"), "POST", path) is None


def test_characters_of_regular_expressions_are_plain_characters() -> None:
    assert find_route(routes("GET /a.b/{x}"), "GET", "/aXb/1") is None
    assert find_route(routes("GET /a.b/{x}"), "GET", "/a.b/1") is not None


def test_no_route_of_spandrel_takes_options_so_that_the_gateway_answers_preflights() -> None:
    own = routes(*(route.key for route in ROUTES))
    assert find_route(own, "OPTIONS", "/v1/traces") is None
    assert find_route(own, "POST", "/v1/traces") is not None


@pytest.mark.parametrize(
    ("method", "path", "key", "proxy"),
    [
        ("POST", "/v2/projects/p/traces:batchWrite", "POST /v2/projects/{project}/{proxy+}", "traces:batchWrite"),
        ("POST", "/v2/projects/p/traces/1/spans/2", "POST /v2/projects/{project}/{proxy+}", "traces/1/spans/2"),
        ("PATCH", "/v1/projects/example.com:p/traces", "PATCH /v1/projects/{project}/traces", None),
    ],
)
def test_paths_with_a_colon_find_their_route(method: str, path: str, key: str, proxy: str | None) -> None:
    """Google's clients call `traces:batchWrite`, and projects may be called `example.com:p`."""
    found = find_route(routes(*(route.key for route in ROUTES)), method, path)
    assert found is not None
    assert (found[0].key.text, found[1].get("proxy")) == (key, proxy)
