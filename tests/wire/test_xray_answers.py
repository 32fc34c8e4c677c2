"""What X-Ray's clients are told: of documents that cannot be taken, and of calls that cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from spandrel.http.request import request_of
from spandrel.model.errors import (
    Forbidden,
    NotAllowed,
    NotFound,
    Overloaded,
    Rejected,
    SpandrelError,
    TooLarge,
    Unauthenticated,
    Undecodable,
    Unsupported,
)
from spandrel.model.limits import ANSWER_BYTES, BODY_BYTES, SEGMENT_DOCUMENT_CHARACTERS, SEGMENT_DOCUMENTS_MAX
from spandrel.wire.xray import endpoint as xray
from spandrel.wire.xray import telemetry as xray_telemetry
from tests.events import http_event

from .xray_sending import SEGMENT_ID, alone, put, put_body, segment, spans_of, subsegment, unprocessed

DEEP = "[" * 5000 + "]" * 5000


def test_when_all_is_well_nothing_is_unprocessed() -> None:
    assert unprocessed(segment(), alone()) == []


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (segment(id=...), "MissingId"),
        (segment(id=""), "MissingId"),
        (segment(id="70de5b6f19ff9a0"), "InvalidId"),
        (segment(id="70de5b6f19ff9a0g"), "InvalidId"),
        (segment(id="70 e5b6f19ff9a0a"), "InvalidId"),
        (segment(id="0" * 16), "InvalidId"),
        (segment(id=5), "InvalidId"),
        (segment(name=...), "MissingName"),
        (segment(name=""), "MissingName"),
        (segment(name=["shop"]), "ParseError"),
        (segment(trace_id=...), "MissingTraceId"),
        (segment(trace_id="1-581cf771-a006649127e371903a2de97"), "InvalidTraceId"),
        (segment(trace_id="581cf771"), "InvalidTraceId"),
        (segment(trace_id="1-5880168b-fd515828bs07678a3bb5a78c"), "InvalidTraceId"),
        (segment(trace_id="1-00000000-000000000000000000000000"), "InvalidTraceId"),
        (segment(trace_id=1), "InvalidTraceId"),
        (segment(parent_id="xyz"), "InvalidParentId"),
        (segment(start_time=...), "MissingStartTime"),
        (segment(start_time="1478293361.271"), "ParseError"),
        (segment(start_time=True), "ParseError"),
        (segment(start_time=-1), "InvalidStartTime"),
        (segment(start_time=1e30), "InvalidStartTime"),
        (segment(start_time=10**400), "InvalidStartTime"),
        (segment(end_time=...), "MissingEndTime"),
        (segment(end_time=..., in_progress=False), "MissingEndTime"),
        (segment(end_time=1e300), "InvalidEndTime"),
        (segment(subsegments="none"), "ParseError"),
        (segment(subsegments=[None]), "ParseError"),
    ],
)
def test_a_bad_document_is_named_with_x_rays_code(document: dict[str, Any], code: str) -> None:
    known = {"Id": document["id"]} if isinstance(document.get("id"), str) else {}
    assert unprocessed(document) == [{**known, "ErrorCode": code, "Message": f"Invalid segment. ErrorCode: {code}"}]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (alone(parent_id=...), "MissingParentId"),
        (alone(parent_id="nobody"), "InvalidParentId"),
        (alone(name=...), "MissingName"),
        (alone(trace_id=...), "MissingTraceId"),
        (alone(end_time=...), "MissingEndTime"),
    ],
)
def test_a_bad_subsegment_is_said_to_be_one(document: dict[str, Any], code: str) -> None:
    message = f"Invalid subsegment. ErrorCode: {code}, Cause: null"
    assert unprocessed(document) == [{"Id": document["id"], "ErrorCode": code, "Message": message}]


def test_a_bad_subsegment_within_is_told_under_the_documents_id_so_that_the_daemon_finds_it() -> None:
    document = segment(subsegments=[subsegment(), subsegment(id="0f910026178b71eb", end_time=...)])
    (told,) = unprocessed(document)
    assert told["Id"] == SEGMENT_ID
    assert told["Message"] == "Invalid subsegment. ErrorCode: MissingEndTime, Cause: null"


@pytest.mark.parametrize("text", ["", "x", "{", "null", "5", '"text"', '{"id": NaN}', DEEP, '{"a":' * 5000, "\ud800"])
def test_a_document_that_is_no_json_has_no_id(text: str) -> None:
    assert unprocessed(text) == [{"ErrorCode": "ParseError", "Message": "Invalid segment. ErrorCode: ParseError"}]


@pytest.mark.parametrize("member", ['"metadata":{"a":1e999}', '"user":-1e999', '"aws":{"ec2":{"x":1e999}}'])
def test_a_number_beyond_all_bounds_is_none(member: str) -> None:
    document = json.dumps(segment()).replace('{"name"', f'{{{member},"name"')
    assert [told["ErrorCode"] for told in unprocessed(document)] == ["ParseError"]


@pytest.mark.parametrize("nothing", ["{}", "[]", "[{}]"])
def test_an_empty_document_lacks_its_id_first(nothing: str) -> None:
    assert [told["ErrorCode"] for told in unprocessed(nothing)] == ["MissingId"]


def test_documents_are_texts() -> None:
    body = json.dumps({"TraceSegmentDocuments": [segment(), None, json.dumps(segment())]}).encode()
    accepted = xray.decode(put_body(body))
    assert [told["ErrorCode"] for told in accepted.refused] == ["ParseError", "ParseError"]
    assert accepted.spans == 1


def test_one_text_may_hold_several_documents() -> None:
    accepted = xray.decode(put(json.dumps([segment(), alone(), {}])))
    assert (accepted.spans, accepted.rejected) == (2, 1)


def test_a_bad_document_takes_no_other_with_it() -> None:
    accepted = xray.decode(put(segment(name="a"), "broken", segment(id=...), segment(name="b", id="0f910026178b71eb")))
    assert [span.name for span in spans_of(accepted)] == ["a", "b"]
    assert (accepted.rejected, accepted.reason) == (2, "MissingId, ParseError")


def test_the_answer_is_bounded_whatever_is_wrong() -> None:
    accepted = xray.decode(put(*[segment(id="x" * 1000)] * 3))
    assert all(len(told["Id"]) <= 64 for told in accepted.refused)


@pytest.mark.parametrize(
    "at_most",
    [[""] * SEGMENT_DOCUMENTS_MAX, ["[" + ",".join("1" * SEGMENT_DOCUMENTS_MAX) + "]"]],
    ids=["texts", "in one text"],
)
def test_a_call_cannot_have_more_documents_than_its_answer_could_name(at_most: list[str]) -> None:
    accepted = xray.decode(put(*at_most))
    assert accepted.rejected == SEGMENT_DOCUMENTS_MAX
    assert len(xray.answer(put(), accepted).body) < ANSWER_BYTES
    with pytest.raises(Rejected, match="no more than 10,000"):
        xray.decode(put(*at_most, ""))


def test_a_document_that_is_too_long_is_named_and_takes_no_other_with_it() -> None:
    accepted = xray.decode(put(segment(user="x" * SEGMENT_DOCUMENT_CHARACTERS), segment()))
    assert [told["ErrorCode"] for told in accepted.refused] == ["SegmentTooLarge"]
    assert accepted.spans == 1


def test_a_call_cannot_have_more_spans_than_receive_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xray, "SPANS_MAX", 3)
    three = segment(subsegments=[subsegment(), subsegment(id="0f910026178b71eb")])
    assert xray.decode(put(three)).spans == 3
    with pytest.raises(TooLarge, match="3 segments and subsegments"):
        xray.decode(put(three, alone()))


def test_no_documents_are_no_error() -> None:
    assert unprocessed() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b"null", b"{}", b'{"TraceSegmentDocuments": "x"}', b"\xff\xfe\xfd", DEEP.encode()],
)
def test_a_call_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        xray.decode(put_body(body))


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/x-amz-json-1.1", ""])
def test_json_has_several_names(content_type: str) -> None:
    assert xray.decode(put(segment(), headers={"content-type": content_type})).spans == 1


def test_other_content_types_methods_and_sizes_are_refused() -> None:
    with pytest.raises(Unsupported, match="text/plain"):
        xray.decode(put(segment(), headers={"content-type": "text/plain"}))
    with pytest.raises(NotAllowed, match="takes POST"):
        xray.decode(put_body(b"", method="GET"))
    with pytest.raises(TooLarge):
        xray.decode(put_body(bytes(BODY_BYTES + 1)))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Rejected("x"), 400, "InvalidRequestException"),
        (Undecodable("x"), 400, "InvalidRequestException"),
        (Unauthenticated("x"), 403, "MissingAuthenticationTokenException"),
        (Unauthenticated("x", "unknown-key"), 403, "UnrecognizedClientException"),
        (Unauthenticated("x", "incomplete-signature"), 403, "IncompleteSignatureException"),
        (Unauthenticated("x", "wrong-signature"), 403, "InvalidSignatureException"),
        (Forbidden("x"), 403, "AccessDeniedException"),
        (NotFound("x"), 404, "ResourceNotFoundException"),
        (NotAllowed("x", ("POST",)), 405, "UnknownOperationException"),
        (TooLarge("x"), 413, "RequestEntityTooLargeException"),
        (Unsupported("x"), 415, "UnsupportedMediaTypeException"),
        (Overloaded("x", throttled=True), 429, "ThrottledException"),
        (Overloaded("x"), 503, "ServiceUnavailableException"),
        (SpandrelError("x"), 500, "InternalFailure"),
    ],
)
@pytest.mark.parametrize("operation", [xray, xray_telemetry], ids=["segments", "telemetry"])
def test_each_refusal_is_an_error_of_aws(operation: Any, error: SpandrelError, status: int, code: str) -> None:
    response = operation.refuse(put(segment()), error)
    assert (response.status, response.content_type) == (status, "application/json")
    assert response.headers["x-amzn-errortype"] == code
    assert json.loads(response.body) == {"Message": "x"}
    assert "www-authenticate" not in response.headers
    assert ("retry-after" in response.headers) is isinstance(error, Overloaded)
    assert ("allow" in response.headers) is isinstance(error, NotAllowed)


class TestTelemetry:
    """What the daemon counts about itself."""

    @staticmethod
    def told(body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        named = {"content-type": "application/json", **(headers or {})}
        request = request_of(http_event("POST", "/TelemetryRecords", headers=named, body=body))
        accepted = xray_telemetry.decode(request)
        response = xray_telemetry.answer(request, accepted)
        return accepted.spans, response.body

    def test_it_is_heard_and_holds_no_spans(self) -> None:
        record = {"Timestamp": 1714564800.5, "SegmentsReceivedCount": 1}
        assert self.told(json.dumps({"TelemetryRecords": [record], "Hostname": "h"}).encode()) == (0, b"{}")

    @pytest.mark.parametrize("records", [None, "x", [None], [{}], [{"SegmentsSentCount": 1}]])
    def test_records_without_a_time_are_refused(self, records: Any) -> None:
        with pytest.raises(Rejected, match="Timestamp"):
            self.told(json.dumps({"TelemetryRecords": records}).encode())
