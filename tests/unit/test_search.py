from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model.errors import QueryTooBroad, Rejected
from spandrel.model.search import Search, ServiceCount
from spandrel.query import reading as reading_module
from spandrel.query.search import find, spans
from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS, key_value, request_of, span

SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
EVERYTHING = Search(start_ns=RECEIVED_NS - HOUR_NS, end_ns=RECEIVED_NS + HOUR_NS, limit=100)


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def found(archive: Archive, tenant: str = "shop", **search: Any) -> list[int]:
    """The numbers of the traces found."""
    summaries = find(archive.reading(tenant), replace(EVERYTHING, **search)).summaries
    return [int.from_bytes(summary.trace_id, "big") for summary in summaries]


def having(archive: Archive, key: str, text: str) -> list[int]:
    return found(archive, attributes=((key, text),))


def test_the_newest_traces_come_first_and_the_limit_cuts_the_oldest(archive: Archive) -> None:
    for number in (3, 1, 4, 2):
        archive.add(request_of(span("a", trace_id=trace_id(number), start_ns=RECEIVED_NS - number * SECOND_NS)))
    assert found(archive) == [1, 2, 3, 4]
    assert found(archive, limit=2) == [1, 2]


def test_a_trace_is_as_new_as_its_latest_span_that_matches(archive: Archive) -> None:
    long = [
        span("first", trace_id=trace_id(1), start_ns=RECEIVED_NS - 60 * SECOND_NS),
        span("last", trace_id=trace_id(1), start_ns=RECEIVED_NS),
    ]
    short = [span("first", trace_id=trace_id(2), start_ns=RECEIVED_NS - 30 * SECOND_NS)]
    archive.add(request_of(*long, *short))
    assert found(archive) == [1, 2]
    assert found(archive, operation="first") == [2, 1]


def test_no_more_blocks_are_opened_than_the_limit_needs(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "_FIRST_BLOCKS", 2)
    minutes = 10 * 60
    for number in range(1, 31):  # one every ten minutes, each arriving in time
        start_ns = RECEIVED_NS - number * minutes * SECOND_NS
        archive.add(request_of(span("a", trace_id=trace_id(number), start_ns=start_ns)), received_ns=start_ns)
    assert found(archive, limit=2, start_ns=RECEIVED_NS - 10 * HOUR_NS) == [1, 2]
    assert len(set(archive.objects.read)) == 2  # the ids that the others hold lie in another range


def test_all_of_a_trace_is_found_also_what_lies_outside_the_range(archive: Archive) -> None:
    archive.add(request_of(span("early", start_ns=RECEIVED_NS - 40 * 60 * SECOND_NS)))
    archive.add(request_of(span("late")))
    result = find(archive.reading(), replace(EVERYTHING, start_ns=RECEIVED_NS - SECOND_NS))
    assert [summary.spans for summary in result.summaries] == [2]
    assert len(spans(archive.reading(), result).rows) == 2


@pytest.mark.parametrize("merged", [False, True], ids=["as it arrived", "merged"])
def test_a_trace_found_by_its_last_span_is_whole_however_many_hours_it_goes_on(archive: Archive, merged: bool) -> None:
    for number in range(8):  # each within an hour of the next, each in a block of its own
        start_ns = RECEIVED_NS - (7 - number) * 50 * 60 * SECOND_NS
        archive.add(request_of(span(f"part {number}", start_ns=start_ns)), received_ns=start_ns)
        archive.add(request_of(span("other", trace_id=trace_id(9), start_ns=start_ns)), received_ns=start_ns)
    if merged:
        archive.merge()
    result = find(archive.reading(), replace(EVERYTHING, start_ns=RECEIVED_NS - 10 * HOUR_NS, operation="part 7"))
    assert [summary.spans for summary in result.summaries] == [8]
    assert len(spans(archive.reading(), result).rows) == 8


