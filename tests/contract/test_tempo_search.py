"""Tempo's search: what its parameters ask for, and what is told of the traces that are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from query.answering import Answering
from tests.archive import Archive, archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract import tempo_answers
from tests.contract.jaeger_shop import put_shop
from tests.contract.tempo_answers import NOW_NS, START_S, refusal

SECOND_NS = 10**9
SHOP, CRON = "1", "2"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as archive:
        yield archive


@pytest.fixture
def tempo(archive: Archive) -> Asking:
    return Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A client where the traces of `put_shop` are, for tests that only ask."""
    with archive_in(tmp_path_factory.mktemp("shop")) as archive:
        put_shop(archive)
        yield Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


def found(asking: Asking, **query: str) -> list[dict[str, Any]]:
    reply = asking.get("/tempo/api/search", query)
    assert reply.status == 200, reply.body
    tempo_answers.assert_fits(reply.json, tempo_answers.SEARCH)
    return list(reply.json["traces"])


def ids(asking: Asking, **query: str) -> list[str]:
    return [trace["traceID"] for trace in found(asking, **query)]


def test_a_trace_that_is_found_is_told_in_short(shop: Asking) -> None:
    (trace,) = found(shop, q='{ span.user.id = "7" && duration > 1ms }')
    spans = {
        "spans": [
            {
                "spanID": trace["spanSet"]["spans"][0]["spanID"],
                "name": "POST /checkout",
                "startTimeUnixNano": str(RECEIVED_NS),
                "durationNanos": "2000000",
                "attributes": [
                    {"key": "service.name", "value": {"stringValue": "web"}},
                    {"key": "user.id", "value": {"stringValue": "7"}},
                ],
            }
        ],
        "matched": 1,
    }
    assert trace == {
        "traceID": SHOP,
        "rootServiceName": "web",
        "rootTraceName": "POST /checkout",
        "startTimeUnixNano": str(RECEIVED_NS),
        "durationMs": 2,
        "serviceStats": {"pay": {"spanCount": 1, "errorCount": 1}, "web": {"spanCount": 2}},
        "spanSet": spans,
        "spanSets": [spans],
    }


def test_an_answer_says_what_it_took(shop: Asking) -> None:
    told = shop.get("/tempo/api/search").json["metrics"]
    assert (told["totalBlocks"], told["inspectedSpans"]) == (3, "4")
    assert int(told["inspectedBytes"]) > 1000


def test_nothing_that_is_found_is_an_empty_list(tempo: Asking) -> None:
    assert found(tempo, q='{ name = "nobody" }') == []


def test_without_a_query_all_traces_are_found_the_newest_first(shop: Asking) -> None:
    assert ids(shop) == [CRON, SHOP]
    assert ids(shop, q="{ }") == [CRON, SHOP]
    assert ids(shop, limit="1") == [CRON]


@pytest.mark.parametrize(
    ("query", "traces"),
    [
        ('{ name = "POST /checkout" } >> { status = error }', [SHOP]),
        ('{ name = "POST /checkout" } > { status = error }', []),
        ("{ kind = server } && { kind = client }", [SHOP]),
        ("{ nestedSetParent < 0 } | select(name, kind)", [CRON, SHOP]),
        ("{ } | count() > 2", [SHOP]),
        ('{ rootServiceName = "cron" }', [CRON]),
        ("{ trace:duration > 1ms }", [SHOP]),
        ("{ } | rate()", [CRON, SHOP]),  # as in Tempo: what comes before is the search
        ("{ status = error } | rate() | topk(3)", [SHOP]),
        ("{ } with(most_recent=true)", [CRON, SHOP]),
    ],
)
def test_traceql_is_answered(shop: Asking, query: str, traces: Sequence[str]) -> None:
    assert ids(shop, q=query) == traces


def test_places_in_a_trace_are_told_where_a_query_selects_them(shop: Asking) -> None:
    query = '{ name = "charge" } | select(nestedSetParent, nestedSetLeft, nestedSetRight, status)'
    ((span_found,),) = (trace["spanSet"]["spans"] for trace in found(shop, q=query))
    told = {pair["key"]: pair["value"] for pair in span_found["attributes"]}
    assert told == {
        "service.name": {"stringValue": "web"},
        "nestedSetParent": {"intValue": "1"},
        "nestedSetLeft": {"intValue": "2"},
        "nestedSetRight": {"intValue": "5"},
        "status": {"stringValue": "unset"},
    }


