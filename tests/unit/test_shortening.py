from __future__ import annotations

import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from spandrel.blocks.otlp import to_otlp
from spandrel.blocks.writer import write_blocks
from spandrel.model.limits import VALUE_MAX
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.otlp import comparable


def stored(request: ExportTraceServiceRequest) -> ResourceSpans:
    """The only resource of the request as the only block of it gives it back."""
    (block,) = write_blocks("shop", [request.SerializeToString()], RECEIVED_NS, "a-batch")
    (resource_spans,) = to_otlp(pq.read_table(io.BytesIO(block.body))).resource_spans
    return resource_spans


def stored_span(*spans: Span) -> Span:
    """The first of the spans as it comes back."""
    return stored(request_of(*spans)).scope_spans[0].spans[0]


def value_of(attributes: Any, key: str) -> AnyValue:
    (found,) = (pair.value for pair in attributes if pair.key == key)
    return found


def test_a_text_over_the_limit_is_cut_says_so_and_counts_as_dropped() -> None:
    text = "0123456789" * 10_000
    back = stored_span(span("a", attributes={"query": text, "short": "stays"}, dropped_attributes_count=2))
    cut = value_of(back.attributes, "query").string_value
    assert cut.endswith("…[cut from 100000 characters]")
    assert text.startswith(cut.partition("…")[0])
    assert VALUE_MAX - 100 < len(cut) <= VALUE_MAX
    assert value_of(back.attributes, "short").string_value == "stays"
    assert back.dropped_attributes_count == 3


def test_a_text_that_was_cut_is_not_cut_again_where_it_is_sent_on() -> None:
    once = stored_span(span("a", attributes={"query": "x" * 100_000}))
    assert stored_span(once) == once


@pytest.mark.parametrize("value", ["x" * VALUE_MAX, "€" * VALUE_MAX, b"\0" * VALUE_MAX, ["x" * (VALUE_MAX - 100)]])
def test_a_value_at_the_limit_stays_as_it_is(value: Any) -> None:
    whole = span("a", attributes={"key": value})
    assert comparable(stored_span(whole)) == comparable(whole)


def test_a_text_is_cut_between_characters() -> None:
    cut = value_of(stored_span(span("a", attributes={"key": "𝄞" * (VALUE_MAX + 1)})).attributes, "key").string_value
    assert set(cut.partition("…")[0]) == {"𝄞"}


def test_bytes_over_the_limit_are_cut_and_say_so() -> None:
    cut = value_of(stored_span(span("a", attributes={"key": bytes(70_000)})).attributes, "key").bytes_value
    assert cut.endswith("…[cut from 70000 bytes]".encode())
    assert len(cut) <= VALUE_MAX


@pytest.mark.parametrize(
    ("value", "what"), [(["x" * 70_000], "a list of 70008"), ({"k": "x" * 70_000}, "key-value pairs of 70015")]
)
def test_a_nested_value_over_the_limit_is_replaced_by_a_text_that_says_so(value: Any, what: str) -> None:
    back = stored_span(span("a", attributes={"key": value, "list": ["stays"]}))
    assert value_of(back.attributes, "key").string_value == f"[{what} bytes, left out]"
    assert [item.string_value for item in value_of(back.attributes, "list").array_value.values] == ["stays"]
    assert back.dropped_attributes_count == 1


def test_each_place_that_has_attributes_counts_its_own() -> None:
    long = [key_value("key", "x" * (VALUE_MAX + 1)), key_value("other", "stays")]
    event = Span.Event(name="log", attributes=[*long, KeyValue(key="third", value=long[0].value)])
    request = request_of(span("a", events=[event, Span.Event(name="b")], links=[Span.Link(attributes=long)]))
    request.resource_spans[0].resource.attributes.extend(long)
    request.resource_spans[0].scope_spans[0].scope.attributes.extend(long)
    back = stored(request)
    scope_spans = back.scope_spans[0]
    (one,) = scope_spans.spans
    assert one.dropped_attributes_count == 0
    assert [event.dropped_attributes_count for event in one.events] == [2, 0]
    assert [link.dropped_attributes_count for link in one.links] == [1]
    assert (back.resource.dropped_attributes_count, scope_spans.scope.dropped_attributes_count) == (1, 1)
    shortened = (back.resource, scope_spans.scope, *one.events[:1], *one.links)
    assert all(len(value_of(each.attributes, "key").string_value) <= VALUE_MAX for each in shortened)


def test_only_the_span_with_the_long_value_is_touched() -> None:
    plain = span("b", trace_id=b"\xff" * 16, attributes={"key": "short"}, events=[Span.Event(name="log")])
    long = span("a", attributes={"key": "x" * (VALUE_MAX + 1)})
    assert comparable(stored(request_of(long, plain)).scope_spans[0].spans[1]) == comparable(plain)


def test_a_count_that_is_full_stays_full() -> None:
    full = span("a", attributes={"key": "x" * (VALUE_MAX + 1)}, dropped_attributes_count=2**32 - 1)
    assert stored_span(full).dropped_attributes_count == 2**32 - 1
