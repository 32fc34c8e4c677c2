from __future__ import annotations

import inspect

import pytest

from spandrel.http.refusals import TABLE, Refusal, refusal_of, refused
from spandrel.model import errors
from spandrel.model.errors import SpandrelError

ERRORS = [error for _, error in inspect.getmembers(errors, inspect.isclass) if issubclass(error, SpandrelError)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_stands_in_the_table(error: type[SpandrelError]) -> None:
    assert error in TABLE


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (errors.Undecodable("x"), 400, 3, {}),
        (errors.Rejected("x"), 400, 3, {}),
        (errors.QueryTooBroad("x"), 400, 3, {}),
        (errors.Unauthenticated("x"), 401, 16, {"www-authenticate": 'Bearer realm="spandrel"'}),
        (errors.Forbidden("x"), 403, 7, {}),
        (errors.NotFound("x"), 404, 5, {}),
        (errors.NotAllowed("x", ("GET", "HEAD")), 405, 12, {"allow": "GET, HEAD"}),
        (errors.TooLarge("x"), 413, 3, {}),
        (errors.Unsupported("x"), 415, 3, {}),
        (errors.Overloaded("x", 7), 503, 14, {"retry-after": "7"}),
        (errors.Overloaded("x", 2, throttled=True), 429, 8, {"retry-after": "2"}),
        (errors.Corrupt("x"), 500, 15, {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, SpandrelError) else None,
)
def test_an_error_becomes_its_status(error: SpandrelError, status: int, code: int, headers: dict[str, str]) -> None:
    assert refusal_of(error) == Refusal(status, code, "x", headers)


def test_an_error_that_is_not_listed_is_refused_as_what_it_is_a_kind_of() -> None:
    class StillTooLarge(errors.TooLarge):
        pass

    assert refusal_of(StillTooLarge("x")).status == 413


def test_how_a_refusal_looks_is_up_to_the_api() -> None:
    response = refused(errors.NotFound("gone"), lambda refusal: ("text/plain", f"{refusal.code} gone".encode()))
    assert (response.status, response.content_type, response.body) == (404, "text/plain", b"5 gone")
