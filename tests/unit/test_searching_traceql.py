"""What a TraceQL search answers beside which spans it finds, and what it does not read for that."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model.errors import QueryTooBroad, Rejected
from spandrel.query import reading as reading_module
from spandrel.query.found import Found, Order, Rank
from spandrel.query.search import search
from spandrel.query.sql import lists
from spandrel.traceql.errors import InvalidQuery, MistypedQuery, UnsupportedQuery
from spandrel.traceql.expressions import Attribute, Literal, Scope
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.parser import parse
from tests.archive import Archive
from tests.builders import RECEIVED_NS, request_of, span

SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
WORDS = ["span.", "by(", "count()", "&&", ">>", "--", "$1", "nil", "DROP TABLE spans", "\0", *string.printable]
RETRIES = Attribute(Scope.SPAN, "retries")


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def asked(archive: Archive, query: str, start_ns: int = RECEIVED_NS - HOUR_NS, **options: Any) -> Found:
    return search(archive.reading(), parse(query), start_ns, RECEIVED_NS + HOUR_NS, **options)


def numbers(found: Found) -> list[int]:
    return [int.from_bytes(one.summary.trace_id, "big") for one in found.traces]


def test_a_span_comes_with_the_fields_that_the_query_names_and_their_types(archive: Archive) -> None:
    attributes: dict[str, Any] = {"retries": 2, "tags": ["a", "b"], "other": "x"}
    archive.add(request_of(span("pay", attributes=attributes, status=Status(code=Status.STATUS_CODE_ERROR))))
    (trace,) = asked(archive, "{ span.retries > 1 && span.nope = nil } | select(status, span.tags)").traces
    (found,) = trace.spansets[0].spans
    assert dict(found.attributes) == {
        RETRIES: Literal(ValueType.INTEGER, 2),
        Intrinsic.STATUS: Literal(ValueType.STATUS, 2),
        Attribute(Scope.SPAN, "tags"): (Literal(ValueType.TEXT, "a"), Literal(ValueType.TEXT, "b")),
    }
    assert (found.name, found.service, found.start_ns) == ("pay", "checkout", RECEIVED_NS)


def test_a_set_counts_all_its_spans_and_shows_the_earliest(archive: Archive) -> None:
    archive.add(request_of(*(span(f"s{at}", start_ns=RECEIVED_NS + 5 - at) for at in range(5))))
    (trace,) = asked(archive, "{ }", spans_per_spanset=2).traces
    (spanset,) = trace.spansets
    assert spanset.matched == 5
    assert [one.name for one in spanset.spans] == ["s4", "s3"]


def test_sets_come_with_what_grouping_and_aggregates_found_out(archive: Archive) -> None:
    first = span("a", span_id=b"12345678", attributes={"retries": 1})
    archive.add(request_of(first, span("a", attributes={"retries": 3}), span("b")))
    (trace,) = asked(archive, "{ } | by(name) | max(span.retries) > 1").traces
    (spanset,) = trace.spansets
    found = {"by(name)": Literal(ValueType.TEXT, "a"), "max(span.retries)": Literal(ValueType.INTEGER, 3)}
    assert dict(spanset.values) == found


def test_a_group_without_value_says_so(archive: Archive) -> None:
    archive.add(request_of(span("a")))
    (trace,) = asked(archive, "{ } | by(span.nope)").traces
    assert dict(trace.spansets[0].values) == {"by(span.nope)": None}


def test_the_slowest_traces_come_first_when_they_are_asked_for(archive: Archive) -> None:
    for number, duration_ns in ((1, 5), (2, 9), (3, 7)):
        start_ns = RECEIVED_NS - number * SECOND_NS
        archive.add(request_of(span("a", trace_id=trace_id(number), start_ns=start_ns, duration_ns=duration_ns)))
    assert numbers(asked(archive, "{ }", order=Order.SLOWEST)) == [2, 3, 1]
    assert numbers(asked(archive, "{ }", order=Order.SLOWEST, limit=2)) == [2, 3]
    assert numbers(asked(archive, "{ duration < 9ns }", order=Order.SLOWEST, limit=1)) == [3]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.NEWEST, [1, 2, 3, 4]),
        (Order.OLDEST, [4, 3, 2, 1]),
        (Order.SLOWEST, [2, 3, 4, 1]),
        (Order.QUICKEST, [1, 3, 4, 2]),
        (Order.NAMES, [3, 1, 4, 2]),
        (Order.NAMES_BACKWARDS, [2, 1, 4, 3]),
        (Order.IDS, [1, 2, 3, 4]),
        (Order.IDS_BACKWARDS, [4, 3, 2, 1]),
    ],
    ids=lambda value: value.name if isinstance(value, Order) else "",
)
def test_pages_of_any_order_tell_of_each_trace_once_while_others_arrive(
    archive: Archive, order: Order, expected: list[int]
) -> None:
    for number, name, duration_ns in ((1, "cart", 5), (2, "cart é", 9), (3, "car", 7), (4, "cart", 7)):
        start_ns = RECEIVED_NS - number * SECOND_NS
        archive.add(request_of(span(name, trace_id=trace_id(number), start_ns=start_ns, duration_ns=duration_ns)))
    told: list[int] = []
    after: tuple[Rank, bytes] | None = None
    while page := asked(archive, "{ }", order=order, limit=1, after=after).traces:
        told += [one.summary.trace_id[-1] for one in page]
        after = page[-1].rank, page[-1].summary.trace_id
        archive.add(request_of(span("cart", trace_id=page[-1].summary.trace_id, start_ns=RECEIVED_NS, duration_ns=1)))
    assert told == expected


def test_an_answer_tells_what_was_read_for_it(archive: Archive) -> None:
    first, second = (archive.add(request_of(span("a"), service=name))[0] for name in ("web", "cart"))
    inspected = asked(archive, "{ }").inspected
    assert (inspected.blocks, inspected.spans) == (2, 2)
    assert inspected.size_bytes == first.size_bytes + second.size_bytes


def test_blocks_that_cannot_hold_the_service_are_not_read(archive: Archive) -> None:
    (web,) = archive.add(request_of(span("a", trace_id=trace_id(1)), service="web"))
    archive.add(request_of(span("a", trace_id=trace_id(2)), service="cart"))
    assert numbers(asked(archive, '{ resource.service.name = "web" && duration > 0ns }')) == [1]
    assert set(archive.objects.read) == {web.key}


def test_nothing_older_is_read_once_the_newest_are_found(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "_FIRST_BLOCKS", 2)
    for number in range(1, 21):
        start_ns = RECEIVED_NS - number * HOUR_NS
        archive.add(request_of(span("a", trace_id=trace_id(number), start_ns=start_ns)), received_ns=start_ns)
    assert numbers(asked(archive, "{ name = `a` }", RECEIVED_NS - 30 * HOUR_NS, limit=2)) == [1, 2]
    assert len(set(archive.objects.read)) == 2


def test_parents_and_children_are_found_in_whatever_blocks_they_lie(archive: Archive) -> None:
    parent = span("parent", start_ns=RECEIVED_NS - 50 * 60 * SECOND_NS)
    archive.add(request_of(parent))
    archive.add(request_of(span("child", parent=parent.span_id)))
    found = asked(archive, "{ name = `parent` } > { name = `child` }", RECEIVED_NS - SECOND_NS)
    assert [one.name for trace in found.traces for spans in trace.spansets for one in spans.spans] == ["child"]
    assert asked(archive, "{ name = `child` } > { name = `parent` }").traces == []


def test_a_rare_trace_is_found_among_many_that_only_look_like_it(archive: Archive) -> None:
    for number in range(1, 301):
        start_ns = RECEIVED_NS - number * SECOND_NS
        parent = span("rare" if number == 300 else "common", trace_id=trace_id(number), start_ns=start_ns)
        archive.add(
            request_of(parent, span("leaf", trace_id=trace_id(number), parent=parent.span_id, start_ns=start_ns))
        )
    archive.merge()
    assert numbers(asked(archive, "{ name = `rare` } > { name = `leaf` }", limit=1)) == [300]
    assert numbers(asked(archive, "{ rootName = `rare` && name = `leaf` }", limit=1)) == [300]


@pytest.mark.parametrize("roots", ["nestedSetParent < 0", "nestedSetParent = -1"])
def test_roots_are_found_as_grafana_asks_for_them(archive: Archive, roots: str) -> None:
    parent = span("root")
    archive.add(request_of(parent, span("child", parent=parent.span_id), span("orphan", parent=b"nowhere!")))
    found = asked(archive, f"{{ {roots} }}")
    names = [one.name for trace in found.traces for spans in trace.spansets for one in spans.spans]
    assert names == ["root"]


def test_a_search_makes_no_metrics(archive: Archive) -> None:
    with pytest.raises(MistypedQuery, match="makes metrics"):
        asked(archive, "{ } | rate()")


def test_a_time_range_is_bounded(archive: Archive) -> None:
    with pytest.raises(QueryTooBroad, match="744"):
        asked(archive, "{ }", RECEIVED_NS - 745 * HOUR_NS)
    with pytest.raises(Rejected, match="ends before it begins"):
        asked(archive, "{ }", RECEIVED_NS + HOUR_NS)


@pytest.mark.parametrize("query", [" | ".join(["{ name != `x` }"] * 100), "{ " + " + ".join([".v"] * 60) + " = 5 }"])
def test_a_query_of_too_many_parts_is_refused(archive: Archive, query: str) -> None:
    one = span("a", attributes={"v": 1})
    one.attributes.append(one.attributes[0])  # what repeats is kept in a rest
    archive.add(request_of(one))
    with pytest.raises(UnsupportedQuery, match=r"more than 60 steps|too many parts"):
        asked(archive, query)


def test_too_many_different_lists_are_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LISTS_MAX", 2)
    for number in range(3):
        one = span(f"s{number}", attributes={"v": [number]})
        one.attributes.append(one.attributes[0])
        archive.add(request_of(one))
    with pytest.raises(QueryTooBroad, match="more than 2 different lists"):
        asked(archive, "{ span.v = 1 }")


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(words=st.lists(st.sampled_from(WORDS), max_size=12))
def test_no_text_makes_a_search_fail_but_by_refusal(archive: Archive, words: list[str]) -> None:
    if not archive.catalogue.kept:
        archive.add(request_of(span("a", attributes={"x": "y"})))
    for text in ("".join(words), "{ .x = " + "".join(words) + " }", '{ span."' + "".join(words) + '" = 5 }'):
        try:
            asked(archive, text)
        except InvalidQuery as error:
            assert str(error)


@pytest.mark.parametrize("text", ["'; DROP TABLE spans; --", '" OR 1=1 --', "?", "{}", "$1", "\\", "a\"b'c", "é", "\0"])
def test_hostile_keys_and_values_are_only_text(archive: Archive, text: str) -> None:
    archive.add(request_of(span(text, trace_id=trace_id(1), kind=Span.SPAN_KIND_SERVER, attributes={text: text})))
    archive.add(request_of(span("a", trace_id=trace_id(2), attributes={"x": "y"})))
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "\\x00") + '"'
    key = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert numbers(asked(archive, f"{{ span.{key} = {quoted} }}")) == [1]
    assert numbers(asked(archive, f"{{ name = {quoted} }} | by(span.{key})")) == [1]
