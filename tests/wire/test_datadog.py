"""Datadog's traces: what becomes of each part of a span."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgpack
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.wire.datadog import endpoint as datadog
from spandrel.wire.datadog import spans as datadog_spans

from .datadog_sending import BOTH, RECORDED, SPAN, V04, Encode, as_v04, one, sent
from .sending import recorded, spans
from .values import attributes

TABLE = Path(__file__).parents[2] / "docs" / "wire" / "datadog.md"


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
