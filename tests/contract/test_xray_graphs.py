"""GetTraceGraph, GetServiceGraph and GetTimeSeriesServiceStatistics: services and their calls, as X-Ray tells them."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.api.xray import graph, time_series, traces
from spandrel.blocks import tally
from spandrel.model.ids import xray_trace_id
from spandrel.model.traffic import QUANTILE_ERROR
from spandrel.wire.xray import endpoint as xray_wire
from tests.archive import Archive
from tests.builders import RECEIVED_NS, request_of, span
from tests.merging import merge
from tests.wire.xray_sending import TRACE_ID, put, segment, subsegment
from tests.xray_asking import XRay, boto3_of, xray_of

ID = xray_trace_id(bytes(15) + b"\1")
MINUTE_S = 60
AT_S = RECEIVED_NS // 10**9
FIRST_S = AT_S - AT_S % 300
RANGE: dict[str, Any] = {"StartTime": FIRST_S, "EndTime": FIRST_S + 600}
FAILED = Status(code=Status.STATUS_CODE_ERROR)
SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
NO_FAILURES = {
    "ErrorStatistics": {"ThrottleCount": 0, "OtherCount": 0, "TotalCount": 0},
    "FaultStatistics": {"OtherCount": 0, "TotalCount": 0},
}


@pytest.fixture
def xray(archive: Archive) -> XRay:
    return xray_of(archive, RECEIVED_NS + 10**9)


def put_shop(archive: Archive, number: int = 1, start_ns: int = RECEIVED_NS) -> None:
    """A call of `web`, which calls `pay`, which fails and before that asks a database."""
    trace_id = bytes(15) + bytes([number])
    checkout = span("POST /checkout", trace_id=trace_id, kind=SERVER, start_ns=start_ns, duration_ns=4_000_000)
    charge = span("charge", trace_id=trace_id, parent=checkout.span_id, kind=CLIENT, start_ns=start_ns)
    inside: dict[str, Any] = {"trace_id": trace_id, "start_ns": start_ns}
    paid = span("POST /charge", parent=charge.span_id, kind=SERVER, duration_ns=2_000_000, status=FAILED, **inside)
    query = {"db.system.name": "postgresql", "db.query.text": "SELECT 1"}
    asked = span("SELECT", parent=paid.span_id, kind=CLIENT, attributes=query, **inside)
    archive.add(request_of(checkout, charge, service="web"), request_of(paid, asked, service="pay"))


def by_key(answer: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Services by name and type."""
    services = answer["Services"]
    assert len({service["ReferenceId"] for service in services}) == len(services)
    return {(service["Name"], service.get("Type", "")): service for service in services}


