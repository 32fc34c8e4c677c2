"""Whatever spans a trace has, all of them are in its documents, once, and each document is one that X-Ray takes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.api.xray.documents import DEPTH_MAX, DOCUMENT_BYTES
from tests.builders import RECEIVED_NS, request_of, span
from tests.xray_documents import apart, documents_of
from tests.xray_schema import ID, NAME, TRACE_ID, check_document

IDS = st.integers(1, 8).map(lambda number: number.to_bytes(8, "big"))
KEYS = (
    *("http.method", "http.request.method", "http.response.status_code", "rpc.system", "db.system", "user.id", "a b"),
    *("aws.xray.http", "aws.xray.annotations", "aws.xray.other", "aws.xray.metadata.otel", "aws.xray.cause"),
    *("aws.xray.in_progress", "exception.stacktrace", "peer.service"),
)
SPANS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            "span_id": IDS,
            "parent": st.just(b"") | IDS,
            "kind": st.integers(0, 5),
            "start_ns": st.integers(0, RECEIVED_NS),
            "duration_ns": st.integers(-(10**9), 10**9),
            "service": st.sampled_from(["", "a", "b"]),
            "attributes": st.dictionaries(
                st.sampled_from(KEYS),
                st.sampled_from(["GET", "404", '{"a":[1]}', "[", 404, 1.5, float("nan"), True, b"\0", None, ["a"], {}]),
                max_size=4,
            ),
        }
    ),
    min_size=1,
    max_size=8,
)


def sent(found: list[dict[str, Any]]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for one in found:
        members = {key: value for key, value in one.items() if key != "service"}
        members["start_ns"] = max(one["start_ns"], -one["duration_ns"])
        request.MergeFrom(request_of(span(**members), service=one["service"]))
    return request


@settings(max_examples=60)
@given(SPANS)
def test_every_span_is_told_once(found: list[dict[str, Any]]) -> None:
    documents = documents_of(sent(found))
    told = apart(documents)
    assert len(told) == len(found)
    assert {one["span_id"].hex() for one in found} <= told.keys()


@settings(max_examples=60)
@given(SPANS)
def test_every_document_says_what_x_ray_needs_in_json(found: list[dict[str, Any]]) -> None:
    for document in apart(documents_of(sent(found))).values():
        json.dumps(document, allow_nan=False)  # raises for what JSON cannot say
        assert ID.fullmatch(document["id"]) and NAME.fullmatch(document["name"])
        assert TRACE_ID.fullmatch(document["trace_id"])
        assert type(document["start_time"]) is float
        assert "end_time" in document or document["in_progress"] is True


def test_a_chain_of_spans_is_cut_where_readers_of_json_give_up() -> None:
    chain = [span("0")]
    for number in range(1, DEPTH_MAX * 3):
        chain.append(span(str(number), parent=chain[-1].span_id))
    documents = documents_of(request_of(*chain))
    assert len(apart(documents)) == len(chain)
    assert max(map(depth, documents)) <= DEPTH_MAX
    for document in documents:
        check_document(document)


def depth(segment: dict[str, Any]) -> int:
    return 1 + max(map(depth, segment.get("subsegments", [])), default=0)


def test_a_document_holds_what_fits() -> None:
    root = span("root")
    steps = [span(str(number), parent=root.span_id, attributes={"text": "x" * 900}) for number in range(200)]
    documents = documents_of(request_of(root, *steps))
    assert len(apart(documents)) == 201
    assert max(len(json.dumps(document, separators=(",", ":"))) for document in documents) <= DOCUMENT_BYTES
