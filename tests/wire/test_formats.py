from __future__ import annotations

import pytest

from spandrel.http.request import request_of
from spandrel.model.routes import ROUTES, Route
from spandrel.wire.formats import FORMATS, format_of
from tests.events import http_event

INGEST_ROUTES = [route for route in ROUTES if route.function == "receive"]


def test_every_route_of_receive_speaks_a_format_and_every_format_has_a_route() -> None:
    assert {route.path for route in INGEST_ROUTES} == set(FORMATS)


@pytest.mark.parametrize("route", INGEST_ROUTES, ids=lambda route: route.key)
def test_a_format_has_all_that_receive_asks_of_it(route: Route) -> None:
    wire = format_of(request_of(http_event(route.method, route.path)))
    for function in (wire.decode, wire.answer, wire.refuse):
        assert callable(function)


def test_a_route_of_another_function_has_no_format() -> None:
    with pytest.raises(KeyError):
        format_of(request_of(http_event("GET", "/health")))
