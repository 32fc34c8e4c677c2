from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from local.stack import LocalStack

from .http import Reply, ask, connection, post_json

PAGE = {"origin": "https://app.example"}


def told(reply: Reply) -> dict[str, Any]:
    """The event that the function saw."""
    event: dict[str, Any] = reply.json["event"]
    return event


def test_a_function_gets_the_request_as_an_event(small: LocalStack) -> None:
    event = told(
        ask(small.url, "GET", "/echo/a%20b%C3%A9?x=1&x=2&y=", headers={"X-Mixed-Case": "Yes", "Cookie": "a=1"})
    )
    assert event["routeKey"] == "GET /echo/{name}"
    assert event["rawPath"] == "/echo/a bé"
    assert event["pathParameters"] == {"name": "a bé"}
    assert event["rawQueryString"] == "x=1&x=2&y="
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["headers"]["x-mixed-case"] == "Yes"
    assert event["cookies"] == ["a=1"]
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_a_binary_body_arrives_as_it_was_sent(small: LocalStack) -> None:
    body = bytes(range(256)) * 100
    event = told(ask(small.url, "POST", "/echo", body, {"content-type": "application/x-protobuf"}))
    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == body


def test_a_compressed_body_is_left_compressed(small: LocalStack) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    event = told(ask(small.url, "POST", "/echo", b"not really gzip", headers))
    assert base64.b64decode(event["body"]) == b"not really gzip"


def test_a_body_in_chunks_arrives_whole(small: LocalStack) -> None:
    event = told(ask(small.url, "POST", "/echo", iter([b"one ", b"two ", b"three"])))
    assert base64.b64decode(event["body"]) == b"one two three"
    assert event["headers"]["content-length"] == "13"
    assert "transfer-encoding" not in event["headers"]


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(small: LocalStack) -> None:
    with closing(connection(small.url)) as waiting:
        waiting.putrequest("POST", "/echo")
        for name, value in {"content-length": "4", "expect": "100-continue"}.items():
            waiting.putheader(name, value)
        waiting.endheaders()
        assert waiting.sock.recv(100).startswith(b"HTTP/1.1 100 ")
        waiting.send(b"body")
        assert waiting.getresponse().status == 200


def test_one_connection_carries_many_requests(small: LocalStack) -> None:
    over = connection(small.url)
    over.connect()
    socket = over.sock
    for number in range(20):
        assert ask(small.url, "GET", f"/echo/{number}", over=over).status == 200
        assert over.sock is socket
    over.close()


def test_many_clients_at_once_each_get_their_own_answer(small: LocalStack) -> None:
    with ThreadPoolExecutor(30) as clients:
        replies = list(clients.map(lambda number: post_json(small.url, "/echo", {"answer": number}), range(150)))
    assert [reply.json for reply in replies] == list(range(150))


def test_an_answer_says_status_headers_and_cookies(small: LocalStack) -> None:
    said = {"statusCode": 418, "headers": {"X-Count": "3"}, "cookies": ["a=1", "b=2"], "body": "short and stout"}
    reply = post_json(small.url, "/echo", {"answer": said})
    assert (reply.status, reply.body, reply.header("x-count")) == (418, b"short and stout", "3")
    assert reply.header("set-cookie") == "a=1,b=2"


def test_head_has_the_headers_of_an_answer_and_no_body(small: LocalStack) -> None:
    reply = ask(small.url, "HEAD", "/echo/x")
    assert reply.status == 200
    assert reply.body == b""
    assert int(reply.header("content-length")) > 0


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("PUT", "/echo"), ("GET", "/echo/a/b")])
def test_what_no_route_takes_is_not_found(small: LocalStack, method: str, path: str) -> None:
    reply = ask(small.url, method, path, headers=PAGE)
    assert (reply.status, reply.json) == (404, {"message": "Not Found"})
    assert reply.header("access-control-allow-origin") == PAGE["origin"]


@pytest.mark.parametrize("much_bytes", [11 * 1024 * 1024, 5 * 1024 * 1024])
def test_what_the_gateway_or_lambda_cannot_carry_is_too_large(small: LocalStack, much_bytes: int) -> None:
    reply = ask(small.url, "POST", "/echo", bytes(much_bytes), PAGE)
    assert (reply.status, reply.json) == (413, {"message": "Request Entity Too Large"})
    assert reply.header("access-control-allow-origin") == PAGE["origin"]


@pytest.mark.parametrize(
    "body",
    [
        {"do": "raise"},
        {"do": "answer much", "with": 6200},
        {"answer": {"statusCode": "not a number"}},
        {"answer": {"statusCode": 200, "body": {"not": "text"}}},
    ],
)
def test_what_goes_wrong_in_a_function_is_an_internal_error(small: LocalStack, body: dict[str, Any]) -> None:
    reply = post_json(small.url, "/echo", body, **PAGE)
    assert (reply.status, reply.json) == (500, {"message": "Internal Server Error"})
    assert reply.header("access-control-allow-origin") == PAGE["origin"]


def test_a_function_that_takes_too_long_is_unavailable(small: LocalStack) -> None:
    reply = post_json(small.url, "/hasty", {"do": "sleep", "with": 1})
    assert (reply.status, reply.json) == (503, {"message": "Service Unavailable"})


def test_a_function_that_does_not_let_the_gateway_in_is_an_internal_error(small: LocalStack) -> None:
    assert post_json(small.url, "/forgotten", {}).status == 500


def test_what_the_authorizer_says_reaches_the_function(small: LocalStack) -> None:
    context = told(post_json(small.url, "/locked", {}))["requestContext"]["authorizer"]["lambda"]
    assert context["tenant"] == "shop"
    assert context["number"] == 7
    assert "body" not in context["saw"]


def test_a_route_without_authorizer_has_no_context(small: LocalStack) -> None:
    assert "authorizer" not in told(post_json(small.url, "/echo", {}))["requestContext"]


@pytest.mark.parametrize(
    ("decision", "status", "text"),
    [("refuse", 403, "Forbidden"), ("raise", 500, "Internal Server Error"), ("nonsense", 500, "Internal Server Error")],
)
def test_an_authorizer_that_does_not_say_yes_keeps_the_function_from_being_asked(
    small: LocalStack, decision: str, status: int, text: str
) -> None:
    reply = post_json(small.url, "/locked", {"answer": "reached"}, x_decide=decision, **PAGE)
    assert (reply.status, reply.json) == (status, {"message": text})
    assert reply.header("access-control-allow-origin") == PAGE["origin"]


def test_a_preflight_asks_neither_function_nor_authorizer(small: LocalStack) -> None:
    asked = {**PAGE, "access-control-request-method": "POST", "x-decide": "raise"}
    reply = ask(small.url, "OPTIONS", "/locked", headers=asked)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.header("access-control-allow-origin") == PAGE["origin"]
    assert reply.header("access-control-allow-headers") == "x-decide"
    assert reply.header("access-control-max-age") == "60"


def test_a_page_of_another_origin_may_not_read_answers(small: LocalStack) -> None:
    reply = ask(small.url, "POST", "/echo", json.dumps({"answer": 1}).encode(), {"origin": "https://other.example"})
    assert not reply.header("access-control-allow-origin")
