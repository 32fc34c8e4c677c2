from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from query.answering import Answering
from tests.archive import Archive, archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS, request_of, span

TRACE = "5b8efff798038103d269b633813fc60c"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as archive:
        yield archive


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
