from __future__ import annotations

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.query.names import operations, services
from tests.archive import Archive
from tests.builders import request_of, span


def test_services_come_sorted_and_once(archive: Archive) -> None:
    for service in ("web", "cart", "web"):
        archive.add(request_of(span("a"), service=service))
    assert services(archive.reading()) == ["cart", "web"]


def test_operations_are_those_of_the_service_with_their_kinds(archive: Archive) -> None:
    archive.add(request_of(span("GET /", kind=Span.SPAN_KIND_SERVER), span("GET /"), service="web"))
    archive.add(request_of(span("charge"), service="pay"))
    assert operations(archive.reading(), "web") == [("GET /", 1), ("GET /", 2)]
    assert operations(archive.reading(), "nobody") == []


def test_names_are_read_from_blocks_only_where_the_catalogue_does_not_list_them(archive: Archive) -> None:
    archive.add(request_of(span("a"), service="web"))
    assert services(archive.reading()) == ["web"]
    assert archive.objects.read == []
    (many,) = archive.add(request_of(*(span(f"operation {number}") for number in range(600)), service="cart"))
    assert many.operations is None
    assert services(archive.reading()) == ["cart", "web"]
    assert len(operations(archive.reading(), "cart")) == 600
    assert set(archive.objects.read) == {many.key}


def test_a_span_without_a_service_names_none(archive: Archive) -> None:
    request = request_of(span("a"))
    del request.resource_spans[0].resource.attributes[:]
    archive.add(request)
    assert services(archive.reading()) == []


def test_tenants_do_not_see_each_others_names(archive: Archive) -> None:
    archive.add(request_of(span("a"), service="web"))
    archive.add(request_of(span("b"), service="secret"), tenant="rival")
    assert services(archive.reading()) == ["web"]
    assert operations(archive.reading(), "secret") == []
