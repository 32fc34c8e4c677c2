"""Traces of several sources, for tests of what X-Ray's API answers about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.wire.xray import endpoint as wire
from tests.archive import Archive
from tests.builders import RECEIVED_NS, request_of, span
from tests.wire.xray_sending import put
from tests.xray_asking import XRay

SECOND_NS = 10**9
NOW_S = RECEIVED_NS / SECOND_NS
RANGE: dict[str, Any] = {"StartTime": NOW_S - 60, "EndTime": NOW_S + 60}
ERROR = Status(code=Status.STATUS_CODE_ERROR)
SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT

# What the developer guide's page has an example of, in words and values of our own.
ANSWERED = [
    "responsetime > 5",
    "duration >= 5 AND duration <= 8",
    "ok",
    "!ok",
    "ok = false",
    "ok !partial duration <3",
    "http.status != 200",
    'http.url CONTAINS "/cart/"',
    'user CONTAINS ""',
    "http.url AND responseTime > 2",
    'http.url BEGINSWITH "https://shop.test/" AND http.url CONTAINS "/v2/" AND !service("shop.test")',
    'annotation.plan = "gold"',
    "annotation.items",
    "!annotation.items",
    "annotation[items.count] > 29",
    'service("cart") { fault }',
    "service() { fault }",
    'service("pay") {root = true and fault = true}',
    'service("pay") { fault = true OR responsetime > 2.5 } AND annotation.account = "12345"',
    'edge("shop.test", "pay.test") { error }',
    'service(id(name: "resize", type: "AWS::Lambda::Function")) { error }',
    'service(id(type: "AWS::Lambda::Function")) { error }',
    'service(id(account.id: "123456789012"))',
    'edge(id(name: "a", type:"AWS::EC2::Instance"), id(name: "b", type:"AWS::SNS")) { ok }',
    'rootcause.fault.service { name = "Auth" }',
    'rootcause.fault.service { inferred and name = users and type = "AWS::DynamoDB" }',
    'rootcause.fault.entity { last and name = "decode" }',
    'rootcause.responsetime.entity { remote and coverage > 0.7 and name = "users" }',
    "rootcause.responsetime.entity { last and coverage > 0.8 }",
    'rootcause.responsetime.service { last and type = "AWS::DynamoDB" }',
    'rootcause.fault.exception { last and message = "No access for 123456789012" }',
    'instance.id = "i-0123" OR availabilityzone ENDSWITH "2a" OR resource.arn CONTAINS ":lambda:"',
    'http.method = "GET" http.useragent BEGINSWITH "curl" http.clientip = "192.0.2.7"',
    "throttle OR error OR inferred",
]


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def xray_id(number: int) -> str:
    return f"1-00000000-{number:024x}"


def put_documents(archive: Archive, *documents: Mapping[str, Any]) -> None:
    accepted = wire.decode(put(*documents))
    assert not accepted.refused
    archive.add(accepted.otlp)


def put_sources(archive: Archive) -> None:
    """Traces 1, 2 and 3, each of another source."""
    _put_xray(archive)
    _put_opentelemetry(archive)
    _put_former_convention(archive)


def _put_xray(archive: Archive) -> None:
    """1: an X-Ray client's, of shop, with a fault that DynamoDB's call had."""
    get_item = {
        "id": "b" * 16,
        "name": "DynamoDB",
        "namespace": "aws",
        "start_time": NOW_S + 0.1,
        "end_time": NOW_S + 0.9,
    }
    cause = {"exceptions": [{"id": "c" * 16, "type": "Throttled", "message": "too much"}]}
    document = {
        "trace_id": xray_id(1),
        "id": "a" * 16,
        "name": "shop",
        "start_time": NOW_S,
        "end_time": NOW_S + 1,
        "fault": True,
        "user": "alice",
        "origin": "AWS::EC2::Instance",
        "resource_arn": "arn:aws:ec2:eu-central-1:123456789012:instance/i-01",
        "aws": {"account_id": "123456789012", "ec2": {"instance_id": "i-01", "availability_zone": "eu-central-1a"}},
        "http": {
            "request": {
                "method": "POST",
                "url": "https://shop.test/cart",
                "client_ip": "192.0.2.7",
                "user_agent": "curl/8",
            },
            "response": {"status": 502},
        },
        "annotations": {"plan": "gold", "items": 30, "beta": False},
        "subsegments": [
            {**get_item, "fault": True, "cause": cause, "aws": {"operation": "GetItem", "table_name": "t"}}
        ],
    }
    put_documents(archive, document)


def _put_opentelemetry(archive: Archive) -> None:
    """2: of web, which calls pay, where it fails; nobody that asked saw that."""
    web = span(
        "GET /cart",
        trace_id=trace_id(2),
        kind=SERVER,
        start_ns=RECEIVED_NS + 2 * SECOND_NS,
        duration_ns=3 * SECOND_NS,
        attributes={
            "http.request.method": "GET",
            "url.path": "/cart/7",
            "http.response.status_code": 200,
            "plan": "free",
        },
    )
    call = span("call", trace_id=trace_id(2), parent=web.span_id, kind=CLIENT, start_ns=RECEIVED_NS + 3 * SECOND_NS)
    paid = span(
        "POST /pay",
        trace_id=trace_id(2),
        parent=call.span_id,
        kind=SERVER,
        start_ns=RECEIVED_NS + 3 * SECOND_NS,
        status=ERROR,
        attributes={"user.id": "bob"},
    )
    archive.add(request_of(web, call, service="web"), request_of(paid, service="pay"))


def _put_former_convention(archive: Archive) -> None:
    """3: with an error, of cron, without a root."""
    former = {
        "http.method": "GET",
        "http.url": "https://cron.test/sweep",
        "http.status_code": "429",
        "enduser.id": "carol",
    }
    sweep = span(
        "sweep", trace_id=trace_id(3), parent=b"missing.", start_ns=RECEIVED_NS + 10 * SECOND_NS, attributes=former
    )
    archive.add(request_of(sweep, service="cron", resource={"cloud.platform": "aws_lambda"}))


def found(xray: XRay, expression: str | None = None, **members: Any) -> list[int]:
    """The numbers of the traces, in their order."""
    asked = {**RANGE, **({} if expression is None else {"FilterExpression": expression}), **members}
    told = xray.ask("GetTraceSummaries", **asked)
    assert "NextToken" not in told
    return [int(one["Id"][-4:], 16) for one in told["TraceSummaries"]]
