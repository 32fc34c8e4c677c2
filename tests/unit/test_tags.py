from __future__ import annotations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.blocks import parts
from spandrel.model.errors import Rejected
from spandrel.query import tags
from spandrel.query.tags import TagName, TagScope, tag_names
from spandrel.traceql.checking import check
from spandrel.traceql.errors import UnsupportedQuery
from spandrel.traceql.parser import parse
from tests.archive import Archive
from tests.builders import RECEIVED_NS, key_value, request_of, span

HOUR_NS = 3600 * 10**9
RANGE = (RECEIVED_NS - HOUR_NS, RECEIVED_NS + HOUR_NS)


def names(archive: Archive, scope: TagScope) -> dict[str, tuple[str, ...]]:
    """The names of a scope with their types."""
    return {one.name: one.types for one in tag_names(archive.reading(), *RANGE, scope).names}


def test_attributes_are_named_by_their_scope_with_the_types_that_they_have(archive: Archive) -> None:
    request = request_of(span("a", attributes={"n": 1, "hit": True, "ids": ["x"]}), resource={"zone": "eu"})
    request.resource_spans[0].scope_spans[0].scope.attributes.append(key_value("lib", "flask"))
    archive.add(request)
    archive.add(request_of(span("b", attributes={"n": 1.5})))
    assert names(archive, "span") == {"n": ("float", "int"), "hit": ("bool",), "ids": ("string",)}
    assert names(archive, "resource") == {"service.name": ("string",), "zone": ("string",)}
    assert names(archive, "instrumentation") == {"lib": ("string",)}


def test_attributes_of_events_and_links_are_named_too(archive: Archive) -> None:
    event = Span.Event(name="exception", attributes=[key_value("exception.type", "E")])
    link = Span.Link(trace_id=b"1" * 16, span_id=b"1" * 8, attributes=[key_value("weight", 2)])
    archive.add(request_of(span("a", events=[event], links=[link])))
    assert names(archive, "event") == {"exception.type": ("string",)}
    assert names(archive, "link") == {"weight": ("int",)}


def test_attributes_without_a_column_of_their_own_are_named_too(archive: Archive) -> None:
    many = {f"key {number}": number for number in range(200)}
    archive.add(request_of(span("a", attributes=many)))
    assert names(archive, "span").keys() == many.keys()


def test_intrinsics_have_durations_and_keywords_among_their_types(archive: Archive) -> None:
    found = names(archive, "intrinsic")
    assert (found["duration"], found["status"], found["name"]) == (("duration",), ("keyword",), ("string",))
    assert "parent" not in found


def test_without_a_scope_all_are_listed_by_scope_and_name(archive: Archive) -> None:
    archive.add(request_of(span("a", attributes={"b": 1, "a": 1})))
    listed = tag_names(archive.reading(), *RANGE).names
    assert [one for one in listed if one.scope != "intrinsic"] == [
        TagName("resource", "service.name", ("string",)),
        TagName("span", "a", ("int",)),
        TagName("span", "b", ("int",)),
    ]
    assert listed == sorted(listed, key=lambda one: (one.scope, one.name))


def test_names_of_other_times_and_tenants_are_not_told(archive: Archive) -> None:
    archive.add(request_of(span("a", attributes={"early": 1}, start_ns=RECEIVED_NS - 3 * HOUR_NS)))
    archive.add(request_of(span("b", attributes={"foreign": 1})), tenant="rival")
    assert names(archive, "span") == {}


