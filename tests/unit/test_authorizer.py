"""What the authorizer says of a request, and what the functions make of it."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest

from authorize import handler
from authorize.authorizer import Authorizer
from spandrel.http.identity import Identity, identified
from spandrel.http.request import request_of
from spandrel.model.errors import Corrupt, Overloaded, SpandrelError, Unauthenticated
from spandrel.model.keys import ApiKey, digest_of, new_key
from tests.events import authorizer_event, http_event

KEY, OTHER_KEY, REVOKED_KEY = new_key(), new_key(), new_key()
KEPT = (
    ApiKey(digest_of(KEY), "shop", ("ingest",), "collector", "2026-11-05"),
    ApiKey(digest_of(OTHER_KEY), "other", ("query",), "ui", "2026-11-05"),
    ApiKey(digest_of(REVOKED_KEY), "shop", ("ingest",), "old", "2026-11-05", revoked="2026-11-06"),
)


class KeysInMemory:
    """`spandrel.model.keys.KeyStore`; `fault` is raised instead of answering."""

    def __init__(self, fault: SpandrelError | None = None) -> None:
        self.asked: list[str] = []
        self._fault = fault

    def find(self, digest: str) -> ApiKey | None:
        self.asked.append(digest)
        if self._fault:
            raise self._fault
        return next((key for key in KEPT if key.digest == digest), None)


def said(**headers: str) -> dict[str, str]:
    return said_by(Authorizer(KeysInMemory()), **headers)


def said_by(authorizer: Authorizer, **headers: str) -> dict[str, str]:
    return authorizer.context(request_of(authorizer_event(**headers)))


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.parametrize(
    "headers",
    [{"x_api_key": KEY}, {"authorization": f"Bearer {KEY}"}, {"authorization": basic(KEY)}],
    ids=["x-api-key", "bearer", "basic"],
)
def test_a_known_key_says_whose_it_is_and_what_it_may(headers: dict[str, str]) -> None:
    assert said(**headers) == {"tenant": "shop", "scopes": "ingest", "key": "collector"}


def test_the_functions_understand_what_the_authorizer_says() -> None:
    identity = identified(request_of(http_event(context=said(x_api_key=KEY))))
    assert identity == Identity("shop", frozenset({"ingest"}), "collector")


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({}, "no-key"),
        ({"x_api_key": new_key()}, "unknown-key"),
        ({"x_api_key": "nonsense"}, "unknown-key"),
        ({"authorization": "Bearer nonsense"}, "unknown-key"),
        ({"x_api_key": REVOKED_KEY}, "unknown-key"),
        ({"x_api_key": KEY[:-1]}, "unknown-key"),
        ({"x_api_key": digest_of(KEY)}, "unknown-key"),
    ],
)
def test_anybody_else_is_refused_by_the_functions(headers: dict[str, str], refusal: str) -> None:
    context = said(**headers)
    assert context == {"refusal": refusal}
    with pytest.raises(Unauthenticated):
        identified(request_of(http_event(context=context)))


def test_no_header_of_the_request_names_the_tenant() -> None:
    assert said(x_api_key=KEY, tenant="other", x_scope_orgid="other")["tenant"] == "shop"


def test_a_token_of_somebody_else_beside_the_key_does_no_harm() -> None:
    assert said(x_api_key=KEY, authorization="Bearer eyJhbGciOi")["tenant"] == "shop"
    assert said(x_api_key="somebody-elses", authorization=f"Bearer {KEY}")["tenant"] == "shop"


def test_of_several_keys_the_first_counts_and_one_alone_is_looked_up() -> None:
    keys = KeysInMemory()
    unknown = new_key()
    assert said_by(Authorizer(keys), x_api_key=f"{unknown},{KEY},{OTHER_KEY}") == {"refusal": "unknown-key"}
    assert keys.asked == [digest_of(unknown)]


def test_what_cannot_be_a_key_is_not_looked_up() -> None:
    keys = KeysInMemory()
    said_by(Authorizer(keys), x_api_key="nonsense", authorization=basic("nonsense"))
    assert keys.asked == []


@pytest.mark.parametrize(
    "fault", [Overloaded("DynamoDB throttles"), Corrupt("a broken item")], ids=["overload", "corrupt"]
)
def test_a_look_up_that_fails_becomes_a_503_and_is_logged(
    fault: SpandrelError, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        context = said_by(Authorizer(KeysInMemory(fault)), x_api_key=KEY)
    assert context == {"refusal": "unavailable"}
    assert str(fault) in caplog.text
    assert KEY not in caplog.text
    with pytest.raises(Overloaded):
        identified(request_of(http_event(context=context)))


OPEN = Authorizer(KeysInMemory(), open_tenant="default")


def test_on_a_developers_machine_a_request_without_a_key_has_a_tenant() -> None:
    assert said_by(OPEN) == {"tenant": "default", "scopes": "admin ingest query", "key": "none"}
    assert said_by(OPEN, authorization="Bearer somebody-elses")["tenant"] == "default"


def test_on_a_developers_machine_a_key_still_counts() -> None:
    assert said_by(OPEN, x_api_key=OTHER_KEY)["tenant"] == "other"
    assert said_by(OPEN, x_api_key=REVOKED_KEY) == {"refusal": "unknown-key"}


class TestHandler:
    """The Lambda function, from its environment to its answer."""

    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        for name, value in {
            "SPANDREL_LOG_LEVEL": "WARNING",
            "SPANDREL_KEY_TABLE": "keys",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("SPANDREL_OPEN_TENANT", raising=False)
        handler._authorizer.cache_clear()
        yield
        handler._authorizer.cache_clear()

    def test_it_never_refuses_by_itself(self) -> None:
        assert handler.handle(authorizer_event(), None) == {"isAuthorized": True, "context": {"refusal": "no-key"}}

    def test_an_open_tenant_comes_from_the_environment_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SPANDREL_OPEN_TENANT", "default")
        assert handler.handle(authorizer_event(), None)["context"]["tenant"] == "default"

    def test_an_open_tenant_that_is_no_tenant_stops_everything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SPANDREL_OPEN_TENANT", "Not A Tenant")
        with pytest.raises(SpandrelError, match="tenant"):
            handler.handle(authorizer_event(), None)

    def test_it_gives_up_on_dynamodb_before_the_gateway_gives_up_on_it(self) -> None:
        pause_s = 1  # standard mode, before the second attempt
        assert handler.ATTEMPTS * (1 + handler.READ_TIMEOUT_S) + pause_s < 9
