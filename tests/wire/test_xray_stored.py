"""X-Ray's segment documents through blocks and back, as the read side gives them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spandrel.api.otlp_json import otlp_json
from spandrel.model.ids import trace_id_from_xray, xray_trace_id
from spandrel.query.trace import trace
from spandrel.wire.otlp.json_encoding import request_from_json
from spandrel.wire.xray import endpoint as xray
from tests.archive import Archive
from tests.xray_documents import apart, documents_of, without_the_obvious

from .sending import recorded
from .xray_sending import END_S, TRACE_ID, put, segment, subsegment


def stored(archive: Archive, *documents: dict[str, Any]) -> None:
    archive.add(xray.decode(put(*documents)).otlp)


def read(archive: Archive, trace_id: str = TRACE_ID) -> list[dict[str, Any]]:
    """The trace's documents."""
    found = otlp_json(trace(archive.reading(), trace_id_from_xray(trace_id)))
    request, _ = request_from_json(found.encode())
    return documents_of(request)


@pytest.mark.parametrize("finished_first", [False, True])
def test_a_finished_segment_takes_the_place_of_the_one_in_progress(archive: Archive, finished_first: bool) -> None:
    begun_step = subsegment(in_progress=True, end_time=..., namespace="remote")
    begun = segment(in_progress=True, end_time=..., user="early", subsegments=[begun_step])
    done = segment(end_time=END_S, user="zoe", subsegments=[subsegment(namespace="remote", fault=True)])
    for document in (done, begun) if finished_first else (begun, done):
        stored(archive, document)
    assert read(archive) == [done]


def test_what_is_still_in_progress_is_shown_so(archive: Archive) -> None:
    begun = segment(in_progress=True, end_time=...)
    stored(archive, begun)
    stored(archive, begun)
    assert read(archive) == [begun]


def test_what_boto3_sent_comes_back(archive: Archive) -> None:
    request = recorded("xray-boto3-segments")
    archive.add(xray.decode(request).otlp)
    sent = [json.loads(text) for text in json.loads(request.body)["TraceSegmentDocuments"]]
    for trace_id in {document["trace_id"] for document in sent}:
        of_trace = [without_the_obvious(document) for document in sent if document["trace_id"] == trace_id]
        assert apart(read(archive, trace_id)) == apart(of_trace)


def test_a_trace_id_comes_back_as_x_ray_writes_it() -> None:
    assert xray_trace_id(trace_id_from_xray(TRACE_ID)) == TRACE_ID
    assert xray_trace_id(trace_id_from_xray("581CF771A006649127E371903A2DE979")) == TRACE_ID
