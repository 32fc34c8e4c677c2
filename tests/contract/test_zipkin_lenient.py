"""Ids of 64 and of 128 bits as one trace: Zipkin's API below /zipkin/lenient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from query.answering import Answering
from spandrel.query import namesakes, reading
from spandrel.wire.zipkin import endpoint as wire
from tests.archive import Archive
from tests.asking import Asking, Reply
from tests.builders import RECEIVED_NS
from tests.contract.zipkin_answers import asking_zipkin
from tests.wire.zipkin_sending import sent_spans

START_US = RECEIVED_NS // 1000
NOW_MS = RECEIVED_NS // 10**6 + 10_000
MINUTE_US = 60 * 10**6
LOW, LONG = "000000000000abcd", "463ac35c9f6413ad000000000000abcd"
LENIENT = "/zipkin/lenient/api/v2"


@pytest.fixture
def zipkin(archive: Archive) -> Asking:
    return asking_zipkin(Answering(archive.store, archive.objects, lambda: NOW_MS * 10**6).answer)


def put(archive: Archive, trace_id: str, name: str, minutes: float = 0, **other: Any) -> None:
    """A span as a client of Zipkin sends it."""
    start_us = START_US + int(minutes * MINUTE_US)
    said = {"traceId": trace_id, "id": f"{len(name):016x}", "name": name, "timestamp": start_us, "duration": 5}
    archive.add(wire.decode(sent_spans(said | other)).otlp, received_ns=start_us * 1000)


def put_both(archive: Archive) -> None:
    put(archive, LONG, "front", -2, localEndpoint={"serviceName": "web"})
    put(archive, LOW, "back-end", -1, localEndpoint={"serviceName": "old"})


def names(spans: list[Mapping[str, Any]]) -> list[str]:
    return [str(span["name"]) for span in spans]


def refused(reply: Reply, status: int = 400) -> str:
    assert reply.status == status
    return reply.body.decode()


@pytest.mark.parametrize("asked", [LOW, "abcd", LONG])
@pytest.mark.parametrize("indexed", [False, True])
def test_either_id_finds_both_parts_in_order(archive: Archive, zipkin: Asking, asked: str, indexed: bool) -> None:
    put_both(archive)
    if indexed:
        archive.index()
    found = zipkin.get(f"{LENIENT}/trace/{asked}").json
    assert names(found) == ["front", "back-end"]
    assert [span["traceId"] for span in found] == [LONG, LOW]


def test_elsewhere_they_are_two_traces(archive: Archive, zipkin: Asking) -> None:
    put_both(archive)
    for base in ("/api/v2", "/zipkin/api/v2"):
        assert names(zipkin.get(f"{base}/trace/{LOW}").json) == ["back-end"]
        assert names(zipkin.get(f"{base}/trace/{LONG}").json) == ["front"]


def test_an_id_of_64_bits_that_nobody_sent_so_is_found_by_the_time_it_was(archive: Archive, zipkin: Asking) -> None:
    put(archive, LONG, "front", -30 * 60)
    assert refused(zipkin.get(f"{LENIENT}/trace/{LOW}"), 404) == f"{LOW} not found"
    times = {"endTs": str(NOW_MS), "lookback": str(40 * 3600 * 1000)}
    assert names(zipkin.get(f"{LENIENT}/trace/{LOW}", times).json) == ["front"]


def test_namesakes_are_looked_for_near_the_spans_that_are_known(archive: Archive, zipkin: Asking) -> None:
    put(archive, LOW, "back-end", -5000)
    put(archive, LONG, "front", -4991)
    put(archive, LONG.replace("46", "47"), "of another day", -100)
    assert names(zipkin.get(f"{LENIENT}/trace/{LOW}").json) == ["back-end", "front"]


def test_a_found_trace_has_all_its_parts_and_others_have_theirs(archive: Archive, zipkin: Asking) -> None:
    put_both(archive)
    put(archive, "ef", "alone", -3, localEndpoint={"serviceName": "web"})
    (both, alone) = zipkin.get(f"{LENIENT}/traces", {"serviceName": "web"}).json
    assert (names(both), names(alone)) == (["front", "back-end"], ["alone"])
    assert [names(trace) for trace in zipkin.get(f"{LENIENT}/traces").json] == [["front", "back-end"], ["alone"]]
    assert len(zipkin.get("/api/v2/traces").json) == 3
    assert zipkin.get(f"{LENIENT}/traces", {"serviceName": "nobody"}).json == []


def test_many_traces_are_told_by_their_halves(archive: Archive, zipkin: Asking) -> None:
    put_both(archive)
    put(archive, "ef", "alone", -3)
    found = zipkin.get(f"{LENIENT}/traceMany", {"traceIds": f"{LOW},ef,12"}).json
    assert [names(trace) for trace in found] == [["front", "back-end"], ["alone"]]
    assert "redundant traceId" in refused(zipkin.get(f"{LENIENT}/traceMany", {"traceIds": f"{LOW},{LONG}"}))


def test_what_would_read_too_much_is_refused_with_what_to_do(
    archive: Archive, zipkin: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_both(archive)
    monkeypatch.setattr(reading, "QUERY_BLOCKS_MAX", 1)
    assert "endTs and lookback say when it was" in refused(zipkin.get(f"{LENIENT}/trace/{LOW}"))


def test_the_rest_of_the_api_is_there_too(archive: Archive, zipkin: Asking) -> None:
    put_both(archive)
    assert zipkin.get(f"{LENIENT}/services").json == ["old", "web"]
    assert zipkin.get("/zipkin/lenient/config.json").json == zipkin.get("/zipkin/config.json").json


def test_nobody_sees_the_namesakes_of_another_tenant(archive: Archive, zipkin: Asking) -> None:
    put_both(archive)
    assert zipkin.get(f"{LENIENT}/trace/{LOW}", tenant="other").status == 404


def test_parts_of_spans_without_a_start_say_nothing_of_when_a_trace_was(archive: Archive, zipkin: Asking) -> None:
    put(archive, LOW, "back-end", -60)
    part = {"traceId": LOW, "id": "7", "name": "part"}
    archive.add(wire.decode(sent_spans(part)).otlp, received_ns=RECEIVED_NS - 3600 * 10**9)
    put(archive, LONG, "front", -60 + namesakes.NEAR_NS / 10**9 / 60 - 1)
    assert sorted(names(zipkin.get(f"{LENIENT}/trace/{LOW}").json)) == ["back-end", "front", "part"]
