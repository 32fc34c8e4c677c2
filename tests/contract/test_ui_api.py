from __future__ import annotations

import json
import time

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from query.answering import Answering
from spandrel.query import traffic as traffic_module
from tests.archive import Archive
from tests.asking import Asking
from tests.builders import RECEIVED_NS, request_of, span

TRACE = "5b8efff798038103d269b633813fc60c"


@pytest.fixture
def ui(archive: Archive) -> Asking:
    return Asking(Answering(archive.store, archive.objects, time.time_ns).answer)


def test_a_trace_is_told_as_columns_by_any_spelling_of_its_id(archive: Archive, ui: Asking) -> None:
    archive.add(request_of(span("one", trace_id=bytes.fromhex(TRACE)), span("two", trace_id=bytes.fromhex(TRACE))))
    told = ui.get(f"/api/ui/traces/{TRACE.upper()}").json
    assert told["trace_id"] == TRACE
    assert len(told["parent"]) == 2
    assert ui.get(f"/api/ui/traces/1-{TRACE[:8]}-{TRACE[8:]}").json == told


def test_a_span_is_told_whole_with_its_resource_and_scope(archive: Archive, ui: Asking) -> None:
    made = span("one", trace_id=bytes.fromhex(TRACE), attributes={"items": 3})
    archive.add(request_of(made, resource={"host.name": "web-1"}))
    told = ui.get(f"/api/ui/traces/{TRACE}/spans/{made.span_id.hex()}").json
    assert told["span"]["attributes"] == [{"key": "items", "value": {"intValue": "3"}}]
    assert {"key": "host.name", "value": {"stringValue": "web-1"}} in told["resource"]["attributes"]
    assert told["scope"] == {"name": "tests"}


def test_kind_and_service_choose_among_spans_of_one_id(archive: Archive, ui: Asking) -> None:
    for kind, service in ((3, "web"), (2, "shop")):
        made = span(service, trace_id=bytes.fromhex(TRACE), span_id=b"shared!!", kind=kind)  # type: ignore[arg-type]
        archive.add(request_of(made, service=service))
    path = f"/api/ui/traces/{TRACE}/spans/{b'shared!!'.hex()}"
    for kind, service in ((3, "web"), (2, "shop")):
        assert ui.get(path, {"kind": str(kind), "service": service}).json["span"]["name"] == service


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (f"traces/{TRACE}", 404, "trace not found"),
        (f"traces/{TRACE}/spans/00000000000000aa", 404, "span not found"),
        ("traces/zzz", 400, "zzz"),
        (f"traces/{TRACE}/spans/xyz", 400, "span"),
        ("nothing", 404, "there is nothing at"),
    ],
)
def test_refusals_have_one_form(archive: Archive, ui: Asking, path: str, status: int, said: str) -> None:
    if "span not" in said or "xyz" in path:
        archive.add(request_of(span("one", trace_id=bytes.fromhex(TRACE))))
    reply = ui.get(f"/api/ui/{path}")
    assert reply.status == status
    error = json.loads(reply.body)["error"]
    assert error["status"] == status
    assert said in error["message"]


def test_two_tenants_never_see_each_others_spans(archive: Archive, ui: Asking) -> None:
    made = span("one", trace_id=bytes.fromhex(TRACE), start_ns=RECEIVED_NS)
    archive.add(request_of(made), tenant="other")
    assert ui.get(f"/api/ui/traces/{TRACE}").status == 404
    assert ui.get(f"/api/ui/traces/{TRACE}/spans/{made.span_id.hex()}").status == 404
    assert ui.get(f"/api/ui/traces/{TRACE}", tenant="other").status == 200


NOW_MS = RECEIVED_NS // 10**6
HOUR = {"start": str(NOW_MS - 3_600_000), "end": str(NOW_MS + 1000)}


def two_services(archive: Archive) -> None:
    order = span("order", trace_id=b"1" * 16, kind=Span.SPAN_KIND_SERVER, duration_ns=8 * 10**6)
    call = span("call", trace_id=b"1" * 16, parent=order.span_id, kind=Span.SPAN_KIND_CLIENT, duration_ns=4 * 10**6)
    charge = span("charge", trace_id=b"1" * 16, parent=call.span_id, kind=Span.SPAN_KIND_SERVER, duration_ns=2 * 10**6)
    charge.status.code = Status.STATUS_CODE_ERROR
    archive.add(request_of(order, call, service="shop"), request_of(charge, service="bank"))


def test_a_search_tells_traces_and_what_was_read(archive: Archive, ui: Asking) -> None:
    two_services(archive)
    told = ui.get("/api/ui/search", {**HOUR, "q": "{ status = error }", "order": "slowest"}).json
    (found,) = told["traces"]
    assert (found["service"], found["name"], found["spans"], found["errors"]) == ("shop", "order", 3, 1)
    assert (found["duration_us"], found["matched"]) == (8000, 1)
    assert [one["name"] for one in found["spans_found"]] == ["charge"]
    assert told["inspected"]["spans"] == 3


