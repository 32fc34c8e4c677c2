"""BatchGetTraces: traces of any source as X-Ray's segment documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.api.xray import traces
from spandrel.model.ids import xray_trace_id
from spandrel.model.limits import ANSWER_BYTES
from spandrel.wire.formats import format_of
from spandrel.wire.xray import endpoint as xray_wire
from tests.archive import Archive
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.wire.cloudtrace_sending import accepted, recorded_event
from tests.wire.sending import recorded
from tests.wire.xray_sending import TRACE_ID, put, segment, subsegment
from tests.xray_asking import XRay, boto3_of, xray_of
from tests.xray_schema import BYTES_MAX, check_document

ID = xray_trace_id(bytes(15) + b"\1")
FAILED = Status(code=Status.STATUS_CODE_ERROR, message="card refused")
SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
RECORDINGS = ["otlp-node-json", "otlp-python-protobuf", "jaeger-client-node", "zipkin-js-json", "datadog-python-v04"]


@pytest.fixture
def xray(archive: Archive) -> XRay:
    return xray_of(archive, RECEIVED_NS + 10**9)


def documents(xray: XRay, trace_id: str = ID) -> list[dict[str, Any]]:
    """The documents of a trace, each held to X-Ray's guide."""
    (found,) = xray.ask("BatchGetTraces", TraceIds=[trace_id])["Traces"]
    told = [json.loads(one["Document"]) for one in found["Segments"]]
    assert [one["Id"] for one in found["Segments"]] == [document["id"] for document in told]
    for document in told:
        check_document(document)
    return told


def put_shop(archive: Archive) -> tuple[Span, Span, Span]:
    checkout = span("POST /checkout", kind=SERVER, duration_ns=2_000_000, attributes={"user.tier": "gold"})
    charge = span("charge", parent=checkout.span_id, kind=CLIENT, start_ns=RECEIVED_NS + 1000)
    paid = span("POST /charge", parent=charge.span_id, kind=SERVER, start_ns=RECEIVED_NS + 2000, status=FAILED)
    archive.add(request_of(checkout, charge, service="web"))
    archive.add(request_of(paid, service="pay"))
    return checkout, charge, paid


def test_a_trace_of_opentelemetry_is_segments_with_subsegments(archive: Archive, xray: XRay) -> None:
    checkout, charge, paid = put_shop(archive)
    web, pay = documents(xray)
    assert (web["name"], web["id"], web["annotations"]) == ("web", checkout.span_id.hex(), {"user.tier": "gold"})
    assert web["metadata"]["otel"]["name"] == "POST /checkout"
    assert (web["start_time"], web["end_time"]) == (1790000000.0, 1790000000.002)
    (called,) = web["subsegments"]
    assert (called["name"], called["id"], called["namespace"]) == ("charge", charge.span_id.hex(), "remote")
    assert (pay["name"], pay["parent_id"], pay["fault"]) == ("pay", charge.span_id.hex(), True)
    assert pay["cause"]["exceptions"] == [{"message": "card refused"}]
    assert paid.span_id.hex() == pay["id"]


def test_the_trace_says_how_long_it_took_and_that_it_is_whole(archive: Archive, xray: XRay) -> None:
    put_shop(archive)
    (found,) = xray.ask("BatchGetTraces", TraceIds=[ID])["Traces"]
    assert (found["Id"], found["Duration"], found["LimitExceeded"]) == (ID, 0.002, False)


def test_what_x_ray_sent_comes_back_and_so_does_what_it_calls(archive: Archive, xray: XRay) -> None:
    step = subsegment(name="DynamoDB", namespace="aws", aws={"table_name": "orders"}, throttle=True, error=True)
    sent = segment(subsegments=[step], annotations={"n": 1}, metadata={"default": {"a": [1, None]}})
    archive.add(xray_wire.decode(put(sent)).otlp)
    whole, inferred = documents(xray, TRACE_ID)
    assert whole == sent
    assert (inferred["inferred"], inferred["origin"]) == (True, "AWS::DynamoDB::Table")
    assert (inferred["parent_id"], inferred["name"], inferred["aws"]) == (step["id"], "DynamoDB", step["aws"])
    assert inferred["throttle"] is True
    assert documents(xray, TRACE_ID) == [whole, inferred], "its id is the same whenever somebody asks"


@pytest.mark.parametrize(
    ("attributes", "origin", "name"),
    [
        ({"db.system.name": "postgresql", "db.query.text": "SELECT 1"}, "Database::SQL", "postgresql"),
        ({"db.system": "redis", "db.statement": "GET a"}, "remote", "redis"),
        ({"server.address": "api.example"}, "remote", "api.example"),
        ({"rpc.system": "aws-api", "rpc.method": "PutItem", "peer.service": "SQS"}, "AWS::SQS::Queue", "SQS"),
    ],
)
def test_whoever_is_called_and_sends_nothing_is_inferred(
    archive: Archive, xray: XRay, attributes: dict[str, Any], origin: str, name: str
) -> None:
    root = span("get", kind=SERVER)
    archive.add(request_of(root, span("call", parent=root.span_id, kind=CLIENT, attributes=attributes)))
    _, inferred = documents(xray)
    assert (inferred["name"], inferred["origin"], inferred["inferred"]) == (name, origin, True)


