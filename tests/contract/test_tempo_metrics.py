"""TraceQL's metrics as Tempo answers them: series by step, and one number of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from query.answering import Answering
from spandrel.api.tempo.times import default_step_ns
from spandrel.model.limits import SEARCH_WINDOW_MAX_HOURS
from tests.archive import Archive, archive_in
from tests.asking import Asking, Reply
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract import tempo_answers
from tests.contract.tempo_answers import refusal

SECOND_NS = 10**9
MINUTE_S = 60
START_S = RECEIVED_NS // SECOND_NS // MINUTE_S * MINUTE_S  # the minute in which the spans begin
NOW_NS = (START_S + 10 * MINUTE_S) * SECOND_NS
TIMES = {"start": str(START_S), "end": str(START_S + 3 * MINUTE_S)}
MINUTES = {**TIMES, "step": "60"}


@pytest.fixture(scope="module")
def tempo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with archive_in(tmp_path_factory.mktemp("metrics")) as archive:
        put(archive)
        yield Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


def put(archive: Archive) -> None:
    """Three spans of the shop in the first minute, one of them failed, and one of the bank in the third."""
    first_ns, third_ns = START_S * SECOND_NS, (START_S + 2 * MINUTE_S) * SECOND_NS
    failed = Status(code=Status.STATUS_CODE_ERROR)
    shop = [
        span(f"s{n}", start_ns=first_ns + n, duration_ns=10**9 * (n + 1), **({"status": failed} if n == 2 else {}))
        for n in range(3)
    ]
    archive.add(request_of(*shop, service="shop"))
    bank = span("b", trace_id=bytes(15) + b"\2", start_ns=third_ns, attributes={"n": 7, "part": 0.5, "ok": True})
    archive.add(request_of(bank, service="bank"))


def ranged(asking: Asking, query: str, **parameters: str) -> list[dict[str, Any]]:
    reply = asking.get("/tempo/api/metrics/query_range", {"q": query, **(parameters or MINUTES)})
    return told(reply, tempo_answers.SERIES)


def instant(asking: Asking, query: str, **parameters: str) -> list[dict[str, Any]]:
    return told(asking.get("/tempo/api/metrics/query", {"q": query, **(parameters or TIMES)}), tempo_answers.INSTANT)


def told(reply: Reply, schema: tempo_answers.Schema) -> list[dict[str, Any]]:
    assert reply.status == 200, reply.body
    tempo_answers.assert_fits(reply.json, schema)
    return list(reply.json["series"])


def labels(series: Mapping[str, Any]) -> dict[str, Any]:
    """By name, their values without the names of their types."""
    return {pair["key"]: next(iter(pair["value"].values())) for pair in series["labels"]}


def points(series: Mapping[str, Any]) -> dict[int, float]:
    """By how many seconds after the first minute's begin."""
    return {int(one["timestampMs"]) // 1000 - START_S: one.get("value", 0) for one in series["samples"]}


def test_a_step_is_told_by_its_end_and_one_without_spans_is_0_of_a_count(tempo: Asking) -> None:
    bank, shop = ranged(tempo, "{ } | count_over_time() by (resource.service.name)")
    assert (labels(bank), labels(shop)) == ({"resource.service.name": "bank"}, {"resource.service.name": "shop"})
    assert points(shop) == {60: 3, 120: 0, 180: 0}
    assert points(bank) == {60: 0, 120: 0, 180: 1}
    assert shop["samples"][1] == {"timestampMs": str((START_S + 120) * 1000)}


def test_a_series_without_labels_is_called_like_its_function(tempo: Asking) -> None:
    (rate,) = ranged(tempo, "{ } | rate()")
    assert rate["labels"] == [{"key": "__name__", "value": {"stringValue": "rate"}}]
    assert points(rate) == {60: 0.05, 120: 0, 180: pytest.approx(1 / 60)}
    (largest,) = ranged(tempo, "{ } | max_over_time(duration) > 1")
    assert (labels(largest), points(largest)) == ({"__name__": "max_over_time"}, {60: 3})
    (share,) = ranged(tempo, "({ status = error } | rate()) / ({ } | rate())")
    assert labels(share) == {"__name__": "({ status = error } | rate()) / ({ true } | rate())"}
    assert points(share)[60] == pytest.approx(1 / 3)


def test_steps_without_a_number_are_left_out(tempo: Asking) -> None:
    (median,) = ranged(tempo, '{ resource.service.name = "shop" } | quantile_over_time(duration, .5)')
    assert (labels(median), points(median)) == ({"p": 0.5}, {60: 2})


def test_labels_have_types(tempo: Asking) -> None:
    (series,) = ranged(tempo, "{ .n = 7 } | rate() by (.n, .part, .ok, status, .missing)")
    assert series["labels"] == [
        {"key": ".n", "value": {"intValue": "7"}},
        {"key": ".part", "value": {"doubleValue": 0.5}},
        {"key": ".ok", "value": {"boolValue": True}},
        {"key": "status", "value": {"stringValue": "unset"}},
    ]


def test_a_group_without_a_value_is_nil(tempo: Asking) -> None:
    (series,) = instant(tempo, "{ } | count_over_time() by (.missing)")
    assert series == {"labels": [{"key": ".missing", "value": {"stringValue": "nil"}}], "value": 4}


def test_a_histogram_has_its_buckets_in_seconds(tempo: Asking) -> None:
    buckets = [labels(one)["__bucket"] for one in ranged(tempo, "{ } | histogram_over_time(duration)")]
    assert len(buckets) == 4
    assert buckets == sorted(buckets)


def test_a_comparison_says_which_side_it_counts(tempo: Asking) -> None:
    sides = {labels(one)["__meta_type"] for one in ranged(tempo, "{ } | compare({ status = error })")}
    assert sides == {"selection", "baseline", "selection_total", "baseline_total"}


def test_an_instant_query_gives_one_number_of_the_whole_range(tempo: Asking) -> None:
    (count,) = instant(tempo, "{ } | count_over_time()")
    assert count == {"labels": [{"key": "__name__", "value": {"stringValue": "count_over_time"}}], "value": 4}
    (rate,) = instant(tempo, '{ resource.service.name = "bank" } | rate()')
    assert rate["value"] == pytest.approx(1 / 180)
    assert instant(tempo, '{ name = "nobody" } | max_over_time(duration)') == []


def test_exemplars_are_spans_beside_their_point(tempo: Asking) -> None:
    assert all("exemplars" not in one for one in ranged(tempo, "{ } | rate()"))
    (of_duration,) = ranged(
        tempo, '{ resource.service.name = "shop" } | max_over_time(duration)', exemplars="5", **MINUTES
    )
    (exemplar,) = of_duration["exemplars"]
    assert labels(exemplar).keys() == {"trace:id", "span:id"}
    assert labels(exemplar)["trace:id"] == "1"
    assert (exemplar["value"], exemplar["timestampMs"]) == (3, str(START_S * 1000))
    (of_count,) = ranged(tempo, '{ resource.service.name = "shop" } | count_over_time() with(exemplars=true)')
    assert [one["value"] for one in of_count["exemplars"]] == [3]  # a span that counts has no number of its own


def test_a_range_is_widened_to_whole_steps(tempo: Asking) -> None:
    odd = {"start": str(START_S + 7), "end": str(START_S + 61), "step": "1m"}
    (count,) = ranged(tempo, "{ } | count_over_time()", **odd)
    assert points(count) == {60: 3, 120: 0}


def test_the_longest_range_is_answered_wherever_it_begins(tempo: Asking) -> None:
    end_s = START_S + 7
    longest = {"start": str(end_s - SEARCH_WINDOW_MAX_HOURS * 3600), "end": str(end_s), "step": "1h"}
    (count,) = ranged(tempo, "{ } | count_over_time()", **longest)
    assert len(count["samples"]) == SEARCH_WINDOW_MAX_HOURS
    assert sum(points(count).values()) == 3


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (f"{START_S}.000", f"{START_S + 180}.5"),
        (str(START_S * SECOND_NS), str((START_S + 180) * SECOND_NS)),
        ("2026-09-21T14:13:00Z", "2026-09-21T14:16:00+00:00"),
    ],
)
def test_times_have_many_spellings(tempo: Asking, start: str, end: str) -> None:
    (count,) = instant(tempo, "{ } | count_over_time()", start=start, end=end)
    assert count["value"] == 4


