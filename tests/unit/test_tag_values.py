from __future__ import annotations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model.errors import Rejected
from spandrel.query import tag_values as module
from spandrel.query import tags
from spandrel.query.tag_values import tag_type, tag_values
from spandrel.traceql.checking import check
from spandrel.traceql.parser import parse, parse_field
from spandrel.traceql.printing import literal
from tests.archive import Archive
from tests.builders import RECEIVED_NS, key_value, request_of, span

HOUR_NS = 3600 * 10**9
RANGE = (RECEIVED_NS - HOUR_NS, RECEIVED_NS + HOUR_NS)


def told(archive: Archive, field: str, query: str | None = None, limit: int = 100) -> list[tuple[str, str]]:
    """Types and values, as TraceQL writes them."""
    asked = check(parse(query)) if query else None
    found = tag_values(archive.reading(), parse_field(field), *RANGE, asked, limit)
    return [(tag_type(value), literal(value)) for value in found.values]


def incomplete(archive: Archive, field: str, limit: int = 100) -> bool:
    return tag_values(archive.reading(), parse_field(field), *RANGE, None, limit).incomplete


def test_values_come_with_their_types_in_order(archive: Archive) -> None:
    values = [3, 1, 2.5, "b", "a", True, "b", ["x", "a"]]
    archive.add(request_of(*(span(f"{at}", attributes={"v": value}) for at, value in enumerate(values))))
    expected = [
        ("bool", "true"),
        ("float", "2.5"),
        ("int", "1"),
        ("int", "3"),
        ("string", '"a"'),
        ("string", '"b"'),
        ("string", '"x"'),
    ]
    assert told(archive, "span.v") == expected
    assert told(archive, ".v") == expected
    assert told(archive, "resource.v") == []


def test_values_are_found_in_each_scope(archive: Archive) -> None:
    event = Span.Event(name="boom", attributes=[key_value("k", "of the event")])
    other = Span.Event(name="bang", attributes=[key_value("k", "of another")])
    link = Span.Link(trace_id=b"1" * 16, span_id=b"1" * 8, attributes=[key_value("k", 7)])
    request = request_of(span("a", events=[event, other], links=[link]), resource={"k": "of the resource"})
    request.resource_spans[0].scope_spans[0].scope.attributes.append(key_value("k", "of the scope"))
    archive.add(request)
    assert told(archive, "resource.k") == [("string", '"of the resource"')]
    assert told(archive, "instrumentation.k") == [("string", '"of the scope"')]
    assert told(archive, "event.k") == [("string", '"of another"'), ("string", '"of the event"')]
    assert told(archive, "link.k") == [("int", "7")]
    assert told(archive, "event:name") == [("string", '"bang"'), ("string", '"boom"')]
    assert told(archive, "instrumentation:name") == [("string", '"tests"')]


def test_values_without_a_column_of_their_own_are_found_too(archive: Archive) -> None:
    archive.add(request_of(span("a", attributes={f"key {number}": number for number in range(200)})))
    assert told(archive, 'span."key 199"') == [("int", "199")]


def test_services_names_and_kinds_are_told_by_the_catalogue(archive: Archive) -> None:
    archive.add(request_of(span("GET /", kind=Span.SPAN_KIND_SERVER), service="web"))
    archive.add(request_of(span("charge", kind=Span.SPAN_KIND_CLIENT), service="pay"))
    assert told(archive, "resource.service.name") == [("string", '"pay"'), ("string", '"web"')]
    assert told(archive, "name") == told(archive, "span:name") == [("string", '"GET /"'), ("string", '"charge"')]
    assert told(archive, "kind") == [("keyword", "server"), ("keyword", "client")]
    assert archive.objects.read == []


