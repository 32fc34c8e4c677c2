"""Where OTLP/JSON differs from protobuf's own JSON, and what real clients make of it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spandrel.model.errors import Undecodable

from .sending import JSON, decoded, one_span, sent, sent_json, span_json, spans


def one(**fields: Any) -> Any:
    """The span that a request of one span with these fields becomes."""
    (span,) = spans(decoded(sent_json(one_span(**fields))))
    return span


def value(**said: Any) -> AnyValue:
    """What the value of an attribute becomes."""
    span = one(attributes=[{"key": "a", "value": said}])
    found: AnyValue = span.attributes[0].value
    return found


def refused(**fields: Any) -> str:
    with pytest.raises(Undecodable) as raised:
        decoded(sent_json(one_span(**fields)))
    return str(raised.value)


def test_ids_are_hex_in_any_case() -> None:
    span = one(traceId="5B8EFFF798038103D269B633813FC60C", spanId="eee19b7EC3C1B174", parentSpanId="EEE19B7EC3C1B173")
    assert span.trace_id == bytes.fromhex("5b8efff798038103d269b633813fc60c")
    assert span.span_id == bytes.fromhex("eee19b7ec3c1b174")
    assert span.parent_span_id == bytes.fromhex("eee19b7ec3c1b173")


def test_a_links_ids_are_hex_too() -> None:
    (link,) = one(links=[{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174"}]).links
    assert (link.trace_id[:2], link.span_id[:2]) == (b"\x5b\x8e", b"\xee\xe1")


@pytest.mark.parametrize("as_sent", [lambda number: number, str], ids=["number", "text"])
@pytest.mark.parametrize("time_ns", [0, 1, 2**53 + 1, 2**63, 2**64 - 1])
def test_times_are_numbers_or_text(as_sent: Any, time_ns: int) -> None:
    span = one(startTimeUnixNano=as_sent(time_ns), events=[{"timeUnixNano": as_sent(time_ns)}])
    assert (span.start_time_unix_nano, span.events[0].time_unix_nano) == (time_ns, time_ns)


@pytest.mark.parametrize("as_sent", [lambda number: number, str], ids=["number", "text"])
@pytest.mark.parametrize("number", [0, 1, -1, 2**63 - 1, -(2**63)])
def test_integers_are_numbers_or_text_and_stay_exact(as_sent: Any, number: int) -> None:
    assert value(intValue=as_sent(number)).int_value == number
    assert value(arrayValue={"values": [{"intValue": as_sent(number)}]}).array_value.values[0].int_value == number


def test_small_integers_may_be_text_too() -> None:
    span = one(flags="257", droppedAttributesCount="3", droppedEventsCount=4, droppedLinksCount="4294967295")
    assert (span.flags, span.dropped_attributes_count, span.dropped_events_count) == (257, 3, 4)
    assert span.dropped_links_count == 2**32 - 1


@pytest.mark.parametrize(
    ("sent_as", "number"),
    [
        *((0.5, 0.5), (2, 2.0), ("0.5", 0.5), ("1e3", 1000.0), ("-2", -2.0), (-0.0, -0.0), (5e-324, 5e-324)),
        *(("Infinity", math.inf), ("-Infinity", -math.inf), (1.7976931348623157e308, 1.7976931348623157e308)),
    ],
)
def test_doubles_are_numbers_or_text(sent_as: Any, number: float) -> None:
    found = value(doubleValue=sent_as)
    assert found.WhichOneof("value") == "double_value"
    assert math.copysign(1, found.double_value) == math.copysign(1, number)
    assert found.double_value == number


def test_not_a_number_is_a_double() -> None:
    assert math.isnan(value(doubleValue="NaN").double_value)


@pytest.mark.parametrize(
    ("base64", "blob"),
    [("", b""), ("AP8=", b"\x00\xff"), ("AP8", b"\x00\xff"), ("+/+/", b"\xfb\xff\xbf"), ("-_-_", b"\xfb\xff\xbf")],
)
def test_bytes_are_base64(base64: str, blob: bytes) -> None:
    found = value(bytesValue=base64)
    assert (found.WhichOneof("value"), found.bytes_value) == ("bytes_value", blob)


@pytest.mark.parametrize(("kind", "number"), [(3, 3), (0, 0), (77, 77), ("SPAN_KIND_SERVER", 2)])
def test_enums_are_numbers_or_names_and_unknown_numbers_stay(kind: Any, number: int) -> None:
    assert one(kind=kind).kind == number


def test_a_status_code_is_an_enum_too() -> None:
    assert one(status={"code": "STATUS_CODE_ERROR", "message": "x"}).status.code == 2


def test_unknown_keys_are_ignored_at_every_level() -> None:
    new: dict[str, Any] = {"fromTheFuture": {"deep": [1, {"x": None}]}}
    pair = {
        "key": "a",
        "value": {"kvlistValue": {"values": [{"key": "b", "value": {"intValue": 1, **new}, **new}], **new}},
    }
    span = span_json(
        attributes=[{**pair, **new}, {"key": "s", "value": {"stringValue": "x", **new}}],
        events=[{"name": "e", **new}],
        links=[{"attributes": [pair], **new}],
        status={"code": 1, **new},
        **new,
    )
    scope = {"scope": {"name": "lib", **new}, "spans": [span], **new}
    request = {"resourceSpans": [{"resource": {"attributes": [pair], **new}, "scopeSpans": [scope], **new}], **new}
    accepted = decoded(sent_json(request))
    (found,) = spans(accepted)
    assert found.attributes[0].value.kvlist_value.values[0].value.int_value == 1
    assert (found.attributes[1].value.string_value, found.events[0].name, found.status.code) == ("x", "e", 1)
    assert accepted.otlp.resource_spans[0].scope_spans[0].scope.name == "lib"


def test_the_original_names_are_taken_as_well() -> None:
    span = {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174", "start_time_unix_nano": "7"}
    pair = {"key": "a", "value": {"array_value": {"values": [{"int_value": "1"}, {"string_value": "x"}]}}}
    scope = {"schema_url": "u", "spans": [{**span, "attributes": [pair], "dropped_links_count": 2}]}
    (found,) = spans(decoded(sent_json({"resource_spans": [{"scope_spans": [scope]}]})))
    assert (found.start_time_unix_nano, found.dropped_links_count) == (7, 2)
    assert [v.WhichOneof("value") for v in found.attributes[0].value.array_value.values] == [
        "int_value",
        "string_value",
    ]


@pytest.mark.parametrize("said", [{}, {"fooValue": 1}, {"stringValue": None}])
def test_a_value_that_says_nothing_is_an_attribute_without_value(said: dict[str, Any]) -> None:
    span = one(attributes=[{"key": "a", "value": said}])
    assert span.attributes[0].key == "a"
    assert span.attributes[0].value.WhichOneof("value") is None


def test_null_means_left_out_wherever_it_stands() -> None:
    names = (
        "kind",
        "flags",
        "startTimeUnixNano",
        "attributes",
        "events",
        "links",
        "status",
        "parentSpanId",
        "traceState",
    )
    span = one(**dict.fromkeys(names), droppedLinksCount=None)
    assert (span.kind, span.flags, span.parent_span_id, len(span.attributes)) == (0, 0, b"", 0)
    request = {"resourceSpans": [{"resource": None, "scopeSpans": [{"scope": None, "spans": [span_json()]}]}]}
    assert decoded(sent_json(request)).spans == 1
    null_value = one(attributes=[{"key": "a", "value": None}])
    assert null_value.attributes[0].key == "a"


def test_empty_and_repeated_keys_and_empty_values_stay() -> None:
    pairs = [("", "x"), ("a", ""), ("a", "1"), ("a", "1")]
    span = one(attributes=[{"key": key, "value": {"stringValue": text}} for key, text in pairs])
    assert [(pair.key, pair.value.string_value) for pair in span.attributes] == pairs


def test_an_exporter_from_before_scopes_had_their_name_is_understood() -> None:
    library = {"instrumentationLibrary": {"name": "lib", "version": "1"}, "spans": [span_json()]}
    accepted = decoded(sent_json({"resourceSpans": [{"instrumentationLibrarySpans": [library]}]}))
    (scope_spans,) = accepted.otlp.resource_spans[0].scope_spans
    assert (scope_spans.scope.name, scope_spans.scope.version, accepted.spans) == ("lib", "1", 1)


def test_half_a_surrogate_pair_is_mended_and_the_sender_is_told() -> None:
    body = json.dumps(
        one_span(name="cut \ud83d", traceState="💩", attributes=[{"key": "\udca9", "value": {"intValue": 1}}])
    )
    accepted = decoded(sent(body.encode(), JSON))
    (span,) = spans(accepted)
    assert (span.name, span.trace_state, span.attributes[0].key) == ("cut \ufffd", "💩", "\ufffd")
    assert (accepted.rejected, "UTF-8" in accepted.reason) == (0, True)


def test_bytes_that_are_no_utf8_are_mended_and_the_sender_is_told() -> None:
    body = json.dumps(one_span(name="caf_")).encode().replace(b"caf_", b"caf\xe9")
    accepted = decoded(sent(body, JSON))
    assert spans(accepted)[0].name == "caf\ufffd"
    assert "UTF-8" in accepted.reason


def test_a_byte_order_mark_does_no_harm() -> None:
    assert decoded(sent(b"\xef\xbb\xbf" + json.dumps(one_span()).encode(), JSON)).spans == 1


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{", b"[]", b"1", b'"x"', b"{} {}", b"{]}", b"nul", b"{'a':1}", b"\xff\xfe", b"\0", b'{"a":1,}'),
        *(b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"flags":NaN}]}]}]}', b'{"a":' + b"9" * 5000 + b"}"),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decoded(sent(body, JSON))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"traceId": 5}, "traceId"),
        ({"spanId": ["x"]}, "spanId"),
        ({"name": 1}, "name"),
        ({"kind": "SERVER"}, "kind"),
        ({"kind": "2"}, "kind"),
        ({"kind": 2.0}, "kind"),
        ({"kind": 2**31}, "kind"),
        ({"kind": True}, "kind"),
        ({"flags": -1}, "flags"),
        ({"flags": 2**32}, "flags"),
        ({"flags": "x"}, "flags"),
        ({"startTimeUnixNano": -1}, "startTimeUnixNano"),
        ({"startTimeUnixNano": "-1"}, "startTimeUnixNano"),
        ({"startTimeUnixNano": 2**64}, "startTimeUnixNano"),
        ({"startTimeUnixNano": 1e18}, "startTimeUnixNano"),
        ({"startTimeUnixNano": "1e18"}, "startTimeUnixNano"),
        ({"startTimeUnixNano": "1_000"}, "startTimeUnixNano"),
        ({"startTimeUnixNano": " 1"}, "startTimeUnixNano"),
        ({"startTimeUnixNano": "١"}, "startTimeUnixNano"),
        ({"startTimeUnixNano": "9" * 5000}, "startTimeUnixNano"),
        ({"startTimeUnixNano": {}}, "startTimeUnixNano"),
        ({"status": []}, "status"),
        ({"status": {"code": "ERROR"}}, "status.code"),
        ({"attributes": "x"}, "attributes"),
        ({"attributes": {"a": 1}}, "attributes"),
        ({"attributes": [None]}, "attributes[0]"),
        ({"attributes": [{"key": "a"}, 1]}, "attributes[1]"),
        ({"attributes": [{"key": 1}]}, "attributes[0].key"),
        ({"attributes": [{"key": "a", "value": 1}]}, "attributes[0].value"),
        ({"attributes": [{"key": "a", "value": {"intValue": 1.5}}]}, "attributes[0].value.intValue"),
        ({"attributes": [{"key": "a", "value": {"intValue": True}}]}, "attributes[0].value.intValue"),
        ({"attributes": [{"key": "a", "value": {"intValue": 2**63}}]}, "attributes[0].value.intValue"),
        ({"attributes": [{"key": "a", "value": {"intValue": "x"}}]}, "attributes[0].value.intValue"),
        ({"attributes": [{"key": "a", "value": {"boolValue": "true"}}]}, "attributes[0].value.boolValue"),
        ({"attributes": [{"key": "a", "value": {"stringValue": 5}}]}, "attributes[0].value.stringValue"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": "nan"}}]}, "attributes[0].value.doubleValue"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": "inf"}}]}, "attributes[0].value.doubleValue"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": 10**400}}]}, "attributes[0].value.doubleValue"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "a"}}]}, "attributes[0].value.bytesValue"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "****"}}]}, "attributes[0].value.bytesValue"),
        (
            {
                "events": [
                    {},
                    {"attributes": [{"key": "a", "value": {"arrayValue": {"values": [{}, {"intValue": "x"}]}}}]},
                ]
            },
            "events[1].attributes[0].value.arrayValue.values[1].intValue",
        ),
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_is_named(fields: dict[str, Any], path: str) -> None:
    told = refused(**fields)
    assert told.startswith(f"resourceSpans[0].scopeSpans[0].spans[0].{path} cannot be ")
    assert len(told) < 250


def test_a_number_beyond_all_doubles_is_refused() -> None:
    body = json.dumps(one_span(attributes=[{"key": "a", "value": {"doubleValue": 7}}])).replace("7}", "1e999}", 1)
    with pytest.raises(Undecodable, match="doubleValue"):
        decoded(sent(body.encode(), JSON))


def nested(depth: int, innermost: dict[str, Any]) -> dict[str, Any]:
    for _ in range(depth):
        innermost = {"arrayValue": {"values": [innermost]}}
    return innermost


def test_nesting_is_taken_as_deep_as_protobuf_takes_it() -> None:
    assert value(**nested(47, {"intValue": 1})).ByteSize() > 0
    assert "nested deeper" in refused(attributes=[{"key": "a", "value": nested(48, {"intValue": 1})}])


@pytest.mark.parametrize("levels", [100, 5_000, 100_000])
@pytest.mark.parametrize("key", ["attributes", "unknown", "name"])
def test_nesting_without_end_is_refused_and_breaks_nothing(levels: int, key: str) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}"), ('{"arrayValue":{"values":[', "]}}")):
        deep = opening * levels + "1" + closing * levels
        body = json.dumps(one_span(**{key: "@"})).replace('"@"', deep)
        try:
            decoded(sent(body.encode(), JSON))
        except Undecodable:
            continue
        assert key == "unknown"  # never looked into
