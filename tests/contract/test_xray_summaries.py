"""GetTraceSummaries as its clients ask it: which traces a filter is true of, what is told of each, and the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS, request_of, span
from tests.xray_asking import XRay, xray_of
from tests.xray_sources import ANSWERED, ERROR, NOW_S, RANGE, SERVER, found, put_documents, put_sources, xray_id


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


@pytest.mark.parametrize("expression", ANSWERED)
def test_a_trace_is_found_by_a_filter_or_by_its_negation(sources: XRay, expression: str) -> None:
    assert sorted([*found(sources, expression), *found(sources, f"!({expression})")]) == [1, 2, 3]


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


def test_a_tenant_sees_its_own_traces_alone(sources: XRay) -> None:
    assert sources.ask("GetTraceSummaries", tenant="other", **RANGE)["TraceSummaries"] == []


def test_nothing_stored_is_an_empty_page(xray: XRay) -> None:
    told = xray.ask("GetTraceSummaries", **RANGE, FilterExpression="fault")
    assert told == {"TraceSummaries": [], "ApproximateTime": NOW_S - 60, "TracesProcessedCount": 0}