def test_where_not_all_blocks_are_looked_at_the_newest_are_and_the_answer_says_so(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in range(3):
        archive.add(request_of(span(f"{age}", attributes={f"age {age}": 1}, start_ns=RECEIVED_NS - age)))
    assert not tag_names(archive.reading(), *RANGE).incomplete
    monkeypatch.setattr(tags, "TAG_BLOCKS_MAX", 2)
    assert names(archive, "span").keys() == {"age 0", "age 1"}
    assert tag_names(archive.reading(), *RANGE).incomplete
    monkeypatch.setattr(tags, "TAG_BYTES_MAX", 1)
    assert names(archive, "span").keys() == {"age 0"}


def test_more_names_than_are_listed_are_said_to_be_more(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.add(request_of(span("a", attributes={"a": 1, "b": 1, "c": 1})))
    monkeypatch.setattr(tags, "TAG_NAMES_MAX", 2)
    found = tag_names(archive.reading(), *RANGE, "span")
    assert ([one.name for one in found.names], found.incomplete) == (["a", "b"], True)


def test_more_names_than_a_footer_counts_are_said_to_be_more(archive: Archive) -> None:
    archive.add(request_of(span("a", attributes={f"key {number}": number for number in range(700)})))
    found = tag_names(archive.reading(), *RANGE, "span")
    assert (len(found.names), found.incomplete) == (128 + 512, True)


def test_a_range_that_ends_before_it_begins_is_refused(archive: Archive) -> None:
    with pytest.raises(Rejected):
        tag_names(archive.reading(), 2, 1)


def test_with_a_query_names_are_those_of_the_spans_that_come_out(archive: Archive) -> None:
    many = {f"key {number}": number for number in range(200)}
    event = Span.Event(name="e", attributes=[key_value("exception.type", "E")])
    link = Span.Link(trace_id=b"1" * 16, span_id=b"1" * 8, attributes=[key_value("weight", 2.5)])
    archive.add(request_of(span("a", attributes={"list": ["x"]} | many, events=[event], links=[link]), service="web"))
    archive.add(request_of(span("b", attributes={"other": True}), service="cart", resource={"zone": "eu"}))

    def found(query: str, scope: TagScope) -> dict[str, tuple[str, ...]]:
        listed = tag_names(archive.reading(), *RANGE, scope, check(parse(query)))
        return {one.name: one.types for one in listed.names}

    web, cart = '{ resource.service.name = "web" }', '{ resource.service.name = "cart" && span.other }'
    assert found(web, "span").keys() == many.keys() | {"list"}
    assert found(web, "resource") == {"service.name": ("string",)}
    assert (found(web, "event"), found(web, "link")) == ({"exception.type": ("string",)}, {"weight": ("float",)})
    assert (found(cart, "span"), found(cart, "event")) == ({"other": ("bool",)}, {})
    assert found(cart, "resource") == {"service.name": ("string",), "zone": ("string",)}
    assert found("{ false }", "span") == {}
    assert found("{ false }", "intrinsic") == names(archive, "intrinsic")


@pytest.mark.parametrize("query", ["{ rootName = `a` }", "{ } >> { }", "{ } | count() > 1", "{ } | rate()"])
def test_a_query_that_takes_whole_traces_is_refused(archive: Archive, query: str) -> None:
    archive.add(request_of(span("a")))
    with pytest.raises(UnsupportedQuery, match="a filter finds"):
        tag_names(archive.reading(), *RANGE, query=check(parse(query)))


def test_of_a_large_block_names_need_the_footer_alone(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "WHOLE_BYTES", 0)
    monkeypatch.setattr(parts, "_TAIL_BYTES", 8192)
    many = (span(f"{number}", attributes={"n": str(number) * 50}) for number in range(2000))
    (large,) = archive.add(request_of(*many))
    assert names(archive, "span") == {"n": ("string",)}
    assert archive.objects.read_bytes < large.size_bytes / 4
    assert names(archive, "span") == {"n": ("string",)}
    assert archive.objects.read == [large.key]


def test_a_block_whose_footer_does_not_read_is_left_out_and_counted(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "WHOLE_BYTES", 0)
    archive.add(request_of(span("a", attributes={"a": 1})))
    broken, missing = (archive.add(request_of(span(name, attributes={name: 1})))[0] for name in ("b", "c"))
    archive.objects.kept[broken.key] = bytes(broken.size_bytes)
    del archive.objects.kept[missing.key]
    reading = archive.reading()
    assert [one.name for one in tag_names(reading, *RANGE, "span").names] == ["a"]
    assert {one.block.key for one in reading.unread} == {broken.key, missing.key}
