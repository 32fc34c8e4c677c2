"""A span without a sound id is refused alone; the rest of its request is kept. The same in both encodings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spandrel.http.request import Request
from spandrel.wire.otlp import endpoint as otlp
from tests.builders import span

from .sending import JSON, PROTOBUF, as_json, decoded, partial_success, sent, sent_json, span_json, spans

ID = b"\1" * 16


def as_protobuf(request: ExportTraceServiceRequest) -> Request:
    return sent(request.SerializeToString(), PROTOBUF)


def as_otlp_json(request: ExportTraceServiceRequest) -> Request:
    return sent_json(as_json(request))


BOTH = pytest.mark.parametrize("encode", [as_protobuf, as_otlp_json], ids=["protobuf", "json"])
Encode = Callable[[ExportTraceServiceRequest], Request]


def requested(*scopes: list[Span]) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans) for spans in scopes])]
    )


BAD = {
    "no trace id": span("bad", trace_id=b""),
    "trace id of zeros only": span("bad", trace_id=bytes(16)),
    "trace id of 8 bytes instead of 16": span("bad", trace_id=b"\1" * 8),
    "trace id of 17 bytes instead of 16": span("bad", trace_id=b"\1" * 17),
    "span id of zeros only": span("bad", span_id=bytes(8)),
    "span id of 16 bytes instead of 8": span("bad", span_id=b"\1" * 16),
    "parent span id of 4 bytes instead of 8": span("bad", parent=b"\1" * 4),
    "link's trace id of 8 bytes instead of 16": span("bad", links=[Span.Link(), Span.Link(trace_id=b"\1" * 8)]),
    "link's span id of 1 bytes instead of 8": span("bad", links=[Span.Link(trace_id=ID, span_id=b"\1")]),
}


@BOTH
@pytest.mark.parametrize("reason", BAD)
def test_a_bad_span_is_refused_and_the_rest_is_kept(encode: Encode, reason: str) -> None:
    request = encode(requested([span("a"), BAD[reason], span("b")], [span("c")]))
    accepted = decoded(request)
    assert [found.name for found in spans(accepted)] == ["a", "b", "c"]
    assert (accepted.spans, accepted.rejected) == (3, 1)
    assert accepted.reason == f"1 of 4 spans refused: {reason} (1)"


@BOTH
def test_the_sender_is_told_how_many_and_why(encode: Encode) -> None:
    request = encode(requested([span("a"), *BAD.values()], [BAD["no trace id"], BAD["no trace id"]]))
    response = otlp.answer(request, decoded(request))
    rejected, message = partial_success(response)
    assert (response.status, rejected) == (200, len(BAD) + 2)
    assert message.startswith(f"{len(BAD) + 2} of {len(BAD) + 3} spans refused: no trace id (3), ")


@BOTH
def test_a_request_of_bad_spans_only_is_answered_the_same_way(encode: Encode) -> None:
    request = encode(requested([BAD["no trace id"]] * 2))
    accepted = decoded(request)
    assert (accepted.spans, accepted.rejected) == (0, 2)


@BOTH
def test_a_span_without_a_span_id_is_refused(encode: Encode) -> None:
    bad = span("bad")
    bad.ClearField("span_id")
    assert decoded(encode(requested([bad, span("a")]))).reason == "1 of 2 spans refused: no span id (1)"


@BOTH
def test_a_parent_of_zeros_is_no_parent(encode: Encode) -> None:
    accepted = decoded(encode(requested([span("root", parent=bytes(8)), span("child", parent=b"\1" * 8)])))
    assert accepted.rejected == 0
    assert [found.parent_span_id for found in spans(accepted)] == [b"", b"\1" * 8]


@BOTH
def test_a_link_may_lack_its_ids_and_may_point_to_zeros(encode: Encode) -> None:
    links = [Span.Link(trace_state="x"), Span.Link(trace_id=bytes(16), span_id=bytes(8))]
    accepted = decoded(encode(requested([span("a", links=links)])))
    assert (accepted.rejected, list(spans(accepted)[0].links)) == (0, links)


@BOTH
def test_what_is_kept_is_kept_whole(encode: Encode) -> None:
    good = span("good", attributes={"a": ["x", 1], "b": 1.5}, flags=257, trace_state="s=1")
    accepted = decoded(encode(requested([good, BAD["no trace id"]])))
    assert spans(accepted) == [good]


@pytest.mark.parametrize(
    "text",
    [
        "xyz",
        "5b8efff798038103d269b633813fc60",
        "W47/95gDgQPSabYzgT/GDA==",
        "5b " * 16,
        "0x5b8efff798038103d269b633813fc6",
        "５" * 32,
    ],
)
def test_a_json_id_that_is_no_hex_is_a_bad_id(text: str) -> None:
    body: dict[str, Any] = {"resourceSpans": [{"scopeSpans": [{"spans": [span_json(traceId=text), span_json()]}]}]}
    accepted = decoded(sent_json(body))
    assert (accepted.spans, accepted.reason) == (1, "1 of 2 spans refused: trace id that is not hex (1)")


def test_a_parent_that_is_no_hex_does_not_make_a_root() -> None:
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span_json(parentSpanId="nonsense")]}]}]}
    assert decoded(sent_json(body)).reason == "1 of 1 spans refused: parent span id that is not hex (1)"


def test_only_the_commonest_reasons_are_told() -> None:
    bad = [span("x", trace_id=b"\1" * width) for width in (1, 2, 3, 4, 5, 6, 7, 7)]
    reason = decoded(as_protobuf(requested(bad))).reason
    assert reason.startswith("8 of 8 spans refused: trace id of 7 bytes instead of 16 (2), ")
    assert reason.count("trace id") == 5


def test_many_bad_spans_cost_no_more_than_good_ones() -> None:
    import time

    request = requested([span("x", trace_id=b"\1")] * 50_000 + [span("a")])
    began_s = time.process_time()
    assert decoded(as_protobuf(request)).spans == 1
    assert time.process_time() - began_s < 5  # quadratic removal takes minutes


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_a_warning_rejects_nothing(content_type: str) -> None:
    body = (
        as_protobuf(requested([span("caf_")])).body
        if content_type == PROTOBUF
        else as_otlp_json(requested([span("caf_")])).body
    )
    request = sent(body.replace(b"caf_", b"caf\xe9"), content_type)
    rejected, message = partial_success(otlp.answer(request, decoded(request)))
    assert rejected == 0
    assert "UTF-8" in message
