"""Zipkin's version 2: what becomes of each part of a span."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.wire.zipkin import endpoint as zipkin

from .sending import spans
from .values import values_of
from .zipkin_sending import IDS, attributes, one, sent, sent_spans

NOON_US = 1_795_305_600_000_000


@pytest.mark.parametrize(
    ("trace_id", "expected"),
    [
        ("216a2aea45d08fc9", "0000000000000000216a2aea45d08fc9"),
        ("7180c278b62e8f6a216a2aea45d08fc9", "7180c278b62e8f6a216a2aea45d08fc9"),
        ("0000000000000000216a2aea45d08fc9", "0000000000000000216a2aea45d08fc9"),
        ("1", "00000000000000000000000000000001"),
        ("12345678901234567", "00000000000000012345678901234567"),
        (12, "00000000000000000000000000000012"),
    ],
)
def test_a_trace_id_of_any_width_is_16_bytes(trace_id: Any, expected: str) -> None:
    assert one(traceId=trace_id).trace_id.hex() == expected


def test_a_short_span_id_is_padded() -> None:
    assert one(id="1").span_id.hex() == "0000000000000001"


@pytest.mark.parametrize(("parent_id", "expected"), [("1", "0000000000000001"), (None, ""), ("0", ""), (IDS["id"], "")])
def test_a_span_has_no_parent_of_zeros_and_is_not_its_own(parent_id: str | None, expected: str) -> None:
    assert one(parentId=parent_id).parent_span_id.hex() == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("CLIENT", Span.SPAN_KIND_CLIENT),
        ("SERVER", Span.SPAN_KIND_SERVER),
        ("PRODUCER", Span.SPAN_KIND_PRODUCER),
        ("CONSUMER", Span.SPAN_KIND_CONSUMER),
        (None, Span.SPAN_KIND_UNSPECIFIED),
    ],
)
def test_a_kind_is_otlps_of_that_name_and_none_is_none(kind: str | None, expected: Span.SpanKind.ValueType) -> None:
    assert one(kind=kind).kind == expected


@pytest.mark.parametrize(("name", "expected"), [("GET /Cart", "GET /Cart"), ("", ""), (None, ""), (7, "7")])
def test_a_name_keeps_its_letters(name: Any, expected: str) -> None:
    assert one(name=name).name == expected


@pytest.mark.parametrize(
    ("timestamp", "duration", "start_ns", "end_ns"),
    [
        (NOON_US, 207_000, NOON_US * 1000, (NOON_US + 207_000) * 1000),
        (str(NOON_US), "207000.0", NOON_US * 1000, (NOON_US + 207_000) * 1000),
        (float(NOON_US), 2.07e5, NOON_US * 1000, (NOON_US + 207_000) * 1000),
        (NOON_US, None, NOON_US * 1000, 0),
        (NOON_US, 0, NOON_US * 1000, 0),
        (NOON_US, -5, NOON_US * 1000, 0),
        (None, 207_000, 0, 207_000_000),
        (None, None, 0, 0),
        (0, 0, 0, 0),
        (-7, None, 0, 0),
    ],
)
def test_times_are_those_that_are_said_and_others_are_not_invented(
    timestamp: Any, duration: Any, start_ns: int, end_ns: int
) -> None:
    span = one(timestamp=timestamp, duration=duration)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (start_ns, end_ns)


def test_times_that_nanoseconds_cannot_say_are_kept_as_zipkin_said_them() -> None:
    far = 2**63 - 1
    span = one(
        timestamp=far, duration=far, annotations=[{"timestamp": far, "value": "a"}, {"timestamp": -1, "value": "b"}]
    )
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (0, 0)
    assert values_of(span.attributes) == {"zipkin.timestamp": far, "zipkin.duration": far}
    assert [values_of(event.attributes) for event in span.events] == [
        {"zipkin.timestamp": far},
        {"zipkin.timestamp": -1},
    ]


def test_the_local_service_is_that_of_the_resource_and_its_spans_are_together() -> None:
    here, there = {"serviceName": "Shop", "ipv4": "10.0.0.1"}, {"serviceName": "bank"}
    accepted = zipkin.decode(
        sent_spans(*(IDS | {"localEndpoint": endpoint} for endpoint in (here, there, here | {"port": 80}, None)))
    )
    services = [values_of(found.resource.attributes) for found in accepted.otlp.resource_spans]
    assert services == [{"service.name": "Shop"}, {"service.name": "bank"}, {}]
    assert [len(found.scope_spans[0].spans) for found in accepted.otlp.resource_spans] == [2, 1, 1]


def test_both_ends_of_a_connection_have_todays_names() -> None:
    local = {"serviceName": "shop", "ipv4": "192.168.99.101", "port": 9000}
    remote = {"serviceName": "db", "ipv6": "2001:DB8:0::c001", "port": "3306"}
    assert attributes(localEndpoint=local, remoteEndpoint=remote) == {
        "network.local.address": "192.168.99.101",
        "network.local.port": 9000,
        "service.peer.name": "db",
        "network.peer.address": "2001:db8::c001",
        "network.peer.port": 3306,
    }


def test_a_second_address_of_an_end_has_zipkins_name() -> None:
    end = {"ipv4": "10.1.2.3", "ipv6": "2001:db8::1"}
    assert attributes(localEndpoint=end, remoteEndpoint=end) == {
        "network.local.address": "10.1.2.3",
        "zipkin.localEndpoint.ipv6": "2001:db8::1",
        "network.peer.address": "10.1.2.3",
        "zipkin.remoteEndpoint.ipv6": "2001:db8::1",
    }


@pytest.mark.parametrize("field", ["ipv4", "ipv6"])
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:0:0::1", "2001:db8::1"),
        ("::1", "::1"),
        ("localhost", None),
        ("999.1.1.1", None),
        ("", None),
        ("1" * 100, None),
    ],
)
def test_an_address_is_taken_for_what_it_is_and_nothing_else_for_an_address(
    field: str, address: str, expected: str | None
) -> None:
    assert attributes(remoteEndpoint={field: address}).get("network.peer.address") == expected


@pytest.mark.parametrize(
    "endpoint", [{}, {"port": 0}, {"port": -1}, {"serviceName": ""}, {"serviceName": None}, {"x": 1}]
)
def test_an_end_of_which_nothing_is_known_is_none(endpoint: dict[str, Any]) -> None:
    assert attributes(localEndpoint=endpoint, remoteEndpoint=endpoint) == {}


def test_annotations_are_events() -> None:
    span = one(annotations=[{"timestamp": NOON_US, "value": "retry"}, {"timestamp": "7", "value": ""}])
    assert [(event.name, event.time_unix_nano) for event in span.events] == [("retry", NOON_US * 1000), ("", 7000)]
    assert not any(event.attributes for event in span.events)


EXCEPTION = {"exception.type": "ValueError", "exception.message": 'it said "no"'}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"exception": EXCEPTION}),
        '"exception": ' + json.dumps(EXCEPTION),
        '"exception":' + json.dumps(EXCEPTION, separators=(",", ":")),
    ],
    ids=["python", "specification", "compact"],
)
def test_an_event_that_opentelemetry_wrote_into_an_annotation_is_one_again(text: str) -> None:
    (event,) = one(annotations=[{"timestamp": 7, "value": text}]).events
    assert (event.name, event.time_unix_nano) == ("exception", 7000)
    assert values_of(event.attributes) == {**EXCEPTION, "zipkin.annotation": text}


def test_an_events_values_keep_their_types() -> None:
    said = {"n": 1, "share": 0.5, "sure": True, "big": 2**70, "list": ["a", 1]}
    (event,) = one(annotations=[{"timestamp": 7, "value": json.dumps({"e": said})}]).events
    found = values_of(event.attributes)
    del found["zipkin.annotation"]
    assert found == {**said, "big": str(2**70)}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"a":1}',
        '{"a":{},"b":{}}',
        '{"a":{"b":{"c":1}}}',
        '{"a":{"b":null}}',
        '{"a":{"b":[[1]]}}',
        '{"a":{"b":1}',
        '"a" {"b":1}',
        '"a": {"b"}',
        '"a": 1}',
        "a}",
        "}",
        '{"a":' * 10_000 + "}",
    ],
)
def test_any_other_annotation_that_looks_like_json_is_a_name(text: str) -> None:
    (event,) = one(annotations=[{"timestamp": 7, "value": text}]).events
    assert (event.name, len(event.attributes)) == (text, 0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"debug": True}, {"zipkin.debug": True}),
        ({"debug": False}, {}),
        ({"shared": True, "kind": "SERVER"}, {"zipkin.shared": True}),
        ({"shared": True}, {"zipkin.shared": True}),
        ({"shared": True, "kind": "CLIENT"}, {}),
        ({"debug": None, "shared": None}, {}),
    ],
)
def test_flags_are_kept_where_they_mean_something(fields: dict[str, Any], expected: dict[str, bool]) -> None:
    assert attributes(**fields) == expected


def test_a_span_that_client_and_server_share_is_two_that_can_be_told_apart() -> None:
    client, server = spans(
        zipkin.decode(sent_spans(IDS | {"kind": "CLIENT"}, IDS | {"kind": "SERVER", "shared": True}))
    )
    assert client.span_id == server.span_id
    assert (client.kind, server.kind) == (Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER)
    assert (values_of(client.attributes), values_of(server.attributes)) == ({}, {"zipkin.shared": True})


def test_unknown_keys_and_nulls_are_skipped() -> None:
    empty = dict.fromkeys(("parentId", "kind", "name", "annotations", "tags", "localEndpoint", "remoteEndpoint"))
    plain = zipkin.decode(sent_spans(IDS)).otlp
    assert zipkin.decode(sent_spans(IDS | empty | {"new": {"field": [1]}})).otlp == plain


def test_half_a_surrogate_pair_costs_its_place_and_nothing_else() -> None:
    half, mended = "a\ud83d", "a\N{REPLACEMENT CHARACTER}"
    told = IDS | {
        "name": half,
        "localEndpoint": {"serviceName": half},
        "remoteEndpoint": {"serviceName": half},
        "annotations": [{"timestamp": 1, "value": half}],
        "tags": {half: half, "error": half, "otel.scope.name": half},
    }
    accepted = zipkin.decode(sent_spans(told, IDS))
    assert accepted.spans == 2
    first = accepted.otlp.resource_spans[0]
    assert values_of(first.resource.attributes) == {"service.name": mended}
    assert first.scope_spans[0].scope.name == mended
    (span,) = first.scope_spans[0].spans
    assert (span.name, span.events[0].name, span.status.message) == (mended, mended, mended)
    assert values_of(span.attributes) == {
        mended: mended,
        "error": mended,
        "otel.scope.name": mended,
        "service.peer.name": mended,
    }


def test_bytes_that_are_no_utf_8_cost_their_place_and_nothing_else() -> None:
    body = json.dumps([IDS | {"name": "caf_"}]).encode().replace(b"caf_", b"caf\xe9")
    (span,) = spans(zipkin.decode(sent(body)))
    assert span.name == "caf\N{REPLACEMENT CHARACTER}"
