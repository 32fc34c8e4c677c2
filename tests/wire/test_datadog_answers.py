"""What Datadog's tracers are told: of bodies that are none, of requests that are refused, and when they ask."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandrel.http.identity import context_of_refusal
from spandrel.http.response import Response
from spandrel.model.errors import Overloaded, TooLarge
from spandrel.model.limits import BODY_BYTES, SPANS_MAX
from spandrel.wire.datadog import endpoint as datadog
from spandrel.wire.datadog.payloads import ELEMENTS_MAX, TEXTS_MAX
from tests.events import http_event

from .datadog_sending import MSGPACK, RECORDED, V04, V05, as_v04, as_v05, one, sent
from .sending import recorded
from .test_otlp_answers import QueueInMemory, answered


@pytest.mark.parametrize("name", RECORDED)
def test_what_ddtrace_sends_is_queued_as_otlp(name: str) -> None:
    queue = QueueInMemory()
    told = recorded(name)
    response = answered(http_event(told.method, told.path, headers=told.headers, body=told.body), queue)
    assert (response.status, response.content_type) == (200, "application/json")
    assert json.loads(response.body) == {"rate_by_service": {"service:,env:": 1}}
    assert [tenant for tenant, _, _ in queue.sent] == ["shop"]


def expect_refusal(path: str, body: bytes, status: int, **other: Any) -> Response:
    """The refusal, of that status."""
    headers = {"content-type": MSGPACK, **other.pop("headers", {})}
    queue = QueueInMemory(other.pop("fault", None))
    response = answered(http_event("POST", path, headers=headers, body=body, **other), queue)
    assert (response.status, response.content_type) == (status, "text/plain; charset=utf-8")
    assert response.body.endswith(b"\n")
    assert not queue.sent
    return response


V05_SPAN = [0, 0, 0, 1, 1, 0, 1, 1, 0, {}, {}, 0]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (V04, b""),
        (V04, b"\xc1"),
        (V04, b"\x93"),
        (V04, b"hello"),
        (V04, msgpack.packb({})),
        (V04, msgpack.packb([7])),
        (V04, msgpack.packb([[7]])),
        (V04, msgpack.packb([[{"trace_id": "1"}]])),
        (V04, msgpack.packb([[{"start": 1.5}]])),
        (V04, msgpack.packb([[{"meta": {"a": 1}}]])),
        (V04, msgpack.packb([[{"meta": []}]])),
        (V04, msgpack.packb([[{"metrics": {"a": "1"}}]])),
        (V04, msgpack.packb([[{7: 1}]])),
        (V04, msgpack.packb([[{"meta": {b"a": "1"}}]])),
        (V04, msgpack.packb([[{"span_links": [7]}]])),
        (V04, msgpack.packb([[{"span_links": [{"trace_id": 1}]}]])),
        (V04, msgpack.packb([[{"span_events": [{"name": 1, "time_unix_nano": 1}]}]])),
        (V04, b"\x91\x91\xdf\xff\xff\xff\xff"),
        (V04, b"\x91\x91" + b"\x91" * 100_000),
        (V04, b"\x91\x91\x81\xa4meta" + b"\xdc\x40\x00" * 400),
        (V05, b""),
        (V05, msgpack.packb([])),
        (V05, msgpack.packb([[], [], []])),
        (V05, msgpack.packb([[7], []])),
        (V05, msgpack.packb([["a"], [7]])),
        (V05, msgpack.packb([["a"], [[7]]])),
        (V05, msgpack.packb([["a"], [[V05_SPAN[:-1]]]])),
        (V05, msgpack.packb([["a"], [[[*V05_SPAN[:-1], 1]]]])),
        (V05, msgpack.packb([["a"], [[[-1, *V05_SPAN[1:]]]]])),
        (V05, msgpack.packb([["a"], [[[*V05_SPAN[:9], {0: 9}, {}, 0]]]])),
        (V05, msgpack.packb([["a"], [[[*V05_SPAN[:9], {0: [0]}, {}, 0]]]])),
        (V05, msgpack.packb([["a"], [[[*V05_SPAN[:9], {}, {0: "x"}, 0]]]])),
        (V05, b"\x92\xdd\x00\x07\xa1\x00"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else repr(value[:24]),
)
def test_a_body_that_is_none_of_its_kind_is_refused_whole(path: str, body: bytes) -> None:
    expect_refusal(path, body, 400)


def test_the_limits_let_more_through_than_tracers_send() -> None:
    many = {f"tag{number}": "x" for number in range(5000)}
    assert len(one(as_v04, meta=many).attributes) == 5001
    assert len(one(as_v05, meta=many).attributes) == 5001


def test_a_list_or_a_dictionary_beyond_the_limit_is_refused() -> None:
    expect_refusal(V04, msgpack.packb([[{"span_links": [0] * (ELEMENTS_MAX + 1)}]]), 400)
    expect_refusal(V05, b"\x92\xdd" + (TEXTS_MAX + 1).to_bytes(4, "big"), 413)


@pytest.mark.parametrize("before", [b"", b"\x91"], ids=["traces", "spans"])
def test_more_spans_than_may_be_are_refused_before_one_is_read(before: bytes) -> None:
    expect_refusal(V04, before + b"\xdd\xff\xff\xff\xff", 413)
    expect_refusal(V04, before + b"\xdd" + (SPANS_MAX + 1).to_bytes(4, "big"), 413)
    expect_refusal(V04, before + b"\xdd" + SPANS_MAX.to_bytes(4, "big"), 400)


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "\ud800"])
def test_another_media_type_is_refused(content_type: str) -> None:
    response = expect_refusal(V05, b"[]", 415, headers={"content-type": content_type})
    assert b"application/msgpack" in response.body


@pytest.mark.parametrize(
    ("context", "status"),
    [(context_of_refusal("no-key"), 401), ({"tenant": "shop", "scopes": "query", "key": "k"}, 403)],
)
@pytest.mark.parametrize("path", [V04, V05])
def test_who_may_not_is_told_so(path: str, context: dict[str, str], status: int) -> None:
    expect_refusal(path, b"\x90", status, context=context)


def test_what_is_not_queued_is_sent_again() -> None:
    body = recorded("datadog-python-v05").body
    assert expect_refusal(V05, body, 503, fault=Overloaded("no queue", 5)).headers["retry-after"] == "5"
    expect_refusal(V05, body, 429, fault=Overloaded("slow down", 5, throttled=True))
    expect_refusal(V05, body, 413, fault=TooLarge("too much"))
    expect_refusal(V05, bytes(BODY_BYTES + 1), 413)


def test_no_traces_are_fine_because_tracers_ask_that_way() -> None:
    for path, body in ((V04, b"\x90"), (V05, b"\x92\x90\x90")):
        assert datadog.decode(sent(path, body)).spans == 0


def test_a_tracer_that_asks_is_told_what_there_is() -> None:
    response = answered(http_event("GET", "/info"))
    assert (response.status, response.content_type) == (200, "application/json")
    told = json.loads(response.body)
    assert told["endpoints"] == [V04, V05]
    assert told["client_drop_p0s"] is False


@pytest.mark.parametrize("name", RECORDED)
@settings(deadline=None, max_examples=150, derandomize=True)
@given(data=st.data())
def test_no_damage_to_a_body_makes_more_than_a_bad_request(name: str, data: st.DataObject) -> None:
    good = recorded(name)
    body = bytearray(good.body)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = min(start + data.draw(st.sampled_from([0, 1, 1, 2, 20])), len(body))
        body[start:end] = data.draw(st.binary(max_size=6))
    event = http_event("POST", good.path, headers=good.headers, body=bytes(body))
    assert answered(event).status in {200, 400, 413}