@pytest.mark.parametrize(("since", "value"), [("9m", 1), ("10m1s", 4), ("1d2h", 4), ("1w", 4), ("500000ms", 1)])
def test_since_is_how_long_ago(tempo: Asking, since: str, value: int) -> None:
    (count,) = instant(tempo, "{ } | count_over_time()", since=since)
    assert count["value"] == value


def test_without_times_it_is_the_last_hour(tempo: Asking) -> None:
    reply = tempo.get("/tempo/api/metrics/query", {"query": "{ } | count_over_time()"})
    assert reply.json["series"][0]["value"] == 4
    (early,) = instant(tempo, "{ } | count_over_time()", end=str(START_S + 60))
    assert early["value"] == 3


def test_of_a_time_to_come_the_last_hour_is_that_before_now(tempo: Asking) -> None:
    (count,) = instant(tempo, "{ } | count_over_time()", end=str(START_S + 100_000))
    assert count["value"] == 4


@pytest.mark.parametrize(
    ("length_s", "step_s"),
    [(1, 0.05), (30, 0.1), (60, 1), (300, 1), (3600, 15), (6 * 3600, 60), (24 * 3600, 300), (30 * 24 * 3600, 10_800)],
)
def test_a_step_is_chosen_that_suits_the_range(length_s: float, step_s: float) -> None:
    assert default_step_ns(int(length_s * SECOND_NS)) == int(step_s * SECOND_NS)