def test_without_a_time_a_search_is_about_the_last_hour(archive: Archive) -> None:
    two_services(archive)
    archive.add(request_of(span("old", trace_id=b"2" * 16, start_ns=RECEIVED_NS - 3700 * 10**9)))
    asked = Asking(Answering(archive.store, archive.objects, lambda: RECEIVED_NS + 10**9).answer)
    assert [one["name"] for one in asked.get("/api/ui/search").json["traces"]] == ["order"]


def test_metrics_are_told_in_steps(archive: Archive, ui: Asking) -> None:
    two_services(archive)
    told = ui.get("/api/ui/metrics", {**HOUR, "step": "1200000", "q": "{ } | count_over_time() by (status)"}).json
    assert told["steps"] == 4
    assert {one["labels"]["status"]: sum(one["points"]) for one in told["series"]} == {"unset": 2, "error": 1}


def test_facets_count_the_values_of_fields_most_frequent_first(archive: Archive, ui: Asking) -> None:
    two_services(archive)
    told = ui.get("/api/ui/facets", {**HOUR, "by": "resource.service.name,kind"}).json["facets"]
    assert told[0] == {
        "field": "resource.service.name",
        "values": [{"value": "shop", "spans": 2}, {"value": "bank", "spans": 1}],
        "distinct": 2,
    }
    assert told[1]["values"] == [{"value": "server", "spans": 2}, {"value": "client", "spans": 1}]


def test_a_kind_without_a_word_is_told_by_its_number(archive: Archive, ui: Asking) -> None:
    made = span("odd", trace_id=b"1" * 16)
    made.kind = 9  # type: ignore[assignment]
    archive.add(request_of(made))
    told = ui.get("/api/ui/facets", {**HOUR, "by": "kind"}).json["facets"]
    assert told[0]["values"] == [{"value": "9", "spans": 1}]


def test_names_and_values_are_told_with_their_types(archive: Archive, ui: Asking) -> None:
    two_services(archive)
    tags = ui.get("/api/ui/tags", HOUR).json["tags"]
    assert {"scope": "resource", "name": "service.name", "types": ["string"]} in tags
    told = ui.get("/api/ui/values", {**HOUR, "tag": "resource.service.name"}).json["values"]
    assert told == [{"type": "string", "value": "bank"}, {"type": "string", "value": "shop"}]
    told = ui.get("/api/ui/values", {**HOUR, "tag": "status", "q": '{ name = "charge" }'}).json["values"]
    assert told == [{"type": "keyword", "value": "error"}]


def test_the_map_has_links_and_what_each_service_does(archive: Archive, ui: Asking) -> None:
    two_services(archive)
    told = ui.get("/api/ui/map", HOUR).json
    assert told["links"] == [{"parent": "shop", "child": "bank", "calls": 1, "errors": 1}]
    assert {one["service"]: (one["calls"], one["errors"]) for one in told["services"]} == {
        "shop": (1, 0),
        "bank": (1, 1),
    }
    assert told["services"][0]["quantiles_us"][1] == pytest.approx(2000, rel=0.05)


def test_traffic_is_told_by_service_or_by_operation_of_one(archive: Archive, ui: Asking) -> None:
    two_services(archive)
    told = ui.get("/api/ui/traffic", {**HOUR, "step": "600000"}).json
    assert {one["service"]: sum(point[0] for point in one["points"]) for one in told["series"]} == {
        "shop": 1,
        "bank": 1,
    }
    told = ui.get("/api/ui/traffic", {**HOUR, "step": "600000", "service": "bank"}).json
    assert [(one["operation"], one["errors"]) for one in told["series"]] == [("charge", 1)]


def test_spans_of_many_kinds_fill_an_answer_no_more_than_those_of_one(
    archive: Archive, ui: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add(request_of(*(span(f"kind {kind}", kind=kind) for kind in Span.SpanKind.values())))
    monkeypatch.setattr(traffic_module, "ROWS_MAX", 1)
    (told,) = ui.get("/api/ui/traffic", {**HOUR, "step": "600000"}).json["series"]
    assert told["calls"] == 2  # what it did for others: as a server and as a consumer


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("search", {**HOUR, "q": "{ duration > }"}, "line 1"),
        ("search", {"start": "0", "q": "{ }"}, "narrow it"),
        ("search", {**HOUR, "order": "best"}, "malformed parameter order"),
        ("metrics", {**HOUR, "q": "{ }"}, "metrics need a function"),
        ("facets", {**HOUR, "by": "name) | rate("}, ""),
        ("facets", {**HOUR, "by": ",".join(["name"] * 13)}, "12 fields at most"),
        ("values", {**HOUR, "tag": "not a field"}, ""),
        ("traffic", {**HOUR, "step": "60"}, ""),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    archive: Archive, ui: Asking, path: str, query: dict[str, str], said: str
) -> None:
    if path == "traffic":
        query = {**query, "start": str(NOW_MS - 86_400_000)}
    reply = ui.get(f"/api/ui/{path}", query)
    assert reply.status == 400
    assert said in reply.json["error"]["message"]