def test_the_next_blocks_opened_are_what_the_rest_takes_at_the_rate_that_was_found(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 41):  # one every ten minutes, each arriving in time
        start_ns = RECEIVED_NS - number * 600 * SECOND_NS
        archive.add(request_of(span("a", trace_id=trace_id(number), start_ns=start_ns)), received_ns=start_ns)
    one_block = max(block.size_bytes for block in archive.reading().live())
    monkeypatch.setattr(reading_module, "_FIRST_BYTES", 3 * one_block)
    assert found(archive, limit=6, start_ns=RECEIVED_NS - 10 * HOUR_NS) == [1, 2, 3, 4, 5, 6]
    assert 6 <= len(set(archive.objects.read)) <= 9  # not the twelve that a round of four times three would take


def test_a_range_takes_in_its_start_and_leaves_out_its_end(archive: Archive) -> None:
    archive.add(request_of(span("a", start_ns=RECEIVED_NS)))
    assert found(archive, start_ns=RECEIVED_NS, end_ns=RECEIVED_NS + 1) == [1]
    assert found(archive, start_ns=RECEIVED_NS - 1, end_ns=RECEIVED_NS) == []
    assert found(archive, start_ns=RECEIVED_NS + 1) == []


def test_durations_are_compared_in_nanoseconds_both_ends_included(archive: Archive) -> None:
    archive.add(request_of(span("a", duration_ns=4_999)))
    assert found(archive, min_duration_ns=4_999, max_duration_ns=4_999) == [1]
    assert found(archive, min_duration_ns=5_000) == []
    assert found(archive, max_duration_ns=4_998) == []


def test_all_conditions_must_hold_for_one_span(archive: Archive) -> None:
    archive.add(request_of(span("a", attributes={"x": "1"}), span("b", attributes={"y": "2"})))
    assert found(archive, attributes=(("x", "1"), ("y", "2"))) == []
    assert found(archive, operation="a", attributes=(("x", "1"),)) == [1]
    assert found(archive, operation="b", attributes=(("x", "1"),)) == []


def test_service_operation_and_kind_are_exact(archive: Archive) -> None:
    archive.add(request_of(span("GET /cart", kind=Span.SPAN_KIND_SERVER), service="cart"))
    assert found(archive, service="cart", operation="GET /cart", kind=2) == [1]
    for other in ({"service": "car"}, {"service": "Cart"}, {"operation": "GET"}, {"kind": 3}):
        assert found(archive, **other) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a=b:c", "a=b:c"),
        ('it\'s "quoted"', 'it\'s "quoted"'),
        ("naïve 日本 🦆", "naïve 日本 🦆"),
        ("", ""),
        (True, "true"),
        (200, "200"),
        (-(2**63), "-9223372036854775808"),
        (72.5, "72.5"),
        (3.0, "3"),
        (b"\0\xff", "AP8="),
        (["a", "b"], '["a", "b"]'),
        ([1, 2], "[1,2]"),
        ([1, "a"], '[1,"a"]'),
        ({"a": {"b": 1}}, '{"a":{"b":1}}'),
    ],
)
def test_an_attribute_is_compared_as_text_wherever_it_stands(archive: Archive, value: Any, text: str) -> None:
    pair = key_value("the.key", value)
    archive.add(request_of(span("a", trace_id=trace_id(1), attributes={"the.key": value})))
    archive.add(request_of(span("a", trace_id=trace_id(2)), resource={"the.key": value}))
    scoped = request_of(span("a", trace_id=trace_id(3)))
    scoped.resource_spans[0].scope_spans[0].scope.attributes.append(pair)
    archive.add(scoped)
    archive.add(request_of(span("a", trace_id=trace_id(4), events=[Span.Event(name="e", attributes=[pair])])))
    archive.add(request_of(span("a", trace_id=trace_id(5), links=[Span.Link(trace_id=b"t" * 16, attributes=[pair])])))
    twice = span("a", trace_id=trace_id(6), attributes={"the.key": "first"})
    twice.attributes.append(pair)
    archive.add(request_of(twice))
    archive.add(request_of(span("a", trace_id=trace_id(7), attributes={"another.key": value})))
    archive.add(request_of(span("a", trace_id=trace_id(8), attributes={"the.key": "other"})))
    assert sorted(having(archive, "the.key", text)) == [1, 2, 3, 4, 5, 6]
    assert having(archive, "resource.the.key", text) == [2]


