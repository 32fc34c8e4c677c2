from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model.errors import QueryTooBroad, Rejected
from spandrel.model.links import Link
from spandrel.query import dependencies as dependencies_module
from spandrel.query.dependencies import links
from tests.archive import Archive
from tests.builders import RECEIVED_NS, request_of, span

SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
CLIENT, SERVER, PRODUCER, CONSUMER = (
    Span.SPAN_KIND_CLIENT,
    Span.SPAN_KIND_SERVER,
    Span.SPAN_KIND_PRODUCER,
    Span.SPAN_KIND_CONSUMER,
)
FAILED = Status(code=Status.STATUS_CODE_ERROR)


def id_of(number: int) -> bytes:
    return number.to_bytes(8, "big")


def put(archive: Archive, service: str, number: int, parent: int = 0, **other: Any) -> None:
    """One span in a block of its own; spans are known by numbers."""
    one = span(f"{service} {number}", span_id=id_of(number), parent=id_of(parent) if parent else b"", **other)
    archive.add(request_of(one, service=service))


def found(archive: Archive, tenant: str = "shop") -> list[Link]:
    return links(archive.reading(tenant), RECEIVED_NS - HOUR_NS, RECEIVED_NS + HOUR_NS)


def test_a_call_is_a_span_whose_parent_is_of_another_service(archive: Archive) -> None:
    put(archive, "web", 1)
    put(archive, "cart", 2, parent=1)
    put(archive, "stock", 3, parent=2, status=FAILED)
    put(archive, "stock", 4, parent=2)
    assert found(archive) == [Link("cart", "stock", 2, 1), Link("web", "cart", 1, 0)]


def test_steps_within_a_service_are_no_calls_but_a_remote_call_to_itself_is(archive: Archive) -> None:
    put(archive, "web", 1, kind=SERVER)
    put(archive, "web", 2, parent=1)
    put(archive, "web", 3, parent=2, kind=CLIENT)
    put(archive, "web", 4, parent=3, kind=SERVER)
    put(archive, "web", 5, parent=4, kind=PRODUCER)
    put(archive, "web", 6, parent=5, kind=CONSUMER)
    assert found(archive) == [Link("web", "web", 2, 0)]


def test_a_client_and_a_server_that_share_an_id_are_one_call(archive: Archive) -> None:
    put(archive, "web", 1, kind=SERVER)
    put(archive, "web", 2, parent=1, kind=CLIENT)
    put(archive, "cart", 2, parent=1, kind=SERVER, status=FAILED)
    put(archive, "cart", 3, parent=2, kind=CLIENT)
    put(archive, "stock", 3, parent=2, kind=SERVER)
    assert found(archive) == [Link("cart", "stock", 1, 0), Link("web", "cart", 1, 1)]


def test_a_shared_server_whose_client_is_not_there_was_called_by_its_parent(archive: Archive) -> None:
    put(archive, "web", 1, kind=SERVER)
    put(archive, "cart", 2, parent=1, kind=SERVER)
    assert found(archive) == [Link("web", "cart", 1, 0)]


def test_a_child_of_a_shared_id_belongs_to_the_server(archive: Archive) -> None:
    put(archive, "web", 1, kind=CLIENT)
    put(archive, "cart", 1, kind=SERVER)
    put(archive, "cart", 2, parent=1)
    put(archive, "stock", 3, parent=1, kind=SERVER)
    assert found(archive) == [Link("cart", "stock", 1, 0), Link("web", "cart", 1, 0)]


def test_copies_count_once(archive: Archive) -> None:
    for _ in range(3):
        put(archive, "web", 1)
        put(archive, "cart", 2, parent=1)
    put(archive, "web", 1, trace_id=b"t" * 16)
    put(archive, "cart", 2, parent=1, trace_id=b"t" * 16)
    assert found(archive) == [Link("web", "cart", 2, 0)]


def test_a_call_whose_span_came_in_parts_counts_once(archive: Archive) -> None:
    put(archive, "web", 1, kind=CLIENT)
    put(archive, "web", 1, kind=CLIENT, start_ns=0)
    put(archive, "cart", 2, parent=1, kind=SERVER)
    put(archive, "cart", 2, parent=1, kind=SERVER, start_ns=0)
    assert found(archive) == [Link("web", "cart", 1, 0)]


def test_the_copy_that_ended_last_says_whether_the_call_failed(archive: Archive) -> None:
    put(archive, "web", 1)
    put(archive, "cart", 2, parent=1, duration_ns=-RECEIVED_NS)
    put(archive, "cart", 2, parent=1, status=FAILED)
    assert found(archive) == [Link("web", "cart", 1, 1)]


def test_cycles_self_parents_and_orphans_are_harmless(archive: Archive) -> None:
    put(archive, "web", 1, parent=1)
    put(archive, "web", 2, parent=3)
    put(archive, "cart", 3, parent=2)
    put(archive, "stock", 4, parent=99)
    assert found(archive) == [Link("cart", "web", 1, 0), Link("web", "cart", 1, 0)]


def test_the_same_ids_in_another_trace_are_other_spans(archive: Archive) -> None:
    put(archive, "web", 1)
    put(archive, "cart", 2, parent=1, trace_id=b"t" * 16)
    assert found(archive) == []


def test_a_span_without_a_service_calls_nobody(archive: Archive) -> None:
    nameless = request_of(span("root", span_id=id_of(1)))
    del nameless.resource_spans[0].resource.attributes[:]
    archive.add(nameless)
    put(archive, "cart", 2, parent=1)
    assert found(archive) == []


def test_adjacent_ranges_add_up_to_the_whole(archive: Archive) -> None:
    put(archive, "web", 1, start_ns=RECEIVED_NS - 100 * SECOND_NS)
    starts = [RECEIVED_NS - seconds * SECOND_NS for seconds in (90, 60, 60, 30, 1, 0)]
    for number, start_ns in enumerate(starts, start=2):
        put(archive, "cart", number, parent=1, start_ns=start_ns)
    bounds = [RECEIVED_NS - 95 * SECOND_NS, RECEIVED_NS - 60 * SECOND_NS, RECEIVED_NS - 1, RECEIVED_NS + 1]
    counted = [links(archive.reading(), start_ns, end_ns)[0].calls for start_ns, end_ns in pairwise(bounds)]
    assert counted == [1, 4, 1]
    assert links(archive.reading(), bounds[0], bounds[-1]) == [Link("web", "cart", 6, 0)]


def test_many_spans_are_joined_in_parts_with_the_same_result(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies_module, "_PART_SPANS", 7)
    spans = []
    for number in range(20):
        trace_id = number.to_bytes(16, "big")
        spans += [("web", 1, 0, trace_id), ("cart", 2, 1, trace_id)]
        spans += [("cart", 2, 1, trace_id)] * (number % 2)
    for service, number, parent, trace_id in spans:
        put(archive, service, number, parent, trace_id=trace_id)
    assert found(archive) == [Link("web", "cart", 20, 0)]


def test_tenants_do_not_see_each_others_calls(archive: Archive) -> None:
    put(archive, "web", 1)
    archive.add(request_of(span("a", parent=id_of(1)), service="rival"), tenant="rival")
    assert found(archive) == []
    assert found(archive, tenant="rival") == []


def test_a_range_that_is_empty_or_too_broad_is_refused(archive: Archive) -> None:
    with pytest.raises(Rejected):
        links(archive.reading(), RECEIVED_NS, RECEIVED_NS)
    with pytest.raises(QueryTooBroad):
        links(archive.reading(), 0, RECEIVED_NS)
