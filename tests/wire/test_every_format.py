"""The same spans in the words of every system become the same spans of OTLP. The bodies are those of the benchmark."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.spans import SpanSource
from benchmarks.wire import EVERY, Sent
from benchmarks.wire_bodies import spans_of
from spandrel.wire.formats import format_of

from .values import values_of

SPANS = 40
TODAY = ("http.request.method", "http.response.status_code")
REQUEST = SpanSource(seed=7).request(SPANS)


def what_all_can_say(span: Span) -> dict[str, Any]:
    attributes = values_of(span.attributes)
    return {
        "trace": span.trace_id,
        "parent": span.parent_span_id,
        "start_us": round(span.start_time_unix_nano, -3) // 1000,
        **{name: attributes[name] for name in TODAY},
    }


@pytest.mark.parametrize("sent", EVERY, ids=lambda sent: sent.name)
def test_a_span_is_the_same_by_whichever_format_it_comes(sent: Sent) -> None:
    request = sent.request(REQUEST)
    accepted = format_of(request).decode(request)
    assert (accepted.spans, accepted.rejected, accepted.reason) == (SPANS, 0, "")
    found = {span.span_id: what_all_can_say(span) for span in spans_of(accepted.otlp)}
    expected = {span.span_id: what_all_can_say(span) for span in spans_of(REQUEST)}
    for span_id, told in expected.items():
        assert abs(found[span_id].pop("start_us") - told.pop("start_us")) <= 1  # some cut, where others round
    assert found == expected
