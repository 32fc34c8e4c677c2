from __future__ import annotations

import gzip

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spandrel.model.errors import TooLarge, Undecodable
from spandrel.model.limits import SPANS_MAX
from tests.builders import span

from .sending import PROTOBUF, decoded, sent, spans


def field(number: int, payload: bytes) -> bytes:
    """A field with a length, as it stands on the wire."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


SPAN = span("a").SerializeToString()


def in_request(span_bytes: bytes) -> bytes:
    return field(1, field(2, field(2, span_bytes)))


def test_unknown_fields_are_ignored_at_every_level() -> None:
    new = field(900, b"from the future") + varint(901 << 3) + varint(7)
    value = field(1, b"text") + new
    pair = field(1, b"key") + field(2, value) + new
    body = field(1, field(2, field(2, SPAN + field(9, pair) + new) + new) + new) + new
    accepted = decoded(sent(body, PROTOBUF))
    (found,) = spans(accepted)
    assert (found.name, found.attributes[0].key, found.attributes[0].value.string_value) == ("a", "key", "text")


@pytest.mark.parametrize(
    "text_field",
    [
        in_request(SPAN + field(5, b"caf\xe9")),
        in_request(SPAN + field(9, field(1, b"k\xff") + field(2, field(1, b"v\xfe")))),
        in_request(SPAN + field(9, field(1, b"k") + field(2, field(5, field(1, field(1, b"\xed\xa0\xbd")))))),
        in_request(SPAN + field(11, field(2, b"\x80"))),
        in_request(SPAN + field(15, field(2, b"\xc3"))),
        field(1, field(3, b"\xff") + field(2, field(2, SPAN))),
        field(1, field(2, field(1, field(1, b"\xff")) + field(2, SPAN))),
        field(1, field(1, field(3, field(1, b"\xff") + field(3, b"\xfe"))) + field(2, field(2, SPAN))),
    ],
    ids=["name", "attribute", "array", "event", "status", "schema URL", "scope", "entity"],
)
def test_text_that_is_no_utf8_is_mended_and_the_sender_is_told(text_field: bytes) -> None:
    with pytest.raises(Exception, match="Error parsing"):
        ExportTraceServiceRequest.FromString(text_field)
    accepted = decoded(sent(text_field, PROTOBUF))
    assert (accepted.spans, accepted.rejected) == (1, 0)
    assert "UTF-8" in accepted.reason
    assert "\ufffd" in str(accepted.otlp.SerializeToString(), "utf-8", "surrogateescape")


def test_mending_changes_nothing_but_the_text() -> None:
    sound = span("a", attributes={"a": 1, "b": b"\xff\xfe", "c": ["\u00e9", 2.5]}, flags=257)
    broken = in_request(sound.SerializeToString() + field(3, b"\xff"))
    (found,) = spans(decoded(sent(broken, PROTOBUF)))
    assert found.trace_state == "\ufffd"
    found.ClearField("trace_state")
    assert found == sound


def test_what_old_collectors_send_in_field_1000_is_scope_spans() -> None:
    library_spans = field(1, field(1, b"lib") + field(2, b"1.0")) + field(2, SPAN) + field(3, b"url")
    accepted = decoded(sent(field(1, field(1000, library_spans)), PROTOBUF))
    (scope_spans,) = accepted.otlp.resource_spans[0].scope_spans
    assert (scope_spans.scope.name, scope_spans.scope.version, scope_spans.schema_url) == ("lib", "1.0", "url")
    assert (accepted.spans, spans(accepted)[0].name) == (1, "a")


def test_senders_between_the_versions_fill_both_fields_and_count_once() -> None:
    body = field(1, field(2, field(2, SPAN)) + field(1000, field(2, SPAN)))
    assert decoded(sent(body, PROTOBUF)).spans == 1


def test_an_id_that_looks_like_the_tag_of_field_1000_is_only_an_id() -> None:
    request = ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span("a", span_id=b"\xc2\x3e" * 4)])])]
    )
    assert decoded(sent(request.SerializeToString(), PROTOBUF)).otlp == request


@pytest.mark.parametrize(
    "body",
    [b"\0", b"\xff", b"{}", b"hello", b"\x0a\x05ab", in_request(SPAN)[:-1], in_request(SPAN) + b"\x0a", b"\x08"],
    ids=repr,
)
def test_what_is_no_such_message_is_refused(body: bytes) -> None:
    with pytest.raises(Undecodable, match="ExportTraceServiceRequest"):
        decoded(sent(body, PROTOBUF))


def test_nesting_without_end_is_refused() -> None:
    value = AnyValue(int_value=1).SerializeToString()
    for _ in range(5000):
        value = field(5, field(1, value))
    with pytest.raises(Undecodable):
        decoded(sent(in_request(SPAN + field(9, field(1, b"a") + field(2, value))), PROTOBUF))


def test_fields_in_any_order_and_repeated_ones_merge() -> None:
    first = Span(name="lost", attributes=[KeyValue(key="a")]).SerializeToString()
    second = span("kept", attributes={"b": 1}).SerializeToString()
    (found,) = spans(decoded(sent(in_request(first + second), PROTOBUF)))
    assert (found.name, [pair.key for pair in found.attributes]) == ("kept", ["a", "b"])


@pytest.mark.parametrize("more", [0, 1])
def test_a_request_has_at_most_the_spans_that_the_limits_name(more: int) -> None:
    message = field(2, SPAN)
    body = field(1, field(2, message * (SPANS_MAX - 3)) + field(2, message * more))  # a resource and two scopes
    request = sent(gzip.compress(body, 1), PROTOBUF, content_encoding="gzip")
    if more:
        with pytest.raises(TooLarge, match="more than 100,000 spans"):
            decoded(request)
    else:
        assert decoded(request).spans == SPANS_MAX - 3
