"""`/openapi.json` describes what there is: every route, every endpoint, and nothing else."""

from __future__ import annotations

import json

import pytest
from openapi_spec_validator import validate

from infra.imports import files_of
from local.routes import find_route
from query.answering import HEALTH
from query.apis import APIS, api_of
from show.described import PAGES
from show.openapi import openapi
from show.pages import Pages
from spandrel.api.described import APIS as DESCRIBED_APIS
from spandrel.http.credentials import keys_of
from spandrel.http.described import Described, Operation
from spandrel.http.openapi import SCHEMES
from spandrel.http.request import request_of
from spandrel.model.routes import ROUTES
from spandrel.wire.described import FORMATS
from tests.events import http_event
from tests.routed import ALL

DESCRIBED = [(api, one) for api in (*FORMATS, *DESCRIBED_APIS, PAGES) for one in api.operations]
SCOPE_OF = {route.key: route.scope for route in ROUTES}


def named(operation: tuple[Described, Operation]) -> str:
    return f"{operation[1].method} {operation[1].address}"


def test_the_document_is_openapi_and_says_each_thing_once() -> None:
    validate(openapi())
    assert len({named(one) for one in DESCRIBED}) == len(DESCRIBED)
    names = [name for api in (*FORMATS, *DESCRIBED_APIS, PAGES) for name in api.schemas]
    assert len(set(names)) == len(names)
    ids = [told["operationId"] for path in openapi()["paths"].values() for told in path.values()]
    assert len(set(ids)) == len(ids)


def test_every_endpoint_is_found_by_the_way_its_path_begins() -> None:
    for _, load in APIS:
        api = load()
        assert {path for path in (*api.endpoints, *api.posted) if api_of(path) is not api} == set()


def test_every_endpoint_of_every_read_api_describes_itself() -> None:
    """An endpoint that is new needs an entry in the `described` of its package (docs/openapi.md)."""
    apis = [load() for _, load in APIS]
    answered = {("GET", path) for api in apis for path in api.endpoints} | {
        ("POST", path) for api in apis for path in api.posted
    }
    told = {(one.method, one.path) for api in DESCRIBED_APIS for one in api.operations}
    assert told == answered | {("GET", HEALTH)}


@pytest.mark.parametrize("described", DESCRIBED, ids=named)
def test_an_operation_has_a_route_of_the_scope_it_tells(described: tuple[Described, Operation]) -> None:
    api, operation = described
    found = find_route(ALL, operation.method, operation.address)
    assert found
    assert SCOPE_OF[found[0].key.text] == api.scope
    if api.answers_head and operation.method == "GET":
        assert find_route(ALL, "HEAD", operation.address)


def test_every_path_of_the_routes_has_an_operation() -> None:
    taken = (find_route(ALL, one.method, one.address) for _, one in DESCRIBED)
    assert {found[0].key.path for found in taken if found} == {route.path for route in ROUTES}


@pytest.mark.parametrize(("method", "length"), [("GET", True), ("HEAD", False)])
def test_the_document_is_served_to_everybody(method: str, *, length: bool) -> None:
    event = http_event(method, "/openapi.json", context=None)
    answer = Pages({"index.html": b"", "main.js": b""}, "https://bucket.test").answer(event)
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (200, "application/json")
    assert (json.loads(answer["body"]) if length else answer["body"]) == (openapi() if length else "")


@pytest.mark.parametrize("function", ["receive", "query"])
def test_descriptions_are_loaded_by_none_that_answers_for_spans(function: str) -> None:
    assert not [path for path in files_of(function) if path.name.startswith("described")]
    assert [path for path in files_of("show") if path.name.startswith("described")]


@pytest.mark.parametrize("scheme", ["bearer", "basic", "apiKey", "googApiKey"])
def test_a_key_is_found_where_the_document_says(scheme: str) -> None:
    told = SCHEMES[scheme]
    name = told.get("name", "authorization")
    value = {"bearer": "Bearer sp_key", "basic": "Basic dXNlcjpzcF9rZXk="}.get(told.get("scheme", ""), "sp_key")
    assert keys_of(request_of(http_event(headers={name: value}, context=None))) == ["sp_key"]