@pytest.mark.parametrize(
    ("http_status", "told"),
    [(404, {"error": True}), (429, {"error": True, "throttle": True}), (503, {"fault": True}), (200, {})],
)
def test_http_tells_whose_fault_a_failure_was(
    archive: Archive, xray: XRay, http_status: int, told: dict[str, bool]
) -> None:
    archive.add(request_of(span("get", kind=SERVER, attributes={"http.response.status_code": http_status})))
    (document,) = documents(xray)
    assert {flag: document[flag] for flag in ("error", "fault", "throttle") if flag in document} == told


def test_former_names_and_parts_of_a_url_have_the_same_place(archive: Archive, xray: XRay) -> None:
    attributes = {
        "http.method": "GET",
        "http.status_code": "200",
        "url.path": "/cart",
        "server.address": "shop.example",
    }
    archive.add(request_of(span("get", kind=SERVER, attributes=attributes)))
    (document,) = documents(xray)
    request = {"method": "GET", "url": "http://shop.example/cart"}
    assert document["http"] == {"request": request, "response": {"status": 200}}


def test_what_has_no_place_is_metadata(archive: Archive, xray: XRay) -> None:
    odd = span("odd", attributes={"a b": "c", "list": [1, "two"], "bytes": b"\0", "nan": float("nan")})
    odd.events.add(name="paused", time_unix_nano=RECEIVED_NS, attributes=[key_value("why", "lunch")])
    odd.events.add(name="exception", attributes=[key_value("exception.stacktrace", "at a\n at b"), key_value("x", 1)])
    archive.add(request_of(odd, resource={"host.name": "box", "cloud.platform": "aws_ec2"}))
    (document,) = documents(xray)
    otel = document["metadata"]["otel"]
    assert otel["attributes"] == {"a b": "c", "list": [1, "two"], "bytes": "AA=="} | {"nan": "NaN"}
    assert otel["resource"] == {"host.name": "box", "cloud.platform": "aws_ec2"}
    assert (otel["name"], otel["kind"], otel["scope"]) == ("odd", "internal", {"name": "tests"})
    assert otel["events"][0] == {"time": RECEIVED_NS / 1e9, "name": "paused", "attributes": {"why": "lunch"}}
    assert document["origin"] == "AWS::EC2::Instance"
    assert document["cause"]["exceptions"] == [{"stack": [{"label": "at a"}, {"label": "at b"}]}]


def test_clocks_that_disagree_are_shown_as_they_are(archive: Archive, xray: XRay) -> None:
    root = span("get", kind=SERVER)
    early = span("served", kind=SERVER, parent=root.span_id, start_ns=RECEIVED_NS - 5 * 10**9)
    archive.add(request_of(root, service="a"), request_of(early, service="b"))
    assert {document["name"]: document["start_time"] for document in documents(xray)} == {
        "a": RECEIVED_NS / 1e9,
        "b": RECEIVED_NS / 1e9 - 5,
    }


def test_a_client_and_a_server_with_one_id_are_two(archive: Archive, xray: XRay) -> None:
    root = span("get", kind=SERVER)
    client = span("call", parent=root.span_id, kind=CLIENT)
    server = span("answer", span_id=client.span_id, parent=root.span_id, kind=SERVER)
    inside = span("inside", parent=client.span_id)
    archive.add(request_of(root, client, service="a"), request_of(server, inside, service="b"))
    a, b = sorted(documents(xray), key=lambda document: str(document["name"]))
    assert a["subsegments"][0]["id"] == b["parent_id"] == client.span_id.hex()
    assert b["id"] != client.span_id.hex()
    assert b["subsegments"][0]["id"] == inside.span_id.hex()


def test_parents_that_go_in_a_circle_lose_nothing(archive: Archive, xray: XRay) -> None:
    a, b = bytes(7) + b"\1", bytes(7) + b"\2"
    archive.add(request_of(span("a", span_id=a, parent=b), span("b", span_id=b, parent=a)))
    (document,) = documents(xray)
    assert (document["type"], document["subsegments"][0]["id"]) == ("subsegment", document["parent_id"])


def test_an_unfinished_span_is_in_progress(archive: Archive, xray: XRay) -> None:
    begun = span("get", kind=SERVER)
    begun.end_time_unix_nano = 0
    archive.add(request_of(begun))
    (document,) = documents(xray)
    assert document["in_progress"] is True