def test_groups_are_sets_of_their_own_with_what_made_them(shop: Asking) -> None:
    (trace,) = found(shop, q="{ } | by(resource.service.name) | count() > 1")
    (spanset,) = trace["spanSets"]
    assert spanset["matched"] == 2
    assert spanset["attributes"] == [
        {"key": "by(resource.service.name)", "value": {"stringValue": "web"}},
        {"key": "count()", "value": {"intValue": "2"}},
    ]


def test_values_of_all_types_are_told(archive: Archive, tempo: Asking) -> None:
    said = {"whole": 5, "part": 0.5, "yes": True, "texts": ["a", "b"], "huge": float("inf")}
    archive.add(request_of(span("a", attributes=said)))
    (trace,) = found(tempo, q="{ .whole = 5 } | select(.part, .yes, .texts, .huge, .missing)")
    told = {pair["key"]: pair["value"] for pair in trace["spanSet"]["spans"][0]["attributes"]}
    assert told == {
        "service.name": {"stringValue": "checkout"},
        "whole": {"intValue": "5"},
        "part": {"doubleValue": 0.5},
        "yes": {"boolValue": True},
        "texts": {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}},
        "huge": {"doubleValue": "Infinity"},
    }


@pytest.mark.parametrize(("spss", "told"), [(None, 3), ("0", 3), ("1", 1), ("100", 5)])
def test_as_many_spans_of_a_set_are_told_as_are_asked_for(
    archive: Archive, tempo: Asking, spss: str | None, told: int
) -> None:
    archive.add(request_of(*(span(f"s{n}", start_ns=RECEIVED_NS + n) for n in range(5))))
    (trace,) = found(tempo, q="{ }", **({"spss": spss} if spss else {}))
    assert (len(trace["spanSet"]["spans"]), trace["spanSet"]["matched"]) == (told, 5)


def test_twenty_traces_are_told_unless_others_are_wanted(archive: Archive, tempo: Asking) -> None:
    archive.add(
        request_of(*(span("a", trace_id=n.to_bytes(16, "big"), start_ns=RECEIVED_NS + n) for n in range(1, 41)))
    )
    assert ids(tempo) == [f"{n:x}" for n in range(40, 20, -1)]
    assert len(ids(tempo, limit="30")) == 30


def test_a_trace_without_its_root_says_so(archive: Archive, tempo: Asking) -> None:
    archive.add(request_of(span("orphan", parent=b"\7" * 8)))
    (trace,) = found(tempo)
    assert trace["rootServiceName"] == trace["rootTraceName"] == "<root span not yet received>"


def test_what_is_zero_is_left_out(archive: Archive, tempo: Asking) -> None:
    archive.add(request_of(span("instant", duration_ns=0, trace_id=b"\xab" * 16)))
    (trace,) = found(tempo, q="{ }")
    assert trace["traceID"] == "ab" * 16
    assert "durationMs" not in trace
    assert "durationNanos" not in trace["spanSet"]["spans"][0]


@pytest.mark.parametrize(
    ("tags", "traces"),
    [
        ("service.name=web", [SHOP]),
        ("service.name=we", [SHOP]),  # names are found by a part of them
        ("service.name=we.", []),
        ('name="POST /ch"', [SHOP]),
        ("service.name=web name=charge", [SHOP]),
        ("service.name=pay name=checkout", [SHOP]),  # on different spans of the trace
        ("service.name=cron name=charge", []),
        ("root.service.name=cron", [CRON]),
        ("root.name=sweep", [CRON]),
        ("status.code=error", [SHOP]),
        ("status.code=unset", [CRON, SHOP]),
        ("error=true", [SHOP]),
        ("user.id=7", [SHOP]),
        ("user.id=8", []),
        ("  user.id=7  ", [SHOP]),
        ("host.name=box-2", []),
    ],
)
def test_tags_are_found_as_before_traceql(shop: Asking, tags: str, traces: Sequence[str]) -> None:
    assert ids(shop, tags=tags) == traces
    assert all("spanSets" not in trace for trace in found(shop, tags=tags))


def test_a_tag_is_written_as_its_value_is_shown(archive: Archive, tempo: Asking) -> None:
    said = {"http.status_code": 500, "retried": True, "said": 'he said "no"', "error": "timeout"}
    archive.add(request_of(span("a", attributes=said), resource={"host.name": "box 2"}))
    for tags in (
        "http.status_code=500",
        "retried=true",
        r'said="he said \"no\""',
        'host.name="box 2"',
        "error=timeout",
    ):
        assert ids(tempo, tags=tags) == [SHOP], tags
    assert ids(tempo, tags="http.status_code=50") == []


