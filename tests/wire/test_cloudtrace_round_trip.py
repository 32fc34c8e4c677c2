"""All that Cloud Trace's two versions can say comes out of OTLP as it went in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spandrel.http.request import request_of
from spandrel.wire.cloudtrace.attributes import CONVENTIONS

from .cloudtrace_reverse import LABELS, V2_KINDS, timestamp, v1_of, v2_of, without_zeros
from .cloudtrace_sending import accepted, batch, patch, recorded_event, v1_span
from .sending import spans

GENERATED = settings(deadline=None, max_examples=100, derandomize=True, suppress_health_check=list(HealthCheck))

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
COUNT = st.sampled_from([0, 1, 2**31 - 1])
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(1, 2**64 - 1)
TIME = st.integers(1, 2**64 - 1).map(timestamp)
TRACE_ID = st.binary(min_size=16, max_size=16).filter(any).map(bytes.hex)
SPAN_ID = st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex)
# The conventions' own names stand for their labels when they are read, so that they are not what was sent.
KEY = (TEXT | st.sampled_from([*CONVENTIONS, "g.co/agent", "service.name", "g.co/gae/app/module"])).filter(
    lambda key: key not in LABELS
)
LABEL = TEXT | st.sampled_from(["200", "007", "-1", "http", "HTTP/1.1", "https://x/?y", "/a?b", "h:80", "h", "GET"])
TRUNCATABLE = st.builds(lambda text, cut: without_zeros({"value": text, "truncatedByteCount": cut}), TEXT, COUNT)


@st.composite
def attribute_map(draw: st.DrawFn) -> dict[str, Any]:
    found = {}
    for key in draw(st.lists(KEY, max_size=4, unique=True)):
        text = draw(LABEL)
        cut = draw(COUNT)
        value = {"value": text, "truncatedByteCount": cut} if cut else {"value": text}
        is_number = key in CONVENTIONS and text.isdecimal()  # those are numbers in the conventions
        numbers = [{"intValue": str(draw(INT64))}, {"boolValue": draw(st.booleans())}, {}]
        found[key] = draw(st.sampled_from(numbers if is_number else [{"stringValue": value}, *numbers]))
    return found


ATTRIBUTES = st.builds(
    lambda sent, dropped: without_zeros({"attributeMap": sent, "droppedAttributesCount": dropped}),
    attribute_map(),
    COUNT,
)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of any of these fields, none of them zero."""
    return st.fixed_dictionaries({}, optional=fields).map(without_zeros)


MESSAGE_EVENT = st.builds(
    lambda kind, numbers: {"type": kind} | numbers,
    st.sampled_from(["TYPE_UNSPECIFIED", "SENT", "RECEIVED"]),
    some(id=INT64.map(str), uncompressedSizeBytes=INT64.map(str), compressedSizeBytes=INT64.map(str)),
)
TIME_EVENT = st.fixed_dictionaries(
    {"time": TIME, "annotation": some(description=TRUNCATABLE, attributes=ATTRIBUTES)}
) | st.fixed_dictionaries({"time": TIME, "messageEvent": MESSAGE_EVENT})
LINK = some(
    traceId=TRACE_ID,
    spanId=SPAN_ID,
    type=st.sampled_from(["CHILD_LINKED_SPAN", "PARENT_LINKED_SPAN"]),
    attributes=ATTRIBUTES,
)
FRAME = some(
    functionName=TRUNCATABLE, fileName=TRUNCATABLE, lineNumber=INT64.map(str), loadModule=some(module=TRUNCATABLE)
)
STACK_TRACE = some(
    stackFrames=some(frame=st.lists(FRAME, max_size=2), droppedFramesCount=COUNT), stackTraceHashId=INT64.map(str)
)
V2_SPAN = st.builds(
    lambda trace_id, span_id, always, sometimes, rest: (
        {"name": f"projects/p/traces/{trace_id}/spans/{span_id}", "spanId": span_id} | always | sometimes | rest
    ),
    TRACE_ID,
    SPAN_ID,
    st.fixed_dictionaries({"startTime": TIME, "endTime": TIME}),
    some(
        parentSpanId=SPAN_ID,
        displayName=TRUNCATABLE,
        attributes=ATTRIBUTES,
        spanKind=st.sampled_from(V2_KINDS[1:]),
        timeEvents=some(
            timeEvent=st.lists(TIME_EVENT, max_size=2), droppedAnnotationsCount=COUNT, droppedMessageEventsCount=COUNT
        ),
        links=some(link=st.lists(LINK, max_size=2), droppedLinksCount=COUNT),
        stackTrace=STACK_TRACE,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "sameProcessAsParentSpan": st.booleans(),
            "childSpanCount": COUNT,
            "status": some(
                code=st.integers(-(2**31), 2**31 - 1), message=TEXT, details=st.just([{"@type": "x", "y": 1}])
            ),
        },
    ),
)
V1_SPAN = st.builds(
    lambda span_id, always, sometimes: {"spanId": str(span_id)} | always | sometimes,
    UINT64,
    st.fixed_dictionaries({"startTime": TIME}),
    some(
        endTime=TIME,
        parentSpanId=UINT64.map(str),
        name=TEXT,
        kind=st.sampled_from(["RPC_SERVER", "RPC_CLIENT"]),
        labels=st.dictionaries(KEY | st.just("/error/message"), LABEL, max_size=5),
    ),
)


@given(span=V2_SPAN)
@GENERATED
def test_a_span_of_v2_comes_back_equal(span: dict[str, Any]) -> None:
    (found,) = spans(accepted(batch(span)))
    assert v2_of(found, "p") == span


@given(span=V1_SPAN)
@GENERATED
def test_a_span_of_v1_comes_back_equal(span: dict[str, Any]) -> None:
    (found,) = spans(accepted(patch(span)))
    assert v1_of(found) == {"endTime": "1970-01-01T00:00:00Z"} | span


@pytest.mark.parametrize("name", ["cloudtrace-python-v2", "cloudtrace-otel-python"])
def test_what_clients_of_v2_send_comes_back_equal(name: str) -> None:
    event = recorded_event(name)
    found = spans(accepted(event))
    assert [v2_of(span, "my-proj") for span in found] == as_read(request_of(event).body)["spans"]


def test_what_clients_of_v1_send_comes_back_equal() -> None:
    event = recorded_event("cloudtrace-python-v1")
    found = spans(accepted(event))
    assert [v1_of(span) for span in found] == as_read(request_of(event).body)["traces"][0]["spans"]


def test_an_attribute_that_has_the_name_of_a_convention_comes_back_as_its_label() -> None:
    (span,) = spans(accepted(patch(v1_span(labels={"http.request.method": "GET"}))))
    assert v1_of(span)["labels"] == {"/http/method": "GET"}


def as_read(body: bytes) -> Any:
    """A recorded body with the names of its enums, and labels where it has names of the conventions."""

    def read(found: dict[str, Any]) -> dict[str, Any]:
        renamed = {LABELS.get(key, key): value for key, value in found.items()}
        if "spanKind" in renamed:
            renamed["spanKind"] = V2_KINDS[renamed["spanKind"]]
        if "kind" in renamed:
            renamed["kind"] = ("", "RPC_SERVER", "RPC_CLIENT")[renamed["kind"]]
        if "type" in renamed:
            names = (
                ("", "CHILD_LINKED_SPAN", "PARENT_LINKED_SPAN") if "traceId" in renamed else ("", "SENT", "RECEIVED")
            )
            renamed["type"] = names[renamed["type"]]
        return renamed

    return json.loads(body, object_hook=read)