@pytest.mark.parametrize("recording", [*RECORDINGS, "cloudtrace-otel-python", "xray-boto3-segments"])
def test_a_trace_of_any_source_is_valid_documents_of_all_its_spans(
    archive: Archive, xray: XRay, recording: str
) -> None:
    if recording.startswith("cloudtrace"):
        otlp = accepted(recorded_event(recording)).otlp
    else:
        otlp = format_of(recorded(recording)).decode(recorded(recording)).otlp
    archive.add(otlp)
    spans = [one for resource in otlp.resource_spans for scope in resource.scope_spans for one in scope.spans]
    for trace_id in {one.trace_id for one in spans}:
        todo = documents(xray, xray_trace_id(trace_id))
        todo = [document for document in todo if not document.get("inferred")]
        seen = []
        while todo:
            document = todo.pop()
            seen.append(document["id"])
            todo += document.get("subsegments", [])
        assert len(seen) == len(set(seen))
        assert set(seen) >= {one.span_id.hex() for one in spans if one.trace_id == trace_id}


def test_a_deep_and_large_trace_is_documents_of_the_size_that_x_ray_takes(archive: Archive, xray: XRay) -> None:
    chain = [span("0", kind=SERVER)]
    for number in range(1, 2000):
        chain.append(span(str(number), parent=chain[-1].span_id, attributes={"text": "x" * 100}))
    archive.add(request_of(*chain))
    (found,) = xray.ask("BatchGetTraces", TraceIds=[ID])["Traces"]
    assert not found["LimitExceeded"]
    texts = [one["Document"] for one in found["Segments"]]
    assert all(len(text) <= BYTES_MAX for text in texts)
    assert sum(text.count('"start_time"') for text in texts) == 2000
    for text in texts:
        check_document(json.loads(text))


def test_of_a_huge_trace_the_first_part_is_told_and_that_this_is_not_all(archive: Archive, xray: XRay) -> None:
    huge = [span(str(n), kind=SERVER, attributes={"text": f"{n}" + "x" * 40_000}) for n in range(60)]
    archive.add(request_of(*huge))
    reply = xray.reply("BatchGetTraces", {"TraceIds": [ID]})
    assert reply.status == 200, "an answer that boto3 would have to be sent elsewhere for"
    (found,) = reply.json["Traces"]
    assert found["LimitExceeded"]
    assert 40 < len(found["Segments"]) < 60
    assert len(reply.body) < ANSWER_BYTES


def test_unknown_traces_are_left_out_and_what_is_no_id_is_unprocessed(archive: Archive, xray: XRay) -> None:
    put_shop(archive)
    unknown = "1-5759e988-bd862e3fe1be46a994272793"
    found = xray.ask("BatchGetTraces", TraceIds=[unknown, "nonsense", ID, ID, "1-" + "0" * 8 + "-" + "0" * 24])
    assert [trace["Id"] for trace in found["Traces"]] == [ID]
    assert found["UnprocessedTraceIds"] == ["nonsense", "1-" + "0" * 8 + "-" + "0" * 24]


def test_a_trace_of_another_tenant_is_unknown(archive: Archive, xray: XRay) -> None:
    put_shop(archive)
    assert xray.ask("BatchGetTraces", tenant="other", TraceIds=[ID])["Traces"] == []


@pytest.mark.parametrize("ids", [None, [], ["1"] * 6, [1], "1", ["x" * 36]])
def test_ids_that_no_call_takes_are_refused(xray: XRay, ids: Any) -> None:
    status, code, message = xray.refusal("BatchGetTraces", TraceIds=ids)
    assert (status, code) == (400, "InvalidRequestException")
    assert "traceIds" in message


def test_what_is_no_object_is_refused(xray: XRay) -> None:
    assert xray.reply("BatchGetTraces", []).headers["x-amzn-errortype"] == "InvalidRequestException"


class TestBoto3:
    def test_traces_are_read_back(self, archive: Archive) -> None:
        put_shop(archive)
        with boto3_of(archive) as client:
            (found,) = client.batch_get_traces(TraceIds=[ID])["Traces"]
        assert [json.loads(one["Document"])["name"] for one in found["Segments"]] == ["web", "pay"]

    def test_large_traces_come_page_by_page(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(traces, "PAGE_BYTES", 1000)
        ids = [bytes(15) + bytes([number]) for number in range(1, 6)]
        archive.add(*(request_of(span("a", trace_id=one, attributes={"text": "x" * 600})) for one in ids))
        with boto3_of(archive) as client:
            pages = list(client.get_paginator("batch_get_traces").paginate(TraceIds=list(map(xray_trace_id, ids))))
        told = [[trace["Id"] for trace in page["Traces"]] for page in pages]
        assert [len(page) for page in told] == [2, 2, 1]
        assert [one for page in told for one in page] == list(map(xray_trace_id, ids))