def test_grafanas_first_tempo_gave_tags_as_parameters(shop: Asking) -> None:
    assert ids(shop, **{"service.name": "cron"}) == [CRON]
    assert ids(shop, **{"service.name": "web", "name": "charge", "limit": "5"}) == [SHOP]
    times = {"start": str(START_S - 60), "end": str(START_S + 60)}
    assert ids(shop, foo="bar", **times) == [CRON, SHOP]


@pytest.mark.parametrize(
    ("bounds", "traces"),
    [
        ({"minDuration": "2ms"}, [SHOP]),
        ({"maxDuration": "1ms"}, [CRON]),
        ({"minDuration": "1ms", "maxDuration": "2ms"}, [CRON, SHOP]),
        ({"minDuration": "1.9ms"}, [CRON, SHOP]),  # whole milliseconds
        ({"maxDuration": "999us"}, [CRON, SHOP]),  # less than one is none
        ({"minDuration": "2ms", "tags": "service.name=cron"}, []),
        ({"minDuration": "2ms", "tags": "service.name=web user.id=7"}, [SHOP]),
        ({"minDuration": "1h", "q": "{ }"}, [CRON, SHOP]),  # not looked at beside a query
    ],
)
def test_bounds_are_of_the_traces_duration(shop: Asking, bounds: Mapping[str, str], traces: Sequence[str]) -> None:
    assert ids(shop, **bounds) == traces


def test_start_and_end_are_seconds_and_both_belong_to_the_range(shop: Asking) -> None:
    assert ids(shop, start=str(START_S), end=str(START_S + 5)) == [CRON, SHOP]
    assert ids(shop, start=str(START_S + 1), end=str(START_S + 5)) == [CRON]
    assert ids(shop, start=str(START_S - 5), end=str(START_S + 1)) == [SHOP]


def test_without_times_the_last_hour_is_searched(archive: Archive, tempo: Asking) -> None:
    hour_ns = 3600 * SECOND_NS
    for name, age_ns in (("old", hour_ns + SECOND_NS), ("new", hour_ns - SECOND_NS)):
        one = span(name, trace_id=name.encode().rjust(16, b"\0"), start_ns=NOW_NS - age_ns, kind=Span.SPAN_KIND_SERVER)
        archive.add(request_of(one), received_ns=NOW_NS)
    assert [trace["rootTraceName"] for trace in found(tempo)] == ["new"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"q": "{ }", "tags": "a=b"}, "invalid request: can't specify tags and q in the same query"),
        ({"start": "20", "end": "10"}, "start must be before end. received start=20 end=10"),
        ({"start": "10"}, "start must be before end. received start=10 end=0"),
        ({"start": "now", "end": "10"}, "parameter start"),
        ({"start": "1", "end": "4294967296"}, "parameter end"),
        ({"start": "1", "end": str(START_S)}, "744"),
        ({"limit": "0"}, "parameter limit"),
        ({"limit": "1501"}, "from 1 to 1500"),
        ({"spss": "101"}, "from 0 to 100"),
        ({"spss": "few"}, "parameter spss"),
        ({"minDuration": "5"}, "minDuration"),
        ({"minDuration": "-5ms"}, "minDuration"),
        ({"maxDuration": "long"}, "maxDuration"),
        ({"minDuration": "2s", "maxDuration": "1s"}, "invalid maxDuration: must be greater than minDuration"),
        ({"tags": "a=1 a=2"}, "invalid tags: tag a has been set twice"),
        ({"tags": 'a="open'}, "invalid tags: "),
        ({"tags": "a=b=c"}, "at pos 0"),
        ({"tags": "=b"}, "invalid tags: "),
        ({"tags": "status.code=bad"}, "status.code is one of unset, ok, error"),
        ({"tags": " ".join(f"t{n}=1" for n in range(33))}, "32"),
        ({"q": "{ foo }"}, "invalid TraceQL query: parse error at line 1, col 3: "),
        ({"q": "{ name > 5 }"}, "invalid TraceQL query: "),
        ({"q": "{ parent.x = 5 }"}, "invalid TraceQL query: "),
        ({"q": "({ } | rate()) / ({ } | rate())"}, "invalid TraceQL query: "),
        ({"q": "{ }" + " " * 17_000}, "16384"),
    ],
)
def test_what_cannot_be_answered_is_refused_as_text(shop: Asking, query: Mapping[str, str], said: str) -> None:
    assert said in refusal(shop.get("/tempo/api/search", query))