def test_where_the_catalogue_does_not_list_operations_the_newest_such_blocks_do(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in range(2):
        spans = (span(f"{age}-{at}", start_ns=RECEIVED_NS - age) for at in range(600))
        archive.add(request_of(*spans, service=f"age-{age}"))
    assert not incomplete(archive, "resource.service.name")
    monkeypatch.setattr(tags, "TAG_BLOCKS_MAX", 1)
    assert told(archive, "resource.service.name") == [("string", '"age-0"')]
    assert incomplete(archive, "resource.service.name")


def test_a_query_chooses_the_spans_whose_values_are_told(archive: Archive) -> None:
    failed = Status(code=Status.STATUS_CODE_ERROR)
    archive.add(
        request_of(span("a", attributes={"v": 1}, status=failed), span("b", attributes={"v": 2}), service="web")
    )
    archive.add(request_of(span("c", attributes={"v": 3}), service="pay"))
    web = '{ resource.service.name = "web" }'
    assert told(archive, "span.v", web) == [("int", "1"), ("int", "2")]
    assert told(archive, "name", web) == [("string", '"a"'), ("string", '"b"')]
    assert told(archive, "status", web) == [("keyword", "unset"), ("keyword", "error")]
    assert told(archive, "resource.service.name", "{ span.v > 2 }") == [("string", '"pay"')]
    assert told(archive, "kind", web) == [("keyword", "internal")]


def test_roots_are_told_from_roots(archive: Archive) -> None:
    archive.add(request_of(span("root"), span("child", parent=b"parentid"), service="web"))
    assert told(archive, "rootName") == [("string", '"root"')]
    assert told(archive, "trace:rootService", "{ name = `root` }") == [("string", '"web"')]


@pytest.mark.parametrize("field", ["duration", "trace:id", "span:childCount", "nestedSetLeft", "event:timeSinceStart"])
def test_what_is_another_for_each_span_is_not_listed(archive: Archive, field: str) -> None:
    archive.add(request_of(span("a")))
    assert told(archive, field) == []


def test_the_most_frequent_values_are_kept_and_the_answer_says_that_there_are_others(archive: Archive) -> None:
    values = ["rare", "a", "b", "b", "a", "often", "often", "often"]
    archive.add(request_of(*(span(f"{at}", attributes={"v": value}) for at, value in enumerate(values))))
    assert told(archive, "span.v", limit=2) == [("string", '"a"'), ("string", '"often"')]
    assert incomplete(archive, "span.v", limit=3)
    assert not incomplete(archive, "span.v", limit=4)


def test_very_long_texts_are_left_out(archive: Archive) -> None:
    archive.add(request_of(span("a", attributes={"v": "x" * 1001}), span("b", attributes={"v": "x" * 1000})))
    assert told(archive, "span.v") == [("string", '"' + "x" * 1000 + '"')]


def test_where_not_all_blocks_are_read_the_newest_are_and_the_answer_says_so(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in range(2):
        archive.add(request_of(span(f"{age}", attributes={"v": age}, start_ns=RECEIVED_NS - age)))
    monkeypatch.setattr(tags, "TAG_BYTES_MAX", 1)
    assert told(archive, "span.v") == [("int", "0")]
    assert incomplete(archive, "span.v")


def test_values_of_other_times_and_tenants_are_not_told(archive: Archive) -> None:
    archive.add(request_of(span("a", attributes={"v": "late"}, start_ns=RANGE[1]), span("b", attributes={"v": "now"})))
    archive.add(request_of(span("c", attributes={"v": "foreign"})), tenant="rival")
    assert told(archive, "span.v") == [("string", '"now"')]


@pytest.mark.parametrize("query", ["{ } > { }", "{ traceDuration > 1s }", "{ } | rate()"])
def test_a_query_that_takes_whole_traces_is_refused(archive: Archive, query: str) -> None:
    with pytest.raises(Rejected, match="a filter finds"):
        told(archive, "name", query)


def test_no_more_than_the_cap_are_told(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.add(request_of(*(span(f"{at}", attributes={"v": at}) for at in range(5))))
    monkeypatch.setattr(module, "TAG_VALUES_MAX", 3)
    assert len(told(archive, "span.v")) == len(told(archive, "name")) == 3
    assert incomplete(archive, "name")
