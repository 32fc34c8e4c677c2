"""X-Ray's segments and subsegments as OTLP spans."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.wire.xray import endpoint as xray
from spandrel.wire.xray.fields import nanoseconds

from .values import attributes
from .xray_sending import END_S, SEGMENT_ID, alone, put, segment, span_of, spans_of, subsegment

FRAME = {"path": "Cart.java", "line": 42, "label": "pay"}


def resource_of(document: dict[str, Any]) -> dict[str, Any]:
    return attributes(xray.decode(put(document)).otlp.resource_spans[0].resource)


def test_a_segment_is_a_server_span_of_the_service_that_it_names() -> None:
    span = span_of(segment())
    assert (span.name, span.kind) == ("shop", Span.SPAN_KIND_SERVER)
    assert span.trace_id.hex() == "581cf771a006649127e371903a2de979"
    assert span.span_id.hex() == SEGMENT_ID
    assert span.parent_span_id == b""
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1478293361271000000, 1478293361449000000)
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert resource_of(segment()) == {"service.name": "shop"}


def test_the_parent_of_a_segment_is_its_callers_subsegment() -> None:
    assert span_of(segment(parent_id="53995c3f42cd8ad8")).parent_span_id.hex() == "53995c3f42cd8ad8"


def test_a_trace_id_of_w3c_names_the_same_trace() -> None:
    assert span_of(segment(trace_id="581cf771a006649127e371903a2de979")).trace_id == span_of(segment()).trace_id


def test_embedded_subsegments_are_spans_below_what_they_stand_in() -> None:
    inner = subsegment(id="0f910026178b71eb", name="inner")
    middle = subsegment(id="0e58d2918e9038e8", name="middle", subsegments=[inner])
    accepted = xray.decode(put(segment(subsegments=[middle, subsegment(name="second")])))
    parents = {span.name: span.parent_span_id.hex() for span in spans_of(accepted)}
    assert parents == {"shop": "", "middle": SEGMENT_ID, "second": SEGMENT_ID, "inner": "0e58d2918e9038e8"}
    assert {span.trace_id.hex() for span in spans_of(accepted)} == {"581cf771a006649127e371903a2de979"}
    assert [attributes(found.resource) for found in accepted.otlp.resource_spans] == [{"service.name": "shop"}]


@pytest.mark.parametrize(
    ("namespace", "kind"), [("remote", "CLIENT"), ("aws", "CLIENT"), ("local", "INTERNAL"), ("", "INTERNAL")]
)
def test_the_namespace_says_whether_a_subsegment_calls_another_service(namespace: str, kind: str) -> None:
    for document in (alone(namespace=namespace), segment(subsegments=[subsegment(namespace=namespace)])):
        span = spans_of(xray.decode(put(document)))[-1]
        assert Span.SpanKind.Name(span.kind) == f"SPAN_KIND_{kind}"
        assert attributes(span).get("service.peer.name") == ("step" if kind == "CLIENT" else None)


class TestSentAlone:
    """Subsegments that are a document of their own, as SDKs stream them."""

    def test_it_is_a_span_below_its_parent_and_says_no_service(self) -> None:
        span = span_of(alone())
        assert (span.kind, span.parent_span_id.hex()) == (Span.SPAN_KIND_INTERNAL, SEGMENT_ID)
        assert resource_of(alone()) == {}

    def test_it_has_the_service_of_its_parent_that_comes_with_it(self) -> None:
        below = alone(id="0f910026178b71eb", parent_id="53995c3f42cd8ad8")
        for documents in ([below, alone(), segment()], [segment(), alone(), below]):
            accepted = xray.decode(put(*documents))
            assert [attributes(found.resource) for found in accepted.otlp.resource_spans] == [{"service.name": "shop"}]
            assert accepted.spans == 3

    def test_a_segment_of_another_trace_is_not_its_parent(self) -> None:
        accepted = xray.decode(put(alone(), segment(trace_id="1-581cf771-a006649127e371903a2de970")))
        assert attributes(accepted.otlp.resource_spans[0].resource) == {}

    def test_a_circle_of_parents_has_no_service_and_no_end(self) -> None:
        first, second = alone(parent_id="0f910026178b71eb"), alone(id="0f910026178b71eb", parent_id="53995c3f42cd8ad8")
        accepted = xray.decode(put(first, second, alone(parent_id="53995c3f42cd8ad8")))
        assert [attributes(found.resource) for found in accepted.otlp.resource_spans] == [{}]


def test_spans_of_the_same_resource_stand_together() -> None:
    documents = [segment(id=f"{n:016x}", origin=f"AWS::{n % 2}") for n in range(1, 7)]
    accepted = xray.decode(put(*documents))
    assert [len(found.scope_spans[0].spans) for found in accepted.otlp.resource_spans] == [3, 3]


class TestInProgress:
    def test_what_is_in_progress_has_no_end(self) -> None:
        span = span_of(segment(in_progress=True, end_time=...))
        assert span.end_time_unix_nano == 0
        assert attributes(span) == {"aws.xray.in_progress": True}

    def test_a_finished_copy_is_the_same_span_with_an_end(self) -> None:
        begun, done = span_of(segment(in_progress=True, end_time=...)), span_of(segment(in_progress=False))
        assert (begun.trace_id, begun.span_id, begun.kind) == (done.trace_id, done.span_id, done.kind)
        assert done.end_time_unix_nano > begun.end_time_unix_nano
        assert attributes(done) == {}

    def test_an_end_of_what_is_in_progress_does_not_count(self) -> None:
        span = span_of(segment(in_progress=True))
        assert span.end_time_unix_nano == 0
        assert json.loads(attributes(span)["aws.xray.other"]) == {"end_time": END_S}


@pytest.mark.parametrize(
    ("seconds", "expected_ns"),
    [
        (0, 0),
        (1478293361, 1478293361 * 10**9),
        (1478293361.271, 1478293361271000000),
        (1.478293361271e9, 1478293361271000000),
        (1795341444.9956872, 1795341444995687200),
        (1461096053.37518, 1461096053375180000),
        (0.000001, 1000),
        (0.1 + 0.2, 300000000),
        (1e-10, 0),
        (1e10, 10**19),
    ],
)
def test_times_are_those_that_the_client_wrote(seconds: float, expected_ns: int) -> None:
    assert nanoseconds(seconds) == expected_ns


class TestAttributes:
    def test_http_has_the_names_of_the_semantic_conventions(self) -> None:
        request = {"method": "POST", "url": "https://a.example/b?c", "user_agent": "curl/8", "client_ip": "203.0.113.9"}
        response = {"status": 503, "content_length": -1}
        extra = {"x_forwarded_for": True, "traced": False}
        assert attributes(span_of(segment(http={"request": request | extra, "response": response}))) == {
            "http.request.method": "POST",
            "url.full": "https://a.example/b?c",
            "user_agent.original": "curl/8",
            "client.address": "203.0.113.9",
            "aws.xray.http.request.x_forwarded_for": True,
            "aws.xray.http.request.traced": False,
            "http.response.status_code": 503,
            "http.response.body.size": -1,
        }

    def test_numbers_of_http_that_are_sent_as_text_are_numbers(self) -> None:
        http = {"response": {"status": "200", "content_length": "86"}}
        assert attributes(span_of(segment(http=http))) == {
            "http.response.status_code": 200,
            "http.response.body.size": 86,
        }

    def test_a_value_of_another_type_keeps_its_own_name(self) -> None:
        http = {"request": {"method": 5, "url": True}, "response": {"status": "OK", "content_length": 1.5}}
        assert attributes(span_of(segment(http=http))) == {
            "aws.xray.http.request.method": 5,
            "aws.xray.http.request.url": True,
            "aws.xray.http.response.status": "OK",
            "aws.xray.http.response.content_length": 1.5,
        }

    def test_an_aws_call_says_what_it_called(self) -> None:
        aws = {"operation": "PutItem", "region": "us-east-1", "request_id": "ABC", "table_name": "carts", "retries": 2}
        assert attributes(span_of(alone(name="DynamoDB", namespace="aws", aws=aws))) == {
            "service.peer.name": "DynamoDB",
            "aws.xray.namespace": "aws",
            "rpc.method": "PutItem",
            "cloud.region": "us-east-1",
            "aws.request_id": "ABC",
            "aws.dynamodb.table_names": ["carts"],
            "aws.xray.aws.retries": 2,
        }

    def test_the_account_of_a_segment_is_where_it_ran_and_of_a_subsegment_whom_it_called(self) -> None:
        aws = {"account_id": "123456789012"}
        assert resource_of(segment(aws=aws)) == {"service.name": "shop", "cloud.account.id": "123456789012"}
        assert attributes(span_of(alone(aws=aws))) == {"aws.xray.aws.account_id": "123456789012"}

    def test_where_a_segment_ran_is_its_resource(self) -> None:
        aws = {
            "ec2": {"instance_id": "i-0b5a", "availability_zone": "us-west-2c", "vpc": "vpc-1"},
            "xray": {"sdk": "X-Ray for Java", "sdk_version": "2.11.0", "auto_instrumentation": False},
            "elastic_beanstalk": {"deployment_id": 406},
            "cloudwatch_logs": [{"log_group": "g"}],
        }
        service = {"version": "7", "runtime": "CPython", "compiler": "gc"}
        found = resource_of(segment(origin="AWS::EC2::Instance", resource_arn="arn:1", aws=aws, service=service))
        assert json.loads(found.pop("aws.xray.other")) == {"aws": {"cloudwatch_logs": [{"log_group": "g"}]}}
        assert found == {
            "service.name": "shop",
            "service.version": "7",
            "process.runtime.name": "CPython",
            "aws.xray.service.compiler": "gc",
            "aws.xray.origin": "AWS::EC2::Instance",
            "aws.xray.resource_arn": "arn:1",
            "host.id": "i-0b5a",
            "cloud.availability_zone": "us-west-2c",
            "aws.xray.aws.ec2.vpc": "vpc-1",
            "telemetry.sdk.name": "X-Ray for Java",
            "telemetry.sdk.version": "2.11.0",
            "aws.xray.aws.xray.auto_instrumentation": False,
            "aws.xray.aws.elastic_beanstalk.deployment_id": 406,
        }

    def test_annotations_are_attributes_of_their_own_names_and_types(self) -> None:
        annotations = {"order_id": 42, "tier": "gold", "beta": True, "share": 0.5, "dotted.key": "x"}
        found = attributes(span_of(segment(annotations=annotations)))
        assert found.pop("aws.xray.annotations") == list(annotations)
        assert found == annotations

    def test_an_annotation_cannot_pass_for_something_else(self) -> None:
        annotations = {"http.request.method": "PUT", "aws.xray.fault": True, "": "no name"}
        found = attributes(span_of(segment(annotations=annotations, http={"request": {"method": "GET"}})))
        names = [f"aws.xray.annotation.{key}" for key in annotations]
        assert found.pop("aws.xray.annotations") == names
        assert found == {"http.request.method": "GET", **dict(zip(names, annotations.values(), strict=True))}

    def test_metadata_is_kept_by_namespace_as_json(self) -> None:
        metadata = {"shop": {"cart": {"items": [1, 2.5, None, {"sku": "Ω"}]}}, "default": "text", "": []}
        assert attributes(span_of(segment(metadata=metadata))) == {
            "aws.xray.metadata.shop": '{"cart":{"items":[1,2.5,null,{"sku":"Ω"}]}}',
            "aws.xray.metadata.default": '"text"',
            "aws.xray.metadata.": "[]",
        }

    def test_what_nobody_documented_is_kept_too(self) -> None:
        unknown = {"Dummy": "x", "http": {"request": {"odd": [1, {"a": None}], "x.y": 1}}, "big": 2**70, "other": 1}
        found = attributes(span_of(segment(**unknown)))
        assert json.loads(found.pop("aws.xray.other")) == {key: unknown[key] for key in ("http", "big", "other")}
        assert found == {"aws.xray.Dummy": "x"}

    def test_what_says_nothing_is_let_go(self) -> None:
        document = segment(http={}, aws={"ec2": {}}, service={}, cause={}, annotations={}, metadata={}, user=None)
        assert attributes(span_of(document)) == {}
        assert resource_of(document) == {"service.name": "shop"}
        assert span_of(document).status.code == Status.STATUS_CODE_UNSET

    def test_the_ids_of_finished_siblings_and_the_user_are_kept(self) -> None:
        assert attributes(span_of(segment(user="zoe", precursor_ids=["aa", "bb"]))) == {
            "enduser.id": "zoe",
            "aws.xray.precursor_ids": ["aa", "bb"],
        }


class TestFailures:
    @pytest.mark.parametrize(
        "failures", [["error"], ["fault"], ["throttle"], ["error", "throttle"], ["error", "fault"]]
    )
    def test_error_fault_and_throttle_are_errors_and_told_apart(self, failures: list[str]) -> None:
        span = span_of(segment(**dict.fromkeys(failures, True)))
        assert span.status.code == Status.STATUS_CODE_ERROR
        assert attributes(span) == {f"aws.xray.{failure}": True for failure in failures}

    def test_a_false_failure_is_none(self) -> None:
        assert span_of(segment(error=False, fault=False, throttle=False)).status.code == Status.STATUS_CODE_UNSET

    def test_each_exception_of_a_cause_is_an_event(self) -> None:
        first = {"id": "3aac827dbd083cc2", "message": "card declined", "type": "CardError", "stack": [FRAME, FRAME]}
        second = {"message": "timed out", "remote": True, "truncated": 3, "skipped": 1, "cause": "3aac827dbd083cc2"}
        cause = {"working_directory": "/srv", "paths": ["a", "b"], "exceptions": [first, second]}
        span = span_of(segment(fault=True, cause=cause))
        assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "card declined")
        assert [(event.name, event.time_unix_nano) for event in span.events] == [
            ("exception", span.end_time_unix_nano),
            ("exception", span.end_time_unix_nano),
        ]
        assert attributes(span.events[0]) == {
            "exception.type": "CardError",
            "exception.message": "card declined",
            "exception.stacktrace": "at pay (Cart.java:42)\nat pay (Cart.java:42)",
            "aws.xray.exception.id": "3aac827dbd083cc2",
            "aws.xray.exception.stack": json.dumps([FRAME, FRAME], separators=(",", ":")),
        }
        assert attributes(span.events[1]) == {
            "exception.message": "timed out",
            "aws.xray.exception.remote": True,
            "aws.xray.exception.truncated": 3,
            "aws.xray.exception.skipped": 1,
            "aws.xray.exception.cause": "3aac827dbd083cc2",
        }
        assert attributes(span) == {
            "aws.xray.fault": True,
            "aws.xray.cause.working_directory": "/srv",
            "aws.xray.cause.paths": ["a", "b"],
        }

    def test_a_cause_may_name_an_exception_elsewhere(self) -> None:
        span = span_of(segment(error=True, cause="3aac827dbd083cc2"))
        assert attributes(span) == {"aws.xray.error": True, "aws.xray.cause": "3aac827dbd083cc2"}
        assert not span.events

    def test_the_exceptions_of_what_is_in_progress_are_at_its_start(self) -> None:
        span = span_of(segment(in_progress=True, end_time=..., cause={"exceptions": [{"message": "so far"}]}))
        assert span.events[0].time_unix_nano == span.start_time_unix_nano


class TestLinks:
    def test_links_name_spans_of_other_traces(self) -> None:
        link = {
            "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
            "id": "defdfd9912dc5a56",
            "attributes": {"why": "retry"},
        }
        (found,) = span_of(segment(links=[link])).links
        assert found.trace_id.hex() == "5759e988bd862e3fe1be46a994272793"
        assert found.span_id.hex() == "defdfd9912dc5a56"
        assert attributes(found) == {"why": "retry"}

    @pytest.mark.parametrize("links", ["x", [None], [{"id": SEGMENT_ID}], [{"trace_id": 1, "id": 2}], {}])
    def test_links_in_another_form_are_kept_as_they_are(self, links: Any) -> None:
        span = span_of(segment(links=links))
        assert not span.links
        assert json.loads(attributes(span)["aws.xray.other"]) == {"links": links}


def test_half_a_surrogate_pair_loses_no_document() -> None:
    odd = "cut \ud83d"
    document = segment(name=odd, origin=odd, annotations={odd: odd}, metadata={odd: {odd: odd}}, user=odd)
    accepted = xray.decode(put(document))
    assert not accepted.refused
    assert spans_of(accepted)[0].name == "cut \ufffd"
    resource = attributes(accepted.otlp.resource_spans[0].resource)
    assert resource == {"service.name": "cut \ufffd", "aws.xray.origin": "cut \ufffd"}