def test_the_service_is_a_resource_attribute_like_any(archive: Archive) -> None:
    archive.add(request_of(span("a"), service="cart"))
    assert having(archive, "service.name", "cart") == [1]
    assert having(archive, "resource.service.name", "cart") == [1]
    assert having(archive, "resource.service.name", "shop") == []


def test_keys_that_differ_in_case_are_two(archive: Archive) -> None:
    archive.add(request_of(span("a", trace_id=trace_id(1), attributes={"userId": "x", "É": "x"})))
    archive.add(request_of(span("a", trace_id=trace_id(2), attributes={"userid": "x", "é": "x"})))
    assert (having(archive, "userId", "x"), having(archive, "userid", "x")) == ([1], [2])
    assert (having(archive, "É", "x"), having(archive, "é", "x")) == ([1], [2])


def test_error_kind_status_and_scope_are_asked_for_as_if_they_were_attributes(archive: Archive) -> None:
    failed = span("a", trace_id=trace_id(1), kind=Span.SPAN_KIND_CLIENT, status=Status(code=Status.STATUS_CODE_ERROR))
    archive.add(request_of(failed))
    fine = request_of(
        span("a", trace_id=trace_id(2), kind=Span.SPAN_KIND_SERVER, status=Status(code=Status.STATUS_CODE_OK))
    )
    fine.resource_spans[0].scope_spans[0].scope.version = "1.2"
    archive.add(fine)
    archive.add(request_of(span("a", trace_id=trace_id(3), attributes={"error": "false"})))
    assert having(archive, "error", "true") == [1]
    assert sorted(having(archive, "error", "false")) == [2, 3]
    assert having(archive, "span.status", "ok") == [2]
    assert having(archive, "span.status", "Unset") == [3]
    assert having(archive, "span.kind", "client") == [1]
    assert having(archive, "scope.version", "1.2") == [2]
    assert sorted(having(archive, "scope.version", "")) == [1, 3]
    assert sorted(having(archive, "scope.name", "tests")) == [1, 2, 3]


@pytest.mark.parametrize("attribute", [("error", "perhaps"), ("span.kind", "7"), ("span.status", "fine")])
def test_a_value_that_can_never_match_is_refused_by_name(archive: Archive, attribute: tuple[str, str]) -> None:
    archive.add(request_of(span("a")))
    with pytest.raises(Rejected, match=rf"{attribute[0]}.*{attribute[1]}"):
        having(archive, *attribute)