@pytest.mark.parametrize("step", ["90s", "90", "90.0", "1m30s", "0.025h"])
def test_a_step_is_seconds_or_a_duration(tempo: Asking, step: str) -> None:
    (count,) = ranged(tempo, "{ } | count_over_time()", **TIMES, step=step)
    assert len(count["samples"]) in (2, 3)
    assert sum(one.get("value", 0) for one in count["samples"]) == 4


BAD = "rpc error: code = Code(400) desc = could not parse "


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("query", {}, "parameter q"),
        ("query", {"q": "{ }"}, "not a metrics query"),
        ("query_range", {"q": "{ } | by(name)"}, "not a metrics query"),
        ("query", {"q": "{ } | rate("}, "invalid TraceQL query: parse error at line 1, col"),
        ("query", {"q": "{ } | rate() by (name, name, name, name, name, name)"}, "invalid TraceQL query: "),
        ("query", {"start": "yesterday"}, f"{BAD}'start' parameter: "),
        ("query_range", {"end": "99999999999999999999"}, f"{BAD}'end' parameter: "),
        ("query", {"start": "1960-01-01T00:00:00Z"}, f"{BAD}'start' parameter: "),
        ("query", {"since": "1h2d"}, f"{BAD}'since' parameter: "),
        ("query", {"since": "0h"}, f"{BAD}'since' parameter: "),
        ("query_range", {"step": "often"}, f"{BAD}'step' parameter: "),
        ("query_range", {"step": "-5s"}, f"{BAD}'step' parameter: "),
        ("query_range", {"step": "9" * 19}, f"{BAD}'step' parameter: "),
        ("query_range", {"step": "0"}, "step must be greater than 0"),
        ("query_range", {"start": "20", "end": "10"}, "end must be greater than start"),
        ("query_range", {"step": "1ms"}, "11000"),
        ("query_range", {"exemplars": "some"}, "parameter exemplars"),
        ("query", {"since": "32d"}, "744"),
    ],
)
def test_what_makes_no_sense_is_refused(tempo: Asking, path: str, query: Mapping[str, str], said: str) -> None:
    asked = {"q": "{ } | rate()", **query} if query else query
    assert said in refusal(tempo.get(f"/tempo/api/metrics/{path}", asked))


def test_series_that_lack_a_block_are_partial(tmp_path_factory: pytest.TempPathFactory) -> None:
    with archive_in(tmp_path_factory.mktemp("partial")) as archive:
        put(archive)
        (corrupt,) = archive.add(request_of(span("lost")))
        archive.objects.kept[corrupt.key] = b"nonsense"
        asking = Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)
        reply = asking.get("/tempo/api/metrics/query_range", {"q": "{ } | rate()", **MINUTES})
    tempo_answers.assert_fits(reply.json, tempo_answers.SERIES)
    assert (reply.json["status"], reply.headers["spandrel-unread-blocks"]) == ("PARTIAL", "1")
