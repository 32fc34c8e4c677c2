"""Jaeger's API as its UI and its users ask it, through the function's own way in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from query.answering import Answering
from tests.archive import Archive
from tests.asking import Asking, Reply
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract.jaeger_answers import asking_jaeger
from tests.contract.jaeger_shop import ID, SEARCH, SECOND_NS, put_shop, refusal

GOLDEN = Path(__file__).parent.parent / "golden" / "jaeger"


@pytest.fixture
def jaeger(archive: Archive) -> Asking:
    return asking_jaeger(Answering(archive.store, archive.objects, lambda: RECEIVED_NS + SECOND_NS).answer)


def golden(name: str) -> Any:
    """The answer that the file of that name keeps."""
    return json.loads((GOLDEN / f"{name}.json").read_text())


def trace_ids(reply: Reply) -> list[str]:
    """Ids of an answer's traces, in the order in which they come."""
    spans = [
        span
        for resource in reply.json["result"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    return list(dict.fromkeys(span["traceId"] for span in spans))


def summary_ids(reply: Reply) -> list[str]:
    return [summary["traceId"] for summary in reply.json["summaries"]]


def test_services(archive: Archive, jaeger: Asking) -> None:
    assert jaeger.get("/api/v3/services").json == {"services": []}
    put_shop(archive)
    assert jaeger.get("/api/v3/services").json == golden("services")


def test_operations(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    archive.add(request_of(span("odd", kind=Span.SPAN_KIND_UNSPECIFIED), service="web"))
    assert jaeger.get("/api/v3/operations", {"service": "web"}).json == golden("operations")
    assert jaeger.get("/api/v3/operations", {"service": "nobody"}).json == {"operations": []}


@pytest.mark.parametrize("name", ["spanKind", "span_kind"])
def test_operations_of_one_kind(archive: Archive, jaeger: Asking, name: str) -> None:
    put_shop(archive)
    reply = jaeger.get("/api/v3/operations", {"service": "web", name: "client"})
    assert reply.json == {"operations": [{"name": "charge", "spanKind": "client"}]}
    assert "spanKind" in refusal(jaeger.get("/api/v3/operations", {"service": "web", "spanKind": "sideways"}))


def test_operations_need_a_service(jaeger: Asking) -> None:
    assert "service is required" in refusal(jaeger.get("/api/v3/operations"))


def test_a_trace_is_otlp(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    assert jaeger.get(f"/api/v3/traces/{ID}").json == golden("trace")


@pytest.mark.parametrize(
    "spelling",
    [
        *("AB" + "0" * 13 + "C", "ab" + "0" * 13 + "c", "0" * 16 + "AB" + "0" * 13 + "c"),
        "1-00000000-00000000ab" + "0" * 13 + "c",
        "Root=1-00000000-00000000ab" + "0" * 13 + "c;Parent=53995c3f42cd8ad8",
        "0" * 16 + "ab" + "0" * 13 + "c/123;o=1",  # escaped or not: API Gateway hands it over like this
        "ab" + "0" * 13 + "c:1:0:1",
        "AAAAAAAAAACrAAAAAAAADA==",
    ],
)
def test_an_id_is_taken_in_all_its_spellings(archive: Archive, jaeger: Asking, spelling: str) -> None:
    archive.add(request_of(span("a", trace_id=bytes.fromhex("0" * 16 + "ab" + "0" * 13 + "c"))))
    assert trace_ids(jaeger.get(f"/api/v3/traces/{spelling}")) == ["0" * 16 + "ab" + "0" * 13 + "c"]


def test_an_id_may_lack_its_leading_zeros(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    assert trace_ids(jaeger.get("/api/v3/traces/1")) == [ID]


@pytest.mark.parametrize("bad", ["xyz", "0", "0" * 33, "0" * 32, "1-2", "%20"])
def test_what_is_no_id_is_refused_by_name(jaeger: Asking, bad: str) -> None:
    assert "trace_id" in refusal(jaeger.get(f"/api/v3/traces/{bad}"))


def test_an_unknown_trace_is_404(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    assert refusal(jaeger.get("/api/v3/traces/abc"), 404) == "No traces found"


@pytest.mark.parametrize(("first", "last"), [("startTime", "endTime"), ("start_time", "end_time")])
def test_a_time_hint_says_where_to_look(archive: Archive, jaeger: Asking, first: str, last: str) -> None:
    put_shop(archive)
    then = {first: "2026-09-21T14:13:20Z", last: "2026-09-21T14:13:20Z", "rawTraces": "true"}
    assert trace_ids(jaeger.get(f"/api/v3/traces/{ID}", then)) == [ID]
    later = {first: "2026-09-21T17:00:00Z", last: "2026-09-21T18:00:00Z"}
    assert refusal(jaeger.get(f"/api/v3/traces/{ID}", later), 404)
    assert "startTime" in refusal(jaeger.get(f"/api/v3/traces/{ID}", {first: later[last], last: later[first]}))


@pytest.mark.parametrize("name", ["startTime", "endTime", "start_time", "end_time", "rawTraces", "raw_traces"])
def test_a_bad_parameter_of_a_trace_is_refused_by_name(jaeger: Asking, name: str) -> None:
    assert f"malformed parameter {name}" in refusal(jaeger.get(f"/api/v3/traces/{ID}", {name: "yesterday"}))


def test_summaries_list_the_newest_first(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    assert jaeger.get("/api/v3/trace-summaries", SEARCH).json == golden("summaries")


def test_no_summaries_are_an_empty_list_and_no_traces_are_404(jaeger: Asking) -> None:
    assert jaeger.get("/api/v3/trace-summaries", SEARCH).json == {"summaries": []}
    assert refusal(jaeger.get("/api/v3/traces", SEARCH), 404) == "No traces found"


def test_a_search_returns_whole_traces_newest_first(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    reply = jaeger.get("/api/v3/traces", SEARCH)
    assert trace_ids(reply) == ["00000000000000000000000000000002", ID]
    paid = jaeger.get("/api/v3/traces", {**SEARCH, "query.serviceName": "pay"})
    names = [
        span["name"]
        for resource in paid.json["result"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    assert sorted(names) == ["POST /charge", "POST /checkout", "charge"]


@pytest.mark.parametrize(
    "query",
    [
        {"query.serviceName": "web"},
        {"query.service_name": "web"},
        {"query.operationName": "charge"},
        {"query.operation_name": "charge"},
        {"query.durationMin": "2ms"},
        {"query.duration_min": "1.5ms", "query.duration_max": "2000µs"},
        {"query.durationMin": "0", "query.serviceName": "web"},
        {"query.durationMax": "1h2m3.5s", "query.serviceName": "web"},
        {"query.attributes": '{"user.id":"7"}'},
        {"query.attributes": '{"error":"true","resource.service.name":"pay"}'},
        {"query.serviceName": "web", "query.rawTraces": "true", "query.searchDepth": "1"},
        {"query.serviceName": "web", "query.num_traces": "1"},
        {"query.serviceName": "web", "query.unknown": "is ignored"},
        {"query.serviceName": "web", "query.operationName": ""},
    ],
    ids=str,
)
def test_each_parameter_of_a_search_is_understood(archive: Archive, jaeger: Asking, query: Mapping[str, str]) -> None:
    put_shop(archive)
    assert summary_ids(jaeger.get("/api/v3/trace-summaries", {**SEARCH, **query})) == [ID]
    assert trace_ids(jaeger.get("/api/v3/traces", {**SEARCH, **query})) == [ID]


def test_a_search_takes_in_both_ends_of_its_range(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    exactly = {"query.startTimeMin": "2026-09-21T14:13:25Z", "query.start_time_max": "2026-09-21T16:13:25+02:00"}
    assert "before" in refusal(jaeger.get("/api/v3/trace-summaries", exactly))
    until = {"query.start_time_min": "2026-09-21T14:13:24.999999999Z", "query.startTimeMax": "2026-09-21T14:13:25Z"}
    assert len(summary_ids(jaeger.get("/api/v3/trace-summaries", until))) == 1


def test_the_limit_is_a_hundred_unless_asked_otherwise(archive: Archive, jaeger: Asking) -> None:
    archive.add(
        request_of(*(span("a", trace_id=n.to_bytes(16, "big"), start_ns=RECEIVED_NS + n) for n in range(1, 131)))
    )
    assert summary_ids(jaeger.get("/api/v3/trace-summaries", SEARCH)) == [f"{n:032x}" for n in range(130, 30, -1)]
    deep = jaeger.get("/api/v3/trace-summaries", {**SEARCH, "query.search_depth": "1500"})
    assert len(summary_ids(deep)) == 130


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("query.startTimeMin", "yesterday", "2026-11-05T10:15:30.000Z"),
        ("query.startTimeMax", "1790000000", "RFC 3339"),
        ("query.startTimeMax", "2026-02-30T00:00:00Z", "RFC 3339"),
        ("query.durationMin", "5", "100ms"),
        ("query.durationMax", "-", "units"),
        ("query.duration_max", "5 s", "units"),
        ("query.searchDepth", "0", "from 1 to 1500"),
        ("query.searchDepth", "1501", "from 1 to 1500"),
        ("query.num_traces", "many", "from 1 to 1500"),
        ("query.attributes", "user.id=7", "JSON object"),
        ("query.attributes", '{"user.id":7}', "JSON object"),
        ("query.attributes", "[" * 100_000, "JSON object"),
        ("query.attributes", json.dumps({str(number): "" for number in range(33)}), "32 attributes"),
        ("query.rawTraces", "maybe", "true or false"),
        ("query.filter", "{}", "not supported"),
        ("query.pagination.pageSize", "10", "not supported"),
    ],
)
@pytest.mark.parametrize("path", ["/api/v3/traces", "/api/v3/trace-summaries"])
def test_a_bad_parameter_of_a_search_is_refused_by_name(
    jaeger: Asking, path: str, name: str, value: str, said: str
) -> None:
    message = refusal(jaeger.get(path, {**SEARCH, name: value}))
    assert name in message
    assert said in message


@pytest.mark.parametrize("missing", sorted(SEARCH))
def test_a_search_needs_its_time_range(jaeger: Asking, missing: str) -> None:
    given = {name: value for name, value in SEARCH.items() if name != missing}
    assert f"{missing} is required" in refusal(jaeger.get("/api/v3/traces", given))


def test_ranges_and_bounds_that_make_no_sense_are_refused(jaeger: Asking) -> None:
    reversed_range = dict(zip(SEARCH, reversed(SEARCH.values()), strict=True))
    assert "query.startTimeMin must be before" in refusal(jaeger.get("/api/v3/traces", reversed_range))
    bounds = {"query.durationMin": "2s", "query.durationMax": "1s"}
    assert "query.durationMin" in refusal(jaeger.get("/api/v3/traces", {**SEARCH, **bounds}))
    broad = {**SEARCH, "query.startTimeMin": "2026-08-01T00:00:00Z"}
    assert "744" in refusal(jaeger.get("/api/v3/traces", broad))
    never = {**SEARCH, "query.attributes": '{"error":"perhaps"}'}
    assert "error" in refusal(jaeger.get("/api/v3/traces", never))


def test_times_that_no_span_can_have_find_nothing(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(span("a", start_ns=0)))
    early = {"query.startTimeMin": "1969-12-01T00:00:00Z", "query.startTimeMax": "1969-12-02T00:00:00Z"}
    late = {"query.startTimeMin": "9999-12-01T00:00:00Z", "query.startTimeMax": "9999-12-02T00:00:00Z"}
    for times in (early, late):
        assert jaeger.get("/api/v3/trace-summaries", times).json == {"summaries": []}
    around = {"query.startTimeMin": "1969-12-31T00:00:00Z", "query.startTimeMax": "1970-01-02T00:00:00Z"}
    assert summary_ids(jaeger.get("/api/v3/trace-summaries", around)) == [ID]


def test_dependencies(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    assert jaeger.get("/api/dependencies").json == golden("dependencies")
    window = {"endTs": str(RECEIVED_NS // 10**6 + 1000), "lookback": "604800000"}
    assert jaeger.get("/api/dependencies", window).json == golden("dependencies")
    assert jaeger.get("/api/dependencies", {**window, "service": "cron"}).json["data"] == []
    before = {"endTs": str(RECEIVED_NS // 10**6), "lookback": "1000"}
    assert jaeger.get("/api/dependencies", before).json["data"] == []


@pytest.mark.parametrize(
    ("name", "value"), [("endTs", "now"), ("endTs", "-1"), ("lookback", "1d"), ("lookback", "0"), ("endTs", "9" * 30)]
)
def test_a_bad_parameter_of_dependencies_is_refused_by_name(jaeger: Asking, name: str, value: str) -> None:
    reply = jaeger.get("/api/dependencies", {name: value})
    assert reply.status == 400
    (error,) = reply.json["errors"]
    assert (error["code"], reply.json["data"]) == (400, None)
    assert name in error["msg"]


def test_dependencies_over_too_long_a_time_are_refused(jaeger: Asking) -> None:
    reply = jaeger.get("/api/dependencies", {"lookback": str(32 * 24 * 3600 * 1000)})
    assert (reply.status, reply.json["data"]) == (400, None)
