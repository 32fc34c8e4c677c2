"""Zipkin's spans through blocks and back, as the read side gives them: spans that were reported in parts above all."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from spandrel.api.otlp_json import otlp_json
from spandrel.query.trace import trace
from spandrel.wire.otlp.json_encoding import request_from_json
from spandrel.wire.zipkin import endpoint as zipkin
from tests.archive import Archive

from .zipkin_back import normal, zipkin_of
from .zipkin_sending import IDS, V1, V2, sent_spans

TIME_US = 1_790_000_000_000_000
STARTED = IDS | {"kind": "CLIENT", "name": "get", "timestamp": TIME_US, "localEndpoint": {"serviceName": "shop"}}
FINISHED = STARTED | {"duration": 200, "tags": {"http.path": "/cart"}}
LATER = IDS | {"kind": "CLIENT", "localEndpoint": {"serviceName": "shop"}, "tags": {"error": "timeout"}}
SHARED = IDS | {
    "kind": "SERVER",
    "shared": True,
    "timestamp": TIME_US + 50,
    "duration": 100,
    "localEndpoint": {"serviceName": "backend"},
}


def stored(archive: Archive, *spans: dict[str, Any], path: str = V2) -> None:
    archive.add(zipkin.decode(sent_spans(*spans, path=path)).otlp)


def read(archive: Archive) -> list[dict[str, Any]]:
    request, _ = request_from_json(otlp_json(trace(archive.reading(), bytes.fromhex(IDS["traceId"]))).encode())
    return sorted(zipkin_of(request), key=str)


def expected(*spans: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(map(normal, spans), key=str)


@pytest.mark.parametrize("order", list(permutations([FINISHED, LATER, SHARED])))
def test_every_part_of_a_span_is_read_back_whatever_came_first(
    archive: Archive, order: tuple[dict[str, Any], ...]
) -> None:
    for part in order:
        stored(archive, part)
        stored(archive, part)  # clients retry
    assert read(archive) == expected(FINISHED, LATER, SHARED)


@pytest.mark.parametrize("finished_first", [False, True])
def test_a_report_of_the_start_gives_way_to_that_of_the_whole_span(archive: Archive, finished_first: bool) -> None:
    for part in (FINISHED, STARTED) if finished_first else (STARTED, FINISHED):
        stored(archive, part)
    assert read(archive) == expected(FINISHED)


def test_of_parts_without_a_timestamp_that_are_alike_the_longest_is_kept(archive: Archive) -> None:
    stored(archive, LATER | {"duration": 5}, LATER | {"duration": 7, "tags": {"a": "b"}})
    assert read(archive) == expected(LATER | {"duration": 7, "tags": {"a": "b"}})


def test_parts_without_a_timestamp_of_two_services_are_two(archive: Archive) -> None:
    other = LATER | {"localEndpoint": {"serviceName": "other"}}
    stored(archive, LATER, other)
    assert read(archive) == expected(LATER, other)


def test_each_side_of_a_call_may_report_its_half_in_version_1(archive: Archive) -> None:
    client, server = ({"serviceName": name} for name in ("shop", "backend"))

    def half(host: dict[str, str], *times: tuple[str, int]) -> dict[str, Any]:
        annotations = [{"value": value, "timestamp": TIME_US + at_us, "endpoint": host} for value, at_us in times]
        return IDS | {"name": "get", "annotations": annotations}

    stored(archive, half(server, ("sr", 50), ("ss", 150)), path=V1)
    stored(archive, half(client, ("cs", 0), ("cr", 200)) | {"timestamp": TIME_US, "duration": 200}, path=V1)
    assert read(archive) == expected(STARTED | {"duration": 200}, SHARED | {"name": "get"})
