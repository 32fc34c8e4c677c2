"""Datadog's traces: what becomes of each part of a span, and of bodies that are none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.http.identity import context_of_refusal
from spandrel.http.request import Request, request_of
from spandrel.http.response import Response
from spandrel.model.errors import Overloaded, TooLarge
from spandrel.model.limits import BODY_BYTES, SPANS_MAX
from spandrel.wire.datadog import endpoint as datadog
from spandrel.wire.datadog import spans as datadog_spans
from spandrel.wire.datadog.payloads import ELEMENTS_MAX, TEXTS_MAX
from tests.events import http_event

from .sending import recorded, spans
from .test_otlp_answers import QueueInMemory, answered

V04, V05 = "/v0.4/traces", "/v0.5/traces"
MSGPACK = "application/msgpack"
TABLE = Path(__file__).parents[2] / "docs" / "wire" / "datadog.md"
RECORDED = ("datadog-python-v04", "datadog-python-v04-events", "datadog-python-v05")
SPAN = {
    "service": "shop",
    "name": "web.request",
    "resource": "GET /cart",
    "trace_id": 3,
    "span_id": 2**64 - 1,
    "parent_id": 0,
    "start": 1_790_000_000 * 10**9,
    "duration": 1500,
    "error": 0,
    "meta": {},
    "metrics": {},
    "type": "",
}

Encode = Callable[[list[list[dict[str, Any]]]], Request]


def as_v04(traces: list[list[dict[str, Any]]]) -> Request:
    return sent(V04, msgpack.packb(traces))


def as_v05(traces: list[list[dict[str, Any]]]) -> Request:
    texts: dict[str, int] = {}

    def number(text: str) -> int:
        return texts.setdefault(text, len(texts))

    def told(value: Any) -> Any:
        match value:
            case str():
                return number(value)
            case dict():
                return {number(key): told(inner) for key, inner in value.items()}
            case _:
                return value

    listed = [[[told((SPAN | span)[field]) for field in SPAN] for span in trace] for trace in traces]
    return sent(V05, msgpack.packb([list(texts), listed]))


BOTH = pytest.mark.parametrize("encode", [as_v04, as_v05])


def sent(path: str, body: bytes, content_type: str = MSGPACK, method: str = "PUT", **headers: str) -> Request:
    return request_of(http_event(method, path, headers={"content-type": content_type, **headers}, body=body))


def one(encode: Encode, **fields: Any) -> Span:
    accepted = datadog.decode(encode([[SPAN | fields]]))
    assert (accepted.spans, accepted.rejected, accepted.reason) == (1, 0, "")
    (span,) = spans(accepted)
    return span


def value_of(value: Any) -> Any:
    found = getattr(value, value.WhichOneof("value"))
    return [value_of(element) for element in found.values] if value.HasField("array_value") else found


def attributes(message: Any) -> dict[str, Any]:
    return {pair.key: value_of(pair.value) for pair in message.attributes}


@pytest.mark.parametrize("name", RECORDED)
def test_what_ddtrace_sends_is_queued_as_otlp(name: str) -> None:
    queue = QueueInMemory()
    told = recorded(name)
    response = answered(http_event(told.method, told.path, headers=told.headers, body=told.body), queue)
    assert (response.status, response.content_type) == (200, "application/json")
    assert json.loads(response.body) == {"rate_by_service": {"service:,env:": 1}}
    assert [tenant for tenant, _, _ in queue.sent] == ["shop"]


@pytest.mark.parametrize("name", RECORDED)
def test_all_that_ddtrace_says_arrives(name: str) -> None:
    accepted = datadog.decode(recorded(name))
    assert (accepted.spans, accepted.rejected) == (3, 0)
    services = [attributes(found.resource) for found in accepted.otlp.resource_spans]
    tracer = {
        "telemetry.sdk.name": "datadog",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": "4.16.0",
        "process.runtime.name": "CPython",
        "process.runtime.version": "3.11.7",
        "deployment.environment.name": "test",
    }
    assert services == [
        {"service.name": "shop", "service.version": "1.2.3", **tracer},
        {"service.name": "pg", **tracer},
    ]
    request, failed, query = spans(accepted)
    assert {span.trace_id for span in (request, failed, query)} == {request.trace_id}
    assert request.trace_id[4:8] == bytes(4)  # ddtrace makes the upper half of seconds and zeros
    assert request.trace_id[:4] != bytes(4)
    assert (request.parent_span_id, failed.parent_span_id, query.parent_span_id) == (
        b"",
        request.span_id,
        request.span_id,
    )
    assert (request.name, request.kind, request.status) == ("web.request", Span.SPAN_KIND_SERVER, Status())
    said = attributes(request)
    expected = {
        "resource.name": "GET /cart",
        "span.type": "web",
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.full": "http://shop.example/cart?q=é",
        "recovered": "yes",
        "n": 3.5,
        "language": "python",
        "_sampling_priority_v1": 1.0,
    }
    assert expected.items() <= said.items()
    assert not {"span.kind", "env", "version", "_dd.p.tid"} & set(said)
    assert (query.name, query.kind) == ("postgres.query", Span.SPAN_KIND_CLIENT)
    assert {"db.query.text": "SELECT 1", "server.port": 5432, "span.type": "sql"}.items() <= attributes(query).items()
    (link,) = query.links
    assert link == Span.Link(
        trace_id=bytes([*[0] * 7, 1, *[0] * 7, 2]),
        span_id=b"\xff" * 7 + b"\xfd",
        trace_state="dd=s:1",
        flags=1,
        attributes=link.attributes,
    )
    assert attributes(link) == {"why": "retry"}
    assert failed.status == Status(code=Status.STATUS_CODE_ERROR, message="no such card: 4242")
    tried, exception = failed.events
    assert (tried.name, tried.time_unix_nano) == ("tried", 1_790_000_000 * 10**9)
    assert attributes(tried) == {"times": 2, "cards": ["a", "b"], "last": True, "waited": 0.5}
    assert (exception.name, exception.time_unix_nano) == ("exception", failed.end_time_unix_nano)
    thrown = attributes(exception)
    assert thrown.pop("exception.stacktrace").startswith("Traceback (most recent call last):\n")
    assert thrown == {"exception.type": "builtins.ValueError", "exception.message": "no such card: 4242"}
    assert not {"error.message", "error.stack", "events", "_dd.span_links"} & set(attributes(failed))


@BOTH
def test_times_and_ids_are_those_of_the_span(encode: Encode) -> None:
    span = one(encode, parent_id=5)
    assert (span.trace_id, span.span_id, span.parent_span_id) == (bytes(15) + b"\3", b"\xff" * 8, bytes(7) + b"\5")
    assert span.end_time_unix_nano - span.start_time_unix_nano == 1500


@BOTH
def test_the_upper_half_of_a_trace_id_counts_for_the_whole_trace_wherever_it_stands(encode: Encode) -> None:
    tagged = SPAN | {"span_id": 8, "meta": {"_dd.p.tid": "6b030bf900000000"}}
    other = [SPAN | {"trace_id": 4}]
    found = spans(datadog.decode(encode([[SPAN | {"span_id": 7}, tagged], other])))
    high = bytes.fromhex("6b030bf900000000")
    assert [span.trace_id for span in found] == [high + bytes(7) + b"\3"] * 2 + [bytes(15) + b"\4"]


@BOTH
@pytest.mark.parametrize("text", ["", "xyz", "0" * 16, "6b030bf9000000001"])
def test_an_upper_half_that_is_none_stays_a_tag(encode: Encode, text: str) -> None:
    span = one(encode, meta={"_dd.p.tid": text})
    assert (span.trace_id, attributes(span)["_dd.p.tid"]) == (bytes(15) + b"\3", text)


@BOTH
def test_ids_with_a_sign_are_the_same_bits_without(encode: Encode) -> None:
    span = one(encode, trace_id=-1, span_id=-2, parent_id=-3)
    assert (span.trace_id, span.span_id) == (bytes(8) + b"\xff" * 8, b"\xff" * 7 + b"\xfe")
    assert span.parent_span_id == b"\xff" * 7 + b"\xfd"


@BOTH
def test_spans_without_ids_are_left_out_and_the_others_kept(encode: Encode) -> None:
    accepted = datadog.decode(encode([[SPAN, SPAN | {"span_id": 0}], [SPAN | {"trace_id": 0}]]))
    assert (accepted.spans, accepted.rejected) == (1, 2)


@BOTH
def test_a_tag_of_another_kind_than_the_five_stays_a_tag(encode: Encode) -> None:
    span = one(encode, type="web", meta={"span.kind": "SERVER!"})
    assert (span.kind, attributes(span)["span.kind"]) == (Span.SPAN_KIND_SERVER, "SERVER!")


@BOTH
@pytest.mark.parametrize(
    ("span_type", "kind", "expected"),
    [
        ("web", None, Span.SPAN_KIND_SERVER),
        ("http", None, Span.SPAN_KIND_CLIENT),
        ("redis", None, Span.SPAN_KIND_CLIENT),
        ("worker", None, Span.SPAN_KIND_UNSPECIFIED),
        ("", None, Span.SPAN_KIND_UNSPECIFIED),
        ("http", "server", Span.SPAN_KIND_SERVER),
        ("web", "internal", Span.SPAN_KIND_INTERNAL),
        ("", "producer", Span.SPAN_KIND_PRODUCER),
        ("", "consumer", Span.SPAN_KIND_CONSUMER),
    ],
)
def test_the_kind_is_the_tags_or_else_the_types(
    encode: Encode, span_type: str, kind: str | None, expected: Span.SpanKind.ValueType
) -> None:
    assert one(encode, type=span_type, meta={"span.kind": kind} if kind else {}).kind == expected


@BOTH
def test_an_error_without_a_type_is_a_status_and_no_event(encode: Encode) -> None:
    span = one(encode, error=1, meta={"error.message": "boom"})
    assert (span.status.code, span.status.message, len(span.events)) == (Status.STATUS_CODE_ERROR, "boom", 0)


@BOTH
def test_an_exception_that_was_handled_is_an_event_and_no_status(encode: Encode) -> None:
    span = one(encode, meta={"error.type": "E", "error.message": "m", "error.stack": "s"})
    assert (span.status, attributes(span)["error.message"]) == (Status(), "m")
    assert attributes(span.events[0]) == {
        "exception.type": "E",
        "exception.message": "m",
        "exception.stacktrace": "s",
    }


@BOTH
def test_an_exception_that_the_tracer_recorded_itself_is_not_told_twice(encode: Encode) -> None:
    events = json.dumps([{"name": "exception", "time_unix_nano": 7, "attributes": {"exception.type": "E"}}])
    span = one(encode, error=1, meta={"error.type": "E", "error.stack": "s", "events": events})
    assert [(event.name, event.time_unix_nano) for event in span.events] == [("exception", 7)]
    assert attributes(span)["error.stack"] == "s"


@BOTH
@pytest.mark.parametrize("tag", ["_dd.span_links", "events"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "7",
        "null",
        "[7]",
        "[{}]",
        '[{"name":7,"time_unix_nano":1}]',
        '[{"name":"a","time_unix_nano":-1}]',
        '[{"name":"a","time_unix_nano":1,"attributes":{"a":{"b":1}}}]',
        '[{"name":"a","time_unix_nano":1,"attributes":{"a":[[1]]}}]',
        '[{"name":"a","time_unix_nano":1,"attributes":{"a":1' + "0" * 30 + "}}]",
        '[{"name":"\\ud800","time_unix_nano":1}]',
        '[{"trace_id":"x","span_id":"y"}]',
        '[{"trace_id":"1","span_id":"1","flags":"x"}]',
        "[" * 100_000,
    ],
)
def test_a_tag_that_is_no_list_of_links_or_events_stays_a_tag(encode: Encode, tag: str, text: str) -> None:
    span = one(encode, meta={tag: text})
    assert (attributes(span)[tag], len(span.links), len(span.events)) == (text, 0, 0)


def test_events_with_types_arrive_with_them() -> None:
    values = {
        "text": {"type": 0, "string_value": "x"},
        "flag": {"type": 1, "bool_value": False},
        "number": {"type": 2, "int_value": -7},
        "float": {"type": 3, "double_value": 2.0},
        "list": {"type": 4, "array_value": {"values": [{"type": 2, "int_value": 1}, {"type": 0, "string_value": "y"}]}},
    }
    event = {"name": "a", "time_unix_nano": 5, "attributes": values}
    (found,) = one(
        as_v04,
        span_events=[
            event,
        ],
    ).events
    assert attributes(found) == {"text": "x", "flag": False, "number": -7, "float": 2.0, "list": [1, "y"]}


def test_structures_of_the_tracer_are_kept_as_it_packed_them() -> None:
    packed = msgpack.packb({"rules": [1, 2]})
    assert attributes(one(as_v04, meta_struct={"appsec": packed}))["meta_struct.appsec"] == packed


def test_what_is_nil_or_missing_in_a_v04_span_is_as_if_empty() -> None:
    bare: dict[str, Any] = {"trace_id": 1, "span_id": 2, "type": None, "meta": None, "error": None, "new_field": [1]}
    (span,) = spans(datadog.decode(sent(V04, msgpack.packb([[bare]]))))
    assert (span.name, span.kind, span.start_time_unix_nano, attributes(span)) == ("", 0, 0, {})


@BOTH
def test_text_that_is_no_utf8_is_mended(encode: Encode) -> None:
    request = encode([[SPAN | {"meta": {"city": "caf_"}}]])
    broken = sent(request.path, request.body.replace(b"caf_", b"caf\xe9"))
    (span,) = spans(datadog.decode(broken))
    assert attributes(span)["city"] == "caf\ufffd"


@BOTH
def test_a_tag_whose_name_of_today_is_taken_keeps_its_own(encode: Encode) -> None:
    said = attributes(one(encode, meta={"http.method": "GET", "http.request.method": "POST"}))
    assert (said["http.method"], said["http.request.method"]) == ("GET", "POST")


@BOTH
@pytest.mark.parametrize(("value", "expected"), [("200", 200), ("", ""), ("2xx", "2xx"), ("9" * 40, "9" * 40)])
def test_a_status_code_is_a_number_where_it_is_one(encode: Encode, value: str, expected: Any) -> None:
    assert attributes(one(encode, meta={"http.status_code": value}))["http.response.status_code"] == expected


@BOTH
def test_times_that_no_clock_shows_stay_within_otlp(encode: Encode) -> None:
    assert one(encode, start=-5, duration=2).end_time_unix_nano == 0
    latest = one(encode, start=2**63 - 1, duration=2**63 - 1)
    assert latest.end_time_unix_nano == 2**64 - 2


def test_the_table_names_every_tag_and_header_that_is_read() -> None:
    text = TABLE.read_text()
    renamed = datadog_spans.RENAMED | datadog_spans.OF_THE_RESOURCE | datadog_spans.OF_THE_EXCEPTION
    for tag, name in (renamed | datadog_spans.OF_THE_TRACER).items():
        assert re.search(rf"^\| [^|]*`{re.escape(tag)}`[^|]*\|[^|]*`{re.escape(name)}`", text, re.M | re.I), tag
    for span_type in datadog_spans.KIND_OF_TYPE:
        assert f"`{span_type}`" in text


# The way back: what a tracer sent, out of what became of it.


def sent_span(span: Span, resource: dict[str, Any]) -> dict[str, Any]:
    """The span as a v0.5 payload had it."""
    said = attributes(span)
    names = {name: tag for tag, name in datadog_spans.RENAMED.items()}
    kinds = {number: kind for kind, number in datadog_spans.KINDS.items()}
    back = {names.get(name, name): value for name, value in said.items()}
    meta = {tag: str(value) for tag, value in back.items() if isinstance(value, str) or tag == "http.status_code"}
    metrics = {
        tag: value for tag, value in back.items() if isinstance(value, float) or tag == "network.destination.port"
    }
    if span.kind:
        meta["span.kind"] = kinds[span.kind]
    if any(span.trace_id[:8]):
        meta["_dd.p.tid"] = span.trace_id[:8].hex()
    for tag, name in datadog_spans.OF_THE_RESOURCE.items():
        if name in resource:
            meta[tag] = resource[name]
    if span.status.message:
        meta["error.message"] = span.status.message
    for event in span.events:
        if event.name == "exception":
            thrown = attributes(event)
            meta |= {tag: thrown[name] for tag, name in datadog_spans.OF_THE_EXCEPTION.items() if name in thrown}
    return {
        "service": resource["service.name"],
        "name": span.name,
        "resource": meta.pop("resource.name", span.name),
        "trace_id": int.from_bytes(span.trace_id[8:], "big"),
        "span_id": int.from_bytes(span.span_id, "big"),
        "parent_id": int.from_bytes(span.parent_span_id, "big"),
        "start": span.start_time_unix_nano,
        "duration": span.end_time_unix_nano - span.start_time_unix_nano,
        "error": int(span.status.code == Status.STATUS_CODE_ERROR),
        "meta": meta,
        "metrics": metrics,
        "type": meta.pop("span.type", ""),
    }


def test_what_a_tracer_sent_can_be_told_again() -> None:
    body = recorded("datadog-python-v04").body
    ((*told,),) = msgpack.unpackb(body)
    accepted = datadog.decode(recorded("datadog-python-v04"))
    again = [
        sent_span(span, attributes(resource.resource))
        for resource in accepted.otlp.resource_spans
        for span in resource.scope_spans[0].spans
    ]
    high = told[0]["meta"]["_dd.p.tid"]
    for span in told:
        span["meta"] = {k: v for k, v in span.get("meta", {}).items() if k != "events"} | {"_dd.p.tid": high}
        span.pop("span_links", None)  # shown above
    by_id = {span["span_id"]: span for span in again}
    for span in told:
        assert by_id[span["span_id"]] == SPAN | span


# Bodies that are none, and requests that are refused.


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
