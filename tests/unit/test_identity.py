from __future__ import annotations

import pytest

from spandrel.http.identity import Identity, context_of, context_of_refusal, identified
from spandrel.http.request import request_of
from spandrel.model.errors import Forbidden, NotFound, Overloaded, Unauthenticated
from tests.events import KNOWN, http_event


def test_the_tenant_is_the_one_that_the_authorizer_names() -> None:
    identity = identified(request_of(http_event()))
    assert identity == Identity("shop", frozenset({"ingest", "query"}), "tests")


def test_what_the_authorizer_writes_is_what_the_functions_read() -> None:
    identity = Identity("a-tenant_1", frozenset({"ingest"}), "a key, named so")
    assert identified(request_of(http_event(context=context_of(identity)))) == identity


def test_nothing_in_the_request_can_name_a_tenant() -> None:
    event = http_event(
        headers={"tenant": "other", "x-tenant": "other", "x-scope-orgid": "other", "x-amzn-tenant": "other"},
        query="tenant=other&scopes=admin",
        body=b'{"tenant":"other","requestContext":{"authorizer":{"lambda":{"tenant":"other"}}}}',
    )
    assert identified(request_of(event)).tenant == "shop"
    event["requestContext"].pop("authorizer")
    with pytest.raises(Unauthenticated):
        identified(request_of(event))


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"tenant": "shop"},
        {"tenant": "shop", "scopes": "ingest"},
        {"scopes": "ingest", "key": "k"},
        {"tenant": "", "scopes": "ingest", "key": "k"},
        {"tenant": "Not/A/Tenant", "scopes": "ingest", "key": "k"},
        {"tenant": "shop\n", "scopes": "ingest", "key": "k"},
        {**KNOWN, "refusal": "no-key"},
        {**KNOWN, "refusal": "a refusal of a later version"},
        context_of_refusal("no-key"),
        context_of_refusal("unknown-key"),
    ],
)
def test_whatever_is_missing_or_odd_counts_as_no_key(context: dict[str, str] | None) -> None:
    with pytest.raises(Unauthenticated):
        identified(request_of(http_event(context=context)))


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(Unauthenticated, match=r"key is needed.*Bearer"):
        identified(request_of(http_event(context=context_of_refusal("no-key"))))
    with pytest.raises(Unauthenticated, match="not known, or it is revoked"):
        identified(request_of(http_event(context=context_of_refusal("unknown-key"))))


def test_keys_that_cannot_be_looked_up_are_not_wrong_keys() -> None:
    with pytest.raises(Overloaded):
        identified(request_of(http_event(context=context_of_refusal("unavailable"))))


@pytest.mark.parametrize("scopes", ["", "query", "admin", "ingestion", "INGEST"])
def test_a_key_without_the_routes_scope_is_forbidden(scopes: str) -> None:
    with pytest.raises(Forbidden, match=r"'ingest'.*POST /v1/traces"):
        identified(request_of(http_event(context={**KNOWN, "scopes": scopes})))


def test_each_route_asks_for_its_own_scope() -> None:
    reader = {**KNOWN, "scopes": "query"}
    event = http_event("GET", "/api/services", route_key="GET /api/{proxy+}", context=reader)
    assert identified(request_of(event)).tenant == "shop"


def test_a_route_that_nobody_listed_opens_nothing() -> None:
    with pytest.raises(NotFound):
        identified(request_of(http_event(route_key="$default")))


def test_an_open_route_identifies_nobody() -> None:
    with pytest.raises(LookupError, match="open to everybody"):
        identified(request_of(http_event("GET", "/health")))