def edges(answer: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Edges by the names of both sides, clients' with `client`."""
    names = {service["ReferenceId"]: service["Name"] for service in answer["Services"]}
    found = {}
    for (name, kind), service in by_key(answer).items():
        for edge in service["Edges"]:
            found["client" if kind == "client" else name, names[edge["ReferenceId"]]] = edge
    return found


class TestTraceGraph:
    def test_services_and_calls_of_a_trace(self, archive: Archive, xray: XRay) -> None:
        put_shop(archive)
        answer = xray.ask("GetTraceGraph", TraceIds=[ID])
        services = by_key(answer)
        assert set(services) == {("web", "client"), ("web", ""), ("pay", ""), ("postgresql", "Database::SQL")}
        assert [key for key, service in services.items() if service.get("Root")] == [("web", "")]
        assert {key: service["State"] for key, service in services.items() if service["State"] != "active"} == {
            ("web", "client"): "unknown",
            ("postgresql", "Database::SQL"): "unknown",
        }
        assert set(edges(answer)) == {("client", "web"), ("web", "pay"), ("pay", "postgresql")}

    def test_statistics_are_of_each_request(self, archive: Archive, xray: XRay) -> None:
        put_shop(archive)
        answer = xray.ask("GetTraceGraph", TraceIds=[ID])
        services = by_key(answer)
        web = services["web", ""]
        assert web["SummaryStatistics"] == {"OkCount": 1, "TotalCount": 1, "TotalResponseTime": 0.004} | NO_FAILURES
        assert web["ResponseTimeHistogram"] == [{"Value": 0.004, "Count": 1}]
        assert (web["StartTime"], web["EndTime"]) == (1790000000.0, 1790000000.004)
        pay = services["pay", ""]["SummaryStatistics"]
        assert (pay["OkCount"], pay["FaultStatistics"]) == (0, {"OtherCount": 1, "TotalCount": 1})
        called = edges(answer)["web", "pay"]["SummaryStatistics"]
        assert (called["OkCount"], called["TotalResponseTime"]) == (1, 0.001), "as its caller saw it"

    def test_traces_together(self, archive: Archive, xray: XRay) -> None:
        put_shop(archive, 1)
        put_shop(archive, 2)
        unknown = "1-5759e988-bd862e3fe1be46a994272793"
        answer = xray.ask("GetTraceGraph", TraceIds=[ID, xray_trace_id(bytes(15) + b"\2"), unknown])
        assert by_key(answer)["web", ""]["SummaryStatistics"]["TotalCount"] == 2
        assert xray.ask("GetTraceGraph", TraceIds=[unknown])["Services"] == []

    def test_x_rays_own_segments_have_the_types_that_they_say(self, archive: Archive, xray: XRay) -> None:
        step = subsegment(name="DynamoDB", namespace="aws", throttle=True, error=True)
        archive.add(xray_wire.decode(put(segment(origin="AWS::EC2::Instance", subsegments=[step]))).otlp)
        services = by_key(xray.ask("GetTraceGraph", TraceIds=[TRACE_ID]))
        assert ("shop", "AWS::EC2::Instance") in services
        throttled = services["DynamoDB", "AWS::DynamoDB::Table"]["SummaryStatistics"]["ErrorStatistics"]
        assert throttled == {"ThrottleCount": 1, "OtherCount": 0, "TotalCount": 1}

    def test_what_has_not_ended_is_not_counted(self, archive: Archive, xray: XRay) -> None:
        archive.add(xray_wire.decode(put(segment(in_progress=True, end_time=...))).otlp)
        service = by_key(xray.ask("GetTraceGraph", TraceIds=[TRACE_ID]))["shop", ""]
        assert service["SummaryStatistics"]["TotalCount"] == 0

    def test_a_trace_too_large_and_what_is_no_id_are_refused(
        self, archive: Archive, xray: XRay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert xray.refusal("GetTraceGraph", TraceIds=["nonsense"])[:2] == (400, "InvalidRequestException")
        put_shop(archive)
        monkeypatch.setattr("spandrel.api.xray.trace_graph.TRACE_SPANS", 3)
        assert "4 spans" in xray.refusal("GetTraceGraph", TraceIds=[ID])[2]
        assert traces.TRACE_SPANS > 3


class TestServiceGraph:
    @pytest.fixture(params=["read", "tallied"])
    def stored(self, archive: Archive, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Archive:
        """The same from spans and from tallies."""
        put_shop(archive)
        if request.param == "tallied":
            monkeypatch.setattr(tally, "TALLIED_SPANS", 1)
            merge(archive, list(archive.catalogue.kept.values()))
            assert all(block.tally for block in archive.catalogue.kept.values())
        return archive

    def test_services_and_calls_of_a_time(self, stored: Archive, xray: XRay) -> None:
        answer = xray.ask("GetServiceGraph", **RANGE)
        assert (answer["StartTime"], answer["EndTime"]) == (RANGE["StartTime"], RANGE["EndTime"])
        services = by_key(answer)
        assert set(services) == {("web", "client"), ("web", ""), ("pay", ""), ("postgresql", "remote")}
        assert [key for key, service in services.items() if service.get("Root")] == [("web", "")]
        assert set(edges(answer)) == {("client", "web"), ("web", "pay"), ("pay", "postgresql")}
        assert services["web", ""]["SummaryStatistics"]["OkCount"] == 1
        assert services["web", ""]["SummaryStatistics"]["TotalResponseTime"] == pytest.approx(0.004, QUANTILE_ERROR)
        (bucket,) = services["web", ""]["ResponseTimeHistogram"]
        assert (bucket["Count"], bucket["Value"]) == (1, pytest.approx(0.004, QUANTILE_ERROR))

    def test_what_is_not_counted_is_not_told(self, stored: Archive, xray: XRay) -> None:
        """Of a failed call it is not known whose fault it was, of a call not how long it took."""
        answer = xray.ask("GetServiceGraph", **RANGE)
        pay = by_key(answer)["pay", ""]["SummaryStatistics"]
        assert (pay.keys(), pay["OkCount"]) == ({"OkCount", "TotalCount", "TotalResponseTime"}, 0)
        assert edges(answer)["web", "pay"]["SummaryStatistics"] == {"OkCount": 0, "TotalCount": 1}
        assert "SummaryStatistics" not in edges(answer)["client", "web"]

    def test_the_end_is_not_in_the_range(self, stored: Archive, xray: XRay) -> None:
        assert xray.ask("GetServiceGraph", StartTime=AT_S - 60, EndTime=AT_S)["Services"] == []
        assert xray.ask("GetServiceGraph", StartTime=AT_S, EndTime=AT_S + 0.5)["Services"]

    def test_pages_fit_each_other(self, stored: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        with boto3_of(stored) as client:
            (whole,) = client.get_paginator("get_service_graph").paginate(**RANGE)
            monkeypatch.setattr(graph, "PAGE_SERVICES", 3)
            pages = list(client.get_paginator("get_service_graph").paginate(**RANGE))
        assert [len(page["Services"]) for page in pages] == [3, 1]
        assert [service for page in pages for service in page["Services"]] == whole["Services"]


@pytest.mark.parametrize("operation", ["GetServiceGraph", "GetTimeSeriesServiceStatistics"])
@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"StartTime": None}, "'startTime'"),
        ({"EndTime": "now"}, "'endTime'"),
        ({"EndTime": FIRST_S}, "ends before it begins"),
        ({"EndTime": FIRST_S + 40 * 24 * 3600}, "narrow it"),
        ({"GroupName": "vip"}, "calls are counted of all traces"),
        ({"GroupName": "nobody"}, "no group"),
        ({"GroupARN": "arn:aws:xray:eu-central-1:1:group/vip/1"}, "no group"),
        ({"NextToken": "made up"}, "NextToken"),
    ],
)
def test_what_a_graph_of_a_time_cannot_tell_is_refused(
    xray: XRay, operation: str, members: dict[str, Any], said: str
) -> None:
    xray.ask("CreateGroup", GroupName="vip", FilterExpression='user = "zoe"')
    status, code, message = xray.refusal(operation, **{**RANGE, **members})
    assert (status, code) == (400, "InvalidRequestException")
    assert said in message


