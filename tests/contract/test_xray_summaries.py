"""GetTraceSummaries as its clients ask it: which traces a filter is true of, what is told of each, and the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.api.xray import summaries
from spandrel.wire.xray import endpoint as wire
from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS, request_of, span
from tests.wire.xray_sending import put
from tests.xray_asking import XRay, boto3_of, xray_of

SECOND_NS = 10**9
NOW_S = RECEIVED_NS / SECOND_NS
RANGE = {"StartTime": NOW_S - 60, "EndTime": NOW_S + 60}
ERROR = Status(code=Status.STATUS_CODE_ERROR)
SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def xray_id(number: int) -> str:
    return f"1-00000000-{number:024x}"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as archive:
        yield archive


@pytest.fixture
def xray(archive: Archive) -> XRay:
    return xray_of(archive, RECEIVED_NS)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XRay]:
    """What `put_sources` puts, for tests that only ask."""
    with archive_in(tmp_path_factory.mktemp("sources")) as archive:
        put_sources(archive)
        yield xray_of(archive, RECEIVED_NS)


def put_documents(archive: Archive, *documents: Mapping[str, Any]) -> None:
    accepted = wire.decode(put(*documents))
    assert not accepted.refused
    archive.add(accepted.otlp)


def put_sources(archive: Archive) -> None:
    """1: an X-Ray client's, of shop, with a fault that DynamoDB's call had. 2: OpenTelemetry's, of web, which calls
    pay, where it fails; nobody that asked saw that. 3: of a former convention, with an error, of cron and without a root.
    """
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


@pytest.mark.parametrize(
    ("expression", "traces"),
    [
        ("ok", [2]),
        ("!ok", [3, 1]),
        ("ok = false", [3, 1]),
        ("fault", [1]),
        ("fault != true", [3, 2]),
        ("error", [3]),
        ("throttle", [3]),
        ("responsetime > 2", [2]),
        ("duration >= 1 AND duration <= 2.5", [1]),
        ("http.status", [3, 2, 1]),
        ("http.status = 429", [3]),
        ("http.status != 200", [3, 1]),
        ("http.status >= 429", [3, 1]),
        ("http.status < 300 OR http.status > 500", [2, 1]),
        ('http.url CONTAINS "/cart"', [2, 1]),
        ('http.url BEGINSWITH "https://"', [3, 1]),
        ('http.url ENDSWITH "7"', [2]),
        ('http.method = "GET" ok', [2]),
        ('http.useragent BEGINSWITH "curl" http.clientip = "192.0.2.7"', [1]),
        ('user CONTAINS ""', [3, 2, 1]),
        ("user = bob", [2]),
        ('user != "alice"', [3, 2]),
        ("!user = alice", [3, 2]),
        ('instance.id = "i-01" availabilityzone = "eu-central-1a" resource.arn CONTAINS ":instance/"', [1]),
        ("annotation.plan", [2, 1]),
        ("!annotation.plan", [3]),
        ('annotation.plan = "gold"', [1]),
        ('annotation[plan] != "gold"', [2]),
        ("annotation.items > 29", [1]),
        ("annotation.items > 30", []),
        ("annotation.beta", []),
        ("annotation.beta = false", [1]),
        ("service() { fault }", [2, 1]),
        ('service("pay") { fault }', [2]),
        ('service("pay") { ok }', []),
        ('!service("pay")', [3, 1]),
        ("service() { root and fault }", [1]),
        ("service() { !root and fault }", [2, 1]),
        ('service("DynamoDB") { inferred and fault }', [1]),
        ('service(id(type: "AWS::DynamoDB::Table"))', [1]),
        ('service(id(name: "shop", type: "AWS::EC2::Instance"))', [1]),
        ('service(id(type: "AWS::Lambda::Function")) { error }', [3]),
        ('service(id(account.id: "123456789012"))', [1]),
        ('edge("web", "pay")', [2]),
        ('edge("web", "pay") { error }', []),
        ('edge("pay", "web")', []),
        ('edge("shop", "DynamoDB") { fault }', [1]),
        ('edge(id(type: "client"), "web") { ok }', [2]),
        ("inferred", [1]),
        ('rootcause.fault.service { name = "shop" }', [1]),
        ('rootcause.fault.service { name = "pay" }', []),  # web was fine, so pay is nobody's root cause
        ('rootcause.fault.service { last and inferred and type = "AWS::DynamoDB" }', [1]),
        ('rootcause.fault.entity { first and name = "shop" }', [1]),
        ('rootcause.fault.entity { last and name = "shop" }', []),
        ('rootcause.fault.entity { last and remote and name = "DynamoDB" }', [1]),
        ('rootcause.fault.exception { last and message = "too much" and name BEGINSWITH "Thr" }', [1]),
        ("rootcause.error.service", [3]),
        ("rootcause.responsetime.entity { coverage > 0.7 and remote }", [1]),
        ("rootcause.responsetime.service { last and name = web }", [2]),
        ('ok OR service("DynamoDB")', [2, 1]),
        ('!(ok OR service("DynamoDB"))', [3]),
        ('!(fault AND service("DynamoDB"))', [3, 2]),
        ('fault AND user = "bob"', []),
        (" ", [3, 2, 1]),
    ],
)
def test_a_filter_finds_traces_of_any_source(sources: XRay, expression: str, traces: list[int]) -> None:
    assert found(sources, expression) == traces


def test_partial_is_what_is_in_progress(archive: Archive, xray: XRay) -> None:
    open_segment = {"trace_id": xray_id(7), "id": "a" * 16, "name": "shop", "start_time": NOW_S, "in_progress": True}
    put_documents(archive, open_segment)
    assert (found(xray, "partial"), found(xray, "!partial")) == ([7], [])
    (told,) = xray.ask("GetTraceSummaries", **RANGE)["TraceSummaries"]
    assert (told["IsPartial"], told["Duration"], "ResponseTime" in told) == (True, 0, False)
    put_documents(archive, {**open_segment, "in_progress": False, "end_time": NOW_S + 2})
    assert (found(xray, "partial"), found(xray, "!partial")) == ([], [7])


def test_a_summary_of_x_rays_own_says_all_that_the_documents_do(sources: XRay) -> None:
    *_, told = sources.ask("GetTraceSummaries", **RANGE)["TraceSummaries"]
    shop = {"Name": "shop", "Names": ["shop"], "Type": "AWS::EC2::Instance", "AccountId": "123456789012"}
    table = {"Name": "DynamoDB", "Names": ["DynamoDB"], "Type": "AWS::DynamoDB::Table"}
    path = [
        {"Name": "shop", "Remote": False, "Exceptions": []},
        {"Name": "DynamoDB", "Remote": True, "Exceptions": [{"Name": "Throttled", "Message": "too much"}]},
    ]
    slow = [{"Name": "shop", "Remote": False, "Coverage": 1.0}, {"Name": "DynamoDB", "Remote": True, "Coverage": 0.8}]

    def cause(entities: list[dict[str, Any]]) -> dict[str, Any]:
        inferred = {**table, "EntityPath": [{"Name": "DynamoDB", "Remote": False}], "Inferred": True}
        return {"Services": [{**shop, "EntityPath": entities, "Inferred": False}, inferred], "ClientImpacting": True}

    (slowness,) = told.pop("ResponseTimeRootCauses")
    for entity in slowness["Services"][0]["EntityPath"]:
        entity["Coverage"] = round(entity["Coverage"], 6)
    assert slowness == cause(slow)
    assert told == {
        "Id": xray_id(1),
        "StartTime": NOW_S,
        "Duration": 1.0,
        "ResponseTime": 1.0,
        "HasFault": True,
        "HasError": False,
        "HasThrottle": False,
        "IsPartial": False,
        "Http": {
            "HttpURL": "https://shop.test/cart",
            "HttpStatus": 502,
            "HttpMethod": "POST",
            "UserAgent": "curl/8",
            "ClientIp": "192.0.2.7",
        },
        "Annotations": {
            "plan": [{"AnnotationValue": {"StringValue": "gold"}, "ServiceIds": [shop]}],
            "items": [{"AnnotationValue": {"NumberValue": 30.0}, "ServiceIds": [shop]}],
            "beta": [{"AnnotationValue": {"BooleanValue": False}, "ServiceIds": [shop]}],
        },
        "Users": [{"UserName": "alice", "ServiceIds": [shop]}],
        "ServiceIds": [shop, table],
        "ResourceARNs": [{"ARN": "arn:aws:ec2:eu-central-1:123456789012:instance/i-01"}],
        "InstanceIds": [{"Id": "i-01"}],
        "AvailabilityZones": [{"Name": "eu-central-1a"}],
        "EntryPoint": shop,
        "FaultRootCauses": [cause(path)],
        "ErrorRootCauses": [],
        "Revision": 2,
    }


def test_a_summary_of_another_source_says_the_same_of_it(sources: XRay) -> None:
    cron, web, _ = sources.ask("GetTraceSummaries", **RANGE)["TraceSummaries"]
    assert (web["HasFault"], web["HasError"], web["Duration"], web["ResponseTime"]) == (False, False, 3.0, 3.0)
    assert web["Http"] == {"HttpURL": "/cart/7", "HttpStatus": 200, "HttpMethod": "GET"}
    assert [one["Name"] for one in web["ServiceIds"]] == ["web", "pay"]
    assert [one["UserName"] for one in web["Users"]] == ["bob"]
    assert web["Annotations"]["plan"] == [
        {"AnnotationValue": {"StringValue": "free"}, "ServiceIds": [{"Name": "web", "Names": ["web"]}]}
    ]
    assert (cron["HasError"], cron["HasThrottle"], cron["HasFault"]) == (True, True, False)
    assert cron["EntryPoint"] == {"Name": "cron", "Names": ["cron"], "Type": "AWS::Lambda::Function"}
    assert cron["Http"]["HttpStatus"] == 429


@pytest.mark.parametrize("status", [Status(), ERROR])
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        *({"http.response.status_code": code} for code in (200, 302, 404, 429, 500)),
        *({"http.status_code": code} for code in ("200", "404", "503", "99", "4040")),
        {"aws.xray.error": True},
        {"aws.xray.throttle": True},
        {"aws.xray.fault": True, "http.response.status_code": 400},
        {"http.response.status_code": 200, "http.status_code": 500},
    ],
)
def test_what_is_told_is_what_a_filter_asks(
    archive: Archive, xray: XRay, attributes: dict[str, Any], status: Status
) -> None:
    archive.add(request_of(span("a", kind=SERVER, attributes=attributes, status=status)))
    (told,) = xray.ask("GetTraceSummaries", **RANGE)["TraceSummaries"]
    asked = {keyword: found(xray, keyword) == [1] for keyword in ("error", "fault", "throttle", "ok")}
    flags = {"error": told["HasError"], "fault": told["HasFault"], "throttle": told["HasThrottle"]}
    assert asked == {**flags, "ok": not (flags["error"] or flags["fault"])}


class TestTimes:
    @pytest.fixture
    def long_ago(self, archive: Archive) -> None:
        """A trace of 100 seconds: its root, a segment in its middle, and something inside of that at its end."""
        root = span("root", kind=SERVER, duration_ns=100 * SECOND_NS)
        middle = span("middle", kind=SERVER, parent=root.span_id, start_ns=RECEIVED_NS + 50 * SECOND_NS)
        end = span("end", parent=middle.span_id, start_ns=RECEIVED_NS + 90 * SECOND_NS)
        archive.add(request_of(root, middle, end))

    @pytest.mark.parametrize(
        ("by", "seconds"), [("TraceId", {0}), (None, {0}), ("Service", {0, 50}), ("Event", {0, 50, 90})]
    )
    def test_a_trace_is_placed_by_its_entry_its_segments_or_all(
        self, xray: XRay, long_ago: None, by: str | None, seconds: set[int]
    ) -> None:
        kind = {"TimeRangeType": by} if by else {}
        for second in (0, 50, 90):
            at = NOW_S + second
            assert bool(found(xray, "ok", StartTime=at, EndTime=at + 1, **kind)) is (second in seconds)
            assert bool(found(xray, StartTime=at, EndTime=at + 1, **kind)) is (second in seconds)

    def test_the_end_is_not_in_the_range(self, xray: XRay, long_ago: None) -> None:
        assert found(xray, StartTime=NOW_S - 1, EndTime=NOW_S) == []

    def test_an_event_says_when_it_was(self, xray: XRay, long_ago: None) -> None:
        (told,) = xray.ask("GetTraceSummaries", **RANGE, TimeRangeType="Event")["TraceSummaries"]
        assert told["MatchedEventTime"] == NOW_S + 50
        (told,) = xray.ask("GetTraceSummaries", **RANGE)["TraceSummaries"]
        assert "MatchedEventTime" not in told

    @pytest.mark.parametrize(
        ("members", "said"),
        [
            ({"StartTime": NOW_S}, "'endTime'"),
            ({"StartTime": NOW_S, "EndTime": NOW_S}, "before the end"),
            ({"StartTime": NOW_S - 32 * 86400, "EndTime": NOW_S}, "744"),
            ({**RANGE, "TimeRangeType": "Day"}, "'timeRangeType'"),
            ({**RANGE, "FilterExpression": "ok AND"}, "Invalid filter expression"),
            ({**RANGE, "FilterExpression": 5}, "'filterExpression'"),
            ({**RANGE, "NextToken": "x"}, "NextToken"),
            ({**RANGE, "SamplingStrategy": {"Name": "Half"}}, "'name'"),
            ({**RANGE, "SamplingStrategy": {"Name": "FixedRate"}}, "Value"),
            ({**RANGE, "SamplingStrategy": {"Name": "FixedRate", "Value": 1.5}}, "Value"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, xray: XRay, members: dict[str, Any], said: str) -> None:
        status, code, message = xray.refusal("GetTraceSummaries", **members)
        assert (status, code) == (400, "InvalidRequestException")
        assert said in message


class TestPages:
    @staticmethod
    def put(archive: Archive, *numbers: int, at_s: int | None = None) -> None:
        archive.add(
            *(
                request_of(
                    span(
                        "a",
                        trace_id=trace_id(number),
                        start_ns=RECEIVED_NS + (number if at_s is None else at_s) * SECOND_NS,
                    )
                )
                for number in numbers
            )
        )

    def test_each_trace_comes_once_newest_first_while_others_arrive(
        self, archive: Archive, xray: XRay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(summaries, "SUMMARIES_MAX", 2)
        self.put(archive, 1, 2, 3, 5)
        first = xray.ask("GetTraceSummaries", **RANGE)
        assert ([one["Id"] for one in first["TraceSummaries"]], first["ApproximateTime"]) == (
            [xray_id(5), xray_id(3)],
            NOW_S + 3,
        )
        self.put(archive, 4, 6)
        second = xray.ask("GetTraceSummaries", **RANGE, NextToken=first["NextToken"])
        assert [one["Id"] for one in second["TraceSummaries"]] == [xray_id(2), xray_id(1)]
        third = xray.ask("GetTraceSummaries", **RANGE, NextToken=second["NextToken"])
        assert (third["TraceSummaries"], third["ApproximateTime"]) == ([], NOW_S - 60)
        assert "NextToken" not in third

    def test_traces_of_one_moment_come_in_the_order_of_their_ids(
        self, archive: Archive, xray: XRay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(summaries, "SUMMARIES_MAX", 2)
        self.put(archive, 3, 1, 2, at_s=0)
        told, token = [], None
        while token != "":
            page = xray.ask("GetTraceSummaries", **RANGE, **({"NextToken": token} if token else {}))
            told += [one["Id"] for one in page["TraceSummaries"]]
            token = page.get("NextToken", "")
        assert told == [xray_id(1), xray_id(2), xray_id(3)]

    def test_a_page_ends_before_it_has_too_many_spans(
        self, archive: Archive, xray: XRay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(summaries, "PAGE_SPANS_MAX", 1)
        self.put(archive, 1, 2)
        page = xray.ask("GetTraceSummaries", **RANGE)
        assert [one["Id"] for one in page["TraceSummaries"]] == [xray_id(2)]
        page = xray.ask("GetTraceSummaries", **RANGE, NextToken=page["NextToken"])
        assert [one["Id"] for one in page["TraceSummaries"]] == [xray_id(1)]
        assert "NextToken" not in page

    def test_a_fixed_rate_draws_the_same_traces_each_time(self, archive: Archive, xray: XRay) -> None:
        self.put(archive, *range(1, 41))
        half = {"SamplingStrategy": {"Name": "FixedRate", "Value": 0.5}, "Sampling": True}
        drawn = found(xray, **half)
        assert 5 < len(drawn) < 35
        assert found(xray, **half) == drawn
        assert found(xray, SamplingStrategy={"Name": "FixedRate", "Value": 0}) == []
        assert len(found(xray, SamplingStrategy={"Name": "PartialScan", "Value": 0.1}, Sampling=True)) == 40


class TestBoto3:
    def test_the_client_pages_through_what_its_filter_finds(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(summaries, "SUMMARIES_MAX", 1)
        put_sources(archive)
        start, end = (datetime.fromtimestamp(RANGE[name], UTC) for name in ("StartTime", "EndTime"))
        with boto3_of(archive) as client:
            pages = client.get_paginator("get_trace_summaries").paginate(
                StartTime=start, EndTime=end, FilterExpression='service("DynamoDB") OR http.method = "GET"'
            )
            told = [one for page in pages for one in page["TraceSummaries"]]
        assert [one["Id"] for one in told] == [xray_id(number) for number in (3, 2, 1)]
        assert told[-1]["StartTime"] == datetime.fromtimestamp(NOW_S, UTC)

    def test_the_client_raises_what_a_filter_is_refused_with(self, archive: Archive) -> None:
        with boto3_of(archive) as client, pytest.raises(ClientError, match="Invalid filter expression") as refused:
            client.get_trace_summaries(StartTime=NOW_S - 1, EndTime=NOW_S, FilterExpression="colour")
        assert refused.value.response["Error"]["Code"] == "InvalidRequestException"


def test_a_tenant_sees_its_own_traces_alone(sources: XRay) -> None:
    assert sources.ask("GetTraceSummaries", tenant="other", **RANGE)["TraceSummaries"] == []


def test_nothing_stored_is_an_empty_page(xray: XRay) -> None:
    told = xray.ask("GetTraceSummaries", **RANGE, FilterExpression="fault")
    assert told == {"TraceSummaries": [], "ApproximateTime": NOW_S - 60, "TracesProcessedCount": 0}
