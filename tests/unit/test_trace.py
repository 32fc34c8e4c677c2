from __future__ import annotations

import hashlib

import pytest

from spandrel.model.errors import NotFound, QueryTooBroad
from spandrel.query import reading as reading_module
from spandrel.query import trace as trace_module
from spandrel.query.reading import FOREVER_NS
from spandrel.query.trace import trace
from tests.archive import Archive
from tests.builders import RECEIVED_NS, request_of, span

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
ID = bytes(15) + b"\1"


def names(
    archive: Archive, trace_id: bytes = ID, tenant: str = "shop", start_ns: int = 0, end_ns: int = FOREVER_NS
) -> list[str]:
    spans = trace(archive.reading(tenant), trace_id, start_ns, end_ns)
    name = spans.columns.index("name")
    return [row[name] for row in spans.rows]


def test_a_trace_comes_whole_from_all_its_blocks_in_order_of_time(archive: Archive) -> None:
    archive.add(request_of(span("second", start_ns=RECEIVED_NS + 1), span("other", trace_id=b"o" * 16)))
    archive.add(request_of(span("third", start_ns=RECEIVED_NS + 2)))
    archive.add(request_of(span("first", start_ns=RECEIVED_NS)))
    assert names(archive) == ["first", "second", "third"]


def test_an_unknown_trace_is_not_found(archive: Archive) -> None:
    archive.add(request_of(span("a")))
    with pytest.raises(NotFound):
        names(archive, b"unknown trace id")


def test_a_trace_of_another_tenant_is_not_found(archive: Archive) -> None:
    archive.add(request_of(span("a")), tenant="rival")
    assert names(archive, tenant="rival") == ["a"]
    with pytest.raises(NotFound):
        names(archive)


def test_a_trace_is_followed_in_steps_of_an_hour_and_no_further(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "_FIRST_BLOCKS", 1)
    for number, minutes in enumerate((0, 50, 100, 150, 230)):
        start_ns = RECEIVED_NS - minutes * MINUTE_NS
        archive.add(request_of(span(f"{minutes} min ago", start_ns=start_ns)), received_ns=start_ns + number)
    assert names(archive) == ["150 min ago", "100 min ago", "50 min ago", "0 min ago"]


def test_spans_with_a_bad_clock_belong_to_their_trace(archive: Archive) -> None:
    archive.add(request_of(span("now"), span("in 1970", start_ns=0), span("in 2554", start_ns=2**64 - 1)))
    assert names(archive) == ["in 1970", "now", "in 2554"]


def test_a_trace_of_bad_clocks_alone_is_found(archive: Archive) -> None:
    archive.add(request_of(span("in 1970", start_ns=0)))
    archive.add(request_of(span("now", trace_id=b"o" * 16)))
    assert names(archive) == ["in 1970"]


def test_a_hint_spares_other_blocks(archive: Archive) -> None:
    for hours in range(0, 48, 3):
        start_ns = RECEIVED_NS - hours * HOUR_NS
        archive.add(
            request_of(span("first", trace_id=bytes(16), start_ns=start_ns), span("last", trace_id=b"\xff" * 16)),
            received_ns=start_ns,
        )
    start_ns = RECEIVED_NS - 24 * HOUR_NS
    archive.add(request_of(span("a", start_ns=start_ns)), received_ns=start_ns)
    assert names(archive, start_ns=start_ns, end_ns=start_ns + 1) == ["a"]
    assert len(set(archive.objects.read)) <= 3


def test_without_a_hint_a_trace_that_may_be_anywhere_is_refused_rather_than_denied(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "QUERY_BLOCKS_MAX", 2)
    monkeypatch.setattr(reading_module, "_FIRST_BLOCKS", 1)
    for hours in range(0, 12, 3):
        start_ns = RECEIVED_NS - hours * HOUR_NS
        around = [span("low", trace_id=bytes(16)), span("high", trace_id=b"\xff" * 16)]
        for one in around:
            one.start_time_unix_nano = start_ns
        archive.add(request_of(*around), received_ns=start_ns)
    with pytest.raises(QueryTooBroad):
        names(archive)


def test_copies_are_one_span(archive: Archive) -> None:
    for _ in range(3):
        archive.add(request_of(span("a"), span("b")))
    assert sorted(names(archive)) == ["a", "b"]


def test_parts_of_a_span_are_all_there(archive: Archive) -> None:
    started, ended = (span("started", span_id=b"\1" * 8), span("ended", span_id=b"\1" * 8, start_ns=0))
    started.end_time_unix_nano = 0
    for _ in range(2):
        archive.add(request_of(started, ended))
    assert names(archive) == ["ended", "started"]


def test_a_trace_of_ten_thousand_spans_comes_whole(archive: Archive) -> None:
    ids = [hashlib.sha256(str(number).encode()).digest()[:8] for number in range(10_008)]
    for part in range(4):
        archive.add(request_of(*(span("a", span_id=span_id, start_ns=RECEIVED_NS + part) for span_id in ids[part::4])))
    spans = trace(archive.reading(), ID)
    column = spans.columns.index("span_id")
    assert sorted(row[column] for row in spans.rows) == sorted(ids)


def test_a_trace_that_no_answer_holds_is_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "ANSWER_SPANS_MAX", 2)
    archive.add(request_of(*(span(name) for name in "abc")))
    with pytest.raises(QueryTooBroad, match="more than 2 spans"):
        names(archive)


def test_a_trace_is_answered_without_the_blocks_that_cannot_be_read(archive: Archive) -> None:
    archive.add(request_of(span("kept")))
    (lost,) = archive.add(request_of(span("lost")))
    del archive.objects.kept[lost.key]
    reading = archive.reading()
    assert len(trace(reading, ID).rows) == 1
    assert [one.block for one in reading.unread] == [lost]