HOSTILE = [
    "'; DROP TABLE spans; --",
    '" OR 1=1 --',
    "\"; SELECT * FROM read_csv('/etc/passwd'); --",
    'x:string" IS NOT NULL OR "span.x',
    "a\"b'c?d$1",
    "?",
    "\\",
    "\0",
    "k" * 1000,
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_keys_and_values_are_only_text(archive: Archive, text: str) -> None:
    archive.add(request_of(span("a", trace_id=trace_id(1), attributes={text: text})))
    archive.add(request_of(span("a", trace_id=trace_id(2), attributes={"x": "y"})))
    assert having(archive, text, text) == [1]
    assert having(archive, text, text + "!") == []
    assert having(archive, "x", text) == []
    assert found(archive, service=text) == []
    assert found(archive, operation=text) == []


def test_copies_of_a_span_are_one_span_and_the_one_that_ended_last(archive: Archive) -> None:
    running = span("a", attributes={"state": "running"})
    running.end_time_unix_nano = 0
    ended = span("a", duration_ns=5 * SECOND_NS, attributes={"state": "ended"})
    for request in (request_of(ended), request_of(running), request_of(ended), request_of(ended, running)):
        archive.add(request)
    (summary,) = find(archive.reading(), EVERYTHING).summaries
    assert (summary.spans, summary.end_ns) == (1, RECEIVED_NS + 5 * SECOND_NS)
    assert having(archive, "state", "ended") == [1]
    assert having(archive, "state", "running") == []


def test_a_trace_that_matches_only_by_a_copy_that_does_not_count_takes_no_place(archive: Archive) -> None:
    for number in range(1, 6):
        start_ns = RECEIVED_NS - number * SECOND_NS
        running = span("a", trace_id=trace_id(number), start_ns=start_ns, attributes={"state": "running"})
        running.end_time_unix_nano = 0
        archive.add(request_of(running))
        if number < 4:
            archive.add(request_of(span("a", trace_id=trace_id(number), start_ns=start_ns)))
    assert found(archive, limit=2, attributes=(("state", "running"),)) == [4, 5]


def test_a_client_and_a_server_that_share_an_id_are_two_spans(archive: Archive) -> None:
    shared = b"sharedid"
    archive.add(request_of(span("call", span_id=shared, kind=Span.SPAN_KIND_CLIENT), service="cart"))
    archive.add(request_of(span("call", span_id=shared, kind=Span.SPAN_KIND_SERVER), service="stock"))
    (summary,) = find(archive.reading(), EVERYTHING).summaries
    assert summary.spans == 2


def test_a_summary_counts_the_whole_trace(archive: Archive) -> None:
    root = span("GET /", start_ns=RECEIVED_NS - 10, duration_ns=100)
    failed = span("charge", parent=root.span_id, duration_ns=1_000, status=Status(code=Status.STATUS_CODE_ERROR))
    archive.add(request_of(root, span("late root", start_ns=RECEIVED_NS), service="web"))
    archive.add(request_of(failed, span("orphan", parent=b"nowhere!"), service="pay"))
    (summary,) = find(archive.reading(), replace(EVERYTHING, operation="charge")).summaries
    assert (summary.root_service, summary.root_operation) == ("web", "GET /")
    assert (summary.start_ns, summary.end_ns) == (RECEIVED_NS - 10, RECEIVED_NS + 1_000_000)
    assert (summary.spans, summary.errors, summary.orphans) == (4, 1, 1)
    assert summary.services == (ServiceCount("pay", 2, 1), ServiceCount("web", 2, 0))


def test_a_trace_without_a_root_and_one_that_is_its_own_parent_are_summed_up(archive: Archive) -> None:
    archive.add(request_of(span("a", parent=b"absent!!", trace_id=trace_id(1))))
    archive.add(request_of(span("b", span_id=b"itself!!", parent=b"itself!!", trace_id=trace_id(2))))
    by_id = {summary.trace_id: summary for summary in find(archive.reading(), EVERYTHING).summaries}
    assert (by_id[trace_id(1)].root_operation, by_id[trace_id(1)].orphans) == ("", 1)
    assert (by_id[trace_id(2)].root_operation, by_id[trace_id(2)].orphans) == ("", 0)


def test_spans_far_from_their_arrival_are_found_at_their_own_time(archive: Archive) -> None:
    day_ns = 86_400 * SECOND_NS
    archive.add(request_of(span("replay", start_ns=day_ns), span("skewed", trace_id=trace_id(2), start_ns=2**64 - 1)))
    assert found(archive, start_ns=day_ns, end_ns=2 * day_ns) == [1]
    assert found(archive, start_ns=2**64 - day_ns, end_ns=2**64) == [2]
    assert found(archive) == []


def test_a_range_that_is_empty_or_too_broad_is_refused(archive: Archive) -> None:
    with pytest.raises(Rejected, match="ends before it begins"):
        found(archive, end_ns=EVERYTHING.start_ns)
    with pytest.raises(QueryTooBroad, match="744"):
        found(archive, start_ns=RECEIVED_NS - 745 * HOUR_NS)


def test_what_would_read_too_much_is_refused_and_not_cut(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 4):
        archive.add(request_of(span("a", trace_id=trace_id(number))))
    monkeypatch.setattr(reading_module, "QUERY_BLOCKS_MAX", 2)
    with pytest.raises(QueryTooBroad, match=r"3 blocks .* narrow the time range"):
        found(archive)
    monkeypatch.setattr(reading_module, "QUERY_BLOCKS_MAX", 3)
    monkeypatch.setattr(reading_module, "QUERY_BYTES_MAX", 1000)
    with pytest.raises(QueryTooBroad, match="narrow the time range"):
        found(archive)


def test_a_question_that_takes_too_long_is_stopped(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.add(request_of(span("a")))
    monkeypatch.setattr(reading_module, "QUERY_SECONDS_MAX", 0)
    with pytest.raises(QueryTooBroad, match="longer than one request may"):
        found(archive)


def test_more_spans_than_an_answer_holds_are_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    from spandrel.query import trace

    monkeypatch.setattr(trace, "ANSWER_SPANS_MAX", 2)
    archive.add(request_of(*(span(name) for name in "abc")))
    result = find(archive.reading(), EVERYTHING)
    with pytest.raises(QueryTooBroad, match="more than 2 spans"):
        spans(archive.reading(), result)


def test_a_corrupt_block_is_reported_and_the_others_answer(archive: Archive) -> None:
    good, corrupt, missing, short, newer = (
        archive.add(request_of(span("a", trace_id=trace_id(number))))[0] for number in range(1, 6)
    )
    body = bytearray(archive.objects.kept[corrupt.key])
    body[len(body) // 2] ^= 1
    archive.objects.kept[corrupt.key] = bytes(body)
    del archive.objects.kept[missing.key]
    archive.objects.kept[short.key] = archive.objects.kept[short.key][:-1]
    archive.catalogue.kept[newer.key] = replace(newer, format_version=newer.format_version + 1)
    reading = archive.reading()
    assert [summary.trace_id for summary in find(reading, EVERYTHING).summaries] == [trace_id(1)]
    reasons = {one.block.key: one.reason for one in reading.unread}
    assert set(reasons) == {corrupt.key, missing.key, short.key, newer.key}
    assert good.key not in reasons
    assert "corrupt" in reasons[corrupt.key]
    assert reasons[missing.key] == "missing"
    assert "corrupt" in reasons[short.key]
    assert "newer" in reasons[newer.key]


def test_tenants_never_see_each_other(archive: Archive) -> None:
    archive.add(request_of(span("a", trace_id=trace_id(1), attributes={"k": "v"})), tenant="shop")
    archive.add(request_of(span("a", trace_id=trace_id(2), attributes={"k": "v"})), tenant="rival")
    assert found(archive, tenant="shop") == [1]
    assert found(archive, tenant="rival", attributes=(("k", "v"),)) == [2]
    assert found(archive, tenant="nobody") == []


def test_five_hundred_small_blocks_are_searched_as_one(tmp_path: Path) -> None:
    with archive_in(tmp_path) as archive:
        for number in range(1, 501):
            start_ns = RECEIVED_NS - number * SECOND_NS
            attributes = {"number": number, f"rare.{number}": "x"}
            archive.add(request_of(span("a", trace_id=trace_id(number), start_ns=start_ns, attributes=attributes)))
        assert found(archive, limit=3) == [1, 2, 3]
        assert having(archive, "number", "500") == [500]
        assert having(archive, "rare.250", "x") == [250]
        assert having(archive, "rare.251", "y") == []