@pytest.mark.parametrize("group", ["Default", "everything"])
def test_a_group_of_all_traces_is_taken(archive: Archive, xray: XRay, group: str) -> None:
    put_shop(archive)
    xray.ask("CreateGroup", GroupName="everything")
    assert len(xray.ask("GetServiceGraph", **RANGE, GroupName=group)["Services"]) == 4


class TestTimeSeries:
    OPERATION = "GetTimeSeriesServiceStatistics"

    @pytest.fixture
    def shop(self, archive: Archive) -> Archive:
        """Two requests in one minute, a third four minutes later."""
        for number, minute in ((1, 0), (2, 0), (3, 4)):
            put_shop(archive, number, (FIRST_S + minute * MINUTE_S + 1) * 10**9)
        return archive

    def series(self, xray: XRay, **members: Any) -> list[dict[str, Any]]:
        found = xray.ask(self.OPERATION, **RANGE, **members)["TimeSeriesServiceStatistics"]
        assert isinstance(found, list)
        return found

    def test_a_service_over_time(self, shop: Archive, xray: XRay) -> None:
        first, later = self.series(xray, EntitySelectorExpression='service("web")', Period=60)
        assert (first["Timestamp"], later["Timestamp"]) == (FIRST_S, FIRST_S + 240)
        assert (first["ServiceSummaryStatistics"]["TotalCount"], later["ServiceSummaryStatistics"]["OkCount"]) == (2, 1)
        (bucket,) = first["ResponseTimeHistogram"]
        assert (bucket["Count"], bucket["Value"]) == (2, pytest.approx(0.004, QUANTILE_ERROR))

    def test_five_minutes_are_a_period_too(self, shop: Archive, xray: XRay) -> None:
        (one,) = self.series(xray, EntitySelectorExpression='service(id(name: "pay"))', Period=300)
        assert one["ServiceSummaryStatistics"]["TotalCount"] == 3
        assert one["ServiceSummaryStatistics"]["OkCount"] == 0

    def test_an_edge_over_time(self, shop: Archive, xray: XRay) -> None:
        first, later = self.series(xray, EntitySelectorExpression='edge("web", "pay")')
        assert first["EdgeSummaryStatistics"] == {"OkCount": 0, "TotalCount": 2}
        assert later["EdgeSummaryStatistics"] == {"OkCount": 0, "TotalCount": 1}

    def test_without_an_expression_all_edges_are_meant(self, shop: Archive, xray: XRay) -> None:
        first, _ = self.series(xray)
        assert first["EdgeSummaryStatistics"]["TotalCount"] == 4

    def test_of_what_sends_nothing_calls_are_known(self, shop: Archive, xray: XRay) -> None:
        first, _ = self.series(xray, EntitySelectorExpression='service("postgresql")')
        assert first["ServiceSummaryStatistics"] == {"OkCount": 2, "TotalCount": 2}

    def test_nobody_is_an_empty_series(self, shop: Archive, xray: XRay) -> None:
        assert self.series(xray, EntitySelectorExpression='service("nobody")') == []

    @pytest.mark.parametrize(
        ("members", "said"),
        [
            ({"Period": 61}, "'period'"),
            ({"Period": "60"}, "'period'"),
            ({"ForecastStatistics": True}, "ForecastStatistics"),
            ({"EntitySelectorExpression": "fault"}, "EntitySelectorExpression"),
            ({"EntitySelectorExpression": 'service("a") { fault }'}, "EntitySelectorExpression"),
            ({"EntitySelectorExpression": 'service(id(name: "a", type: "client"))'}, "type"),
            ({"EntitySelectorExpression": "service("}, "expression"),
        ],
    )
    def test_what_is_not_counted_so_is_refused(self, xray: XRay, members: dict[str, Any], said: str) -> None:
        status, code, message = xray.refusal(self.OPERATION, **RANGE, **members)
        assert (status, code) == (400, "InvalidRequestException")
        assert said in message

    def test_pages_follow_one_another(self, shop: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(time_series, "PAGE_STEPS", 3)
        with boto3_of(shop) as client:
            pages = list(client.get_paginator("get_time_series_service_statistics").paginate(**RANGE, Period=60))
        counts = [len(page["TimeSeriesServiceStatistics"]) for page in pages]
        assert counts == [1, 1, 0, 0]


class TestBoto3:
    def test_graphs_are_read(self, archive: Archive) -> None:
        put_shop(archive)
        with boto3_of(archive) as client:
            of_trace = client.get_trace_graph(TraceIds=[ID])["Services"]
            of_time = client.get_service_graph(**RANGE)["Services"]
        assert {service["Name"] for service in of_trace} == {service["Name"] for service in of_time}
        assert of_trace[0]["ReferenceId"] in {edge["ReferenceId"] for one in of_trace for edge in one["Edges"]}
