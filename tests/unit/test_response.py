from __future__ import annotations

import base64
import gzip

import pytest

from spandrel.http.request import request_of
from spandrel.http.response import Answer, Response, answer_of, takes_gzip
from tests.events import http_event

LARGE = b'{"a":"' + b"x" * 5000 + b'"}'


def answered(response: Response, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer_of(response, request_of(http_event(method, "/api/services", headers=named)))


def test_text_goes_out_as_text() -> None:
    answer = answered(Response(200, "application/json", '{"é":1}'.encode(), {"etag": "x"}))
    assert answer == {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "etag": "x"},
        "body": '{"é":1}',
        "isBase64Encoded": False,
    }


def test_what_is_no_text_goes_out_as_base64() -> None:
    answer = answered(Response(200, "application/x-protobuf", b"\x0a\x00\xff"))
    assert answer["isBase64Encoded"]
    assert base64.b64decode(answer["body"]) == b"\x0a\x00\xff"


def test_a_large_body_is_gzipped_for_a_client_that_takes_it() -> None:
    answer = answered(Response(200, "application/json", LARGE), accept_encoding="br, gzip")
    assert answer["headers"]["content-encoding"] == "gzip"
    assert answer["headers"]["vary"] == "accept-encoding"
    assert gzip.decompress(base64.b64decode(answer["body"])) == LARGE


def test_a_large_body_stays_as_it_is_for_others_but_caches_are_told() -> None:
    answer = answered(Response(200, "application/json", LARGE))
    assert answer["body"].encode() == LARGE
    assert answer["headers"]["vary"] == "accept-encoding"


def test_a_small_body_is_not_worth_gzip() -> None:
    answer = answered(Response(200, "application/json", b"{}"), accept_encoding="gzip")
    assert answer["body"] == "{}"


def test_the_answer_to_head_has_no_body() -> None:
    assert answered(Response(200, "application/json", LARGE), "HEAD", accept_encoding="gzip")["body"] == ""


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("br", False),
        ("", False),
        ("gzip;q=0", False),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("gzip;q=nonsense", False),
        ("x-gzipped", False),
    ],
)
def test_gzip_is_used_only_where_it_is_accepted(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes
