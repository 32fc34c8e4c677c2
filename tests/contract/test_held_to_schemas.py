"""A test whose answers are held to schemas fails for an answer that departs from its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest

from tests.contract.zipkin_answers import asking_zipkin

SPAN = {"traceId": "463ac35c9f6413ad", "id": "a2fb4a1d1a96d312", "name": "get", "timestamp": 1, "duration": 1}


def answering(body: Any, status: int = 200) -> Any:
    def handle(_event: dict[str, Any]) -> Mapping[str, Any]:
        return {"statusCode": status, "headers": {}, "body": json.dumps(body), "isBase64Encoded": False}

    return asking_zipkin(handle)


def test_what_fits_is_handed_on() -> None:
    assert answering([[SPAN]]).get("/zipkin/api/v2/traces").json == [[SPAN]]


@pytest.mark.parametrize(
    "departing",
    [
        {"traceId": "463AC35C9F6413AD"},
        {"traceId": "0" * 32},
        {"parentId": ""},
        {"kind": "INTERNAL"},
        {"name": "GET"},
        {"timestamp": "1"},
        {"duration": 0},
        {"tags": {"n": 7}},
        {"tags": {}},
        {"localEndpoint": {}},
        {"localEndpoint": {"port": 0}},
        {"annotations": [{"timestamp": 1, "value": "a"}] * 2},
        {"shared": False},
        {"events": []},
    ],
    ids=str,
)
def test_a_span_that_zipkin_would_not_give_fails(departing: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        answering([SPAN | departing]).get("/api/v2/trace/1")


def test_an_answer_of_a_path_without_schema_fails() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        answering([]).get("/api/v2/other")


def test_a_refusal_has_no_schema() -> None:
    assert answering("no", 400).get("/api/v2/trace/1").status == 400
