"""GetTraceSummaries' time ranges, pages and refusals, and boto3 asking it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from spandrel.api.xray import summaries
from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS, request_of, span
from tests.xray_asking import XRay, boto3_of, xray_of
from tests.xray_sources import NOW_S, RANGE, SECOND_NS, SERVER, found, put_sources, trace_id, xray_id


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as archive:
        yield archive


@pytest.fixture
def xray(archive: Archive) -> XRay:
    return xray_of(archive, RECEIVED_NS)


class TestTimes:
    @pytest.fixture
    def long_ago(self, archive: Archive) -> None:
        """A trace of 100 seconds: its root, a segment in its middle, and something inside of that at its end."""
        root = span("root", kind=SERVER, duration_ns=100 * SECOND_NS)
        middle = span("middle", kind=SERVER, parent=root.span_id, start_ns=RECEIVED_NS + 50 * SECOND_NS)
        end = span("end", parent=middle.span_id, start_ns=RECEIVED_NS + 90 * SECOND_NS)
        archive.add(request_of(root, middle, end))

    @pytest.mark.parametrize(
        ("by", "seconds"), [("TraceId", {0}), (None, {0}), ("Service", {0, 50}), ("Event", {0, 50, 90})]
    )
    def test_a_trace_is_placed_by_its_entry_its_segments_or_all(
        self, xray: XRay, long_ago: None, by: str | None, seconds: set[int]
    ) -> None:
        kind = {"TimeRangeType": by} if by else {}
        for second in (0, 50, 90):
            at = NOW_S + second
            assert bool(found(xray, "ok", StartTime=at, EndTime=at + 1, **kind)) is (second in seconds)
            assert bool(found(xray, StartTime=at, EndTime=at + 1, **kind)) is (second in seconds)

    def test_the_end_is_not_in_the_range(self, xray: XRay, long_ago: None) -> None:
        assert found(xray, StartTime=NOW_S - 1, EndTime=NOW_S) == []

    def test_an_event_says_when_it_was(self, xray: XRay, long_ago: None) -> None:
        (told,) = xray.ask("GetTraceSummaries", **RANGE, TimeRangeType="Event")["TraceSummaries"]
        assert told["MatchedEventTime"] == NOW_S + 50
        (told,) = xray.ask("GetTraceSummaries", **RANGE)["TraceSummaries"]
        assert "MatchedEventTime" not in told

    @pytest.mark.parametrize(
        ("members", "said"),
        [
            ({"StartTime": NOW_S}, "'endTime'"),
            ({"StartTime": NOW_S, "EndTime": NOW_S}, "before the end"),
            ({"StartTime": NOW_S - 32 * 86400, "EndTime": NOW_S}, "744"),
            ({**RANGE, "TimeRangeType": "Day"}, "'timeRangeType'"),
            ({**RANGE, "FilterExpression": "ok AND"}, "Invalid filter expression"),
            ({**RANGE, "FilterExpression": 5}, "'filterExpression'"),
            ({**RANGE, "NextToken": "x"}, "NextToken"),
            ({**RANGE, "SamplingStrategy": {"Name": "Half"}}, "'name'"),
            ({**RANGE, "SamplingStrategy": {"Name": "FixedRate"}}, "Value"),
            ({**RANGE, "SamplingStrategy": {"Name": "FixedRate", "Value": 1.5}}, "Value"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, xray: XRay, members: dict[str, Any], said: str) -> None:
        status, code, message = xray.refusal("GetTraceSummaries", **members)
        assert (status, code) == (400, "InvalidRequestException")
        assert said in message


class TestPages:
    @staticmethod
    def put(archive: Archive, *numbers: int, at_s: int | None = None) -> None:
        archive.add(
            *(
                request_of(
                    span(
                        "a",
                        trace_id=trace_id(number),
                        start_ns=RECEIVED_NS + (number if at_s is None else at_s) * SECOND_NS,
                    )
                )
                for number in numbers
            )
        )

    def test_each_trace_comes_once_newest_first_while_others_arrive(
        self, archive: Archive, xray: XRay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(summaries, "SUMMARIES_MAX", 2)
        self.put(archive, 1, 2, 3, 5)
        first = xray.ask("GetTraceSummaries", **RANGE)
        assert ([one["Id"] for one in first["TraceSummaries"]], first["ApproximateTime"]) == (
            [xray_id(5), xray_id(3)],
            NOW_S + 3,
        )
        self.put(archive, 4, 6)
        second = xray.ask("GetTraceSummaries", **RANGE, NextToken=first["NextToken"])
        assert [one["Id"] for one in second["TraceSummaries"]] == [xray_id(2), xray_id(1)]
        third = xray.ask("GetTraceSummaries", **RANGE, NextToken=second["NextToken"])
        assert (third["TraceSummaries"], third["ApproximateTime"]) == ([], NOW_S - 60)
        assert "NextToken" not in third

    def test_traces_of_one_moment_come_in_the_order_of_their_ids(
        self, archive: Archive, xray: XRay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(summaries, "SUMMARIES_MAX", 2)
        self.put(archive, 3, 1, 2, at_s=0)
        told: list[str] = []
        token = None
        while token != "":
            page = xray.ask("GetTraceSummaries", **RANGE, **({"NextToken": token} if token else {}))
            told += [one["Id"] for one in page["TraceSummaries"]]
            token = page.get("NextToken", "")
        assert told == [xray_id(1), xray_id(2), xray_id(3)]

    def test_a_page_ends_before_it_has_too_many_spans(
        self, archive: Archive, xray: XRay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(summaries, "PAGE_SPANS_MAX", 1)
        self.put(archive, 1, 2)
        page = xray.ask("GetTraceSummaries", **RANGE)
        assert [one["Id"] for one in page["TraceSummaries"]] == [xray_id(2)]
        page = xray.ask("GetTraceSummaries", **RANGE, NextToken=page["NextToken"])
        assert [one["Id"] for one in page["TraceSummaries"]] == [xray_id(1)]
        assert "NextToken" not in page

    def test_a_fixed_rate_draws_the_same_traces_each_time(self, archive: Archive, xray: XRay) -> None:
        self.put(archive, *range(1, 41))
        half: dict[str, Any] = {"SamplingStrategy": {"Name": "FixedRate", "Value": 0.5}, "Sampling": True}
        drawn = found(xray, **half)
        assert 5 < len(drawn) < 35
        assert found(xray, **half) == drawn
        assert found(xray, SamplingStrategy={"Name": "FixedRate", "Value": 0}) == []
        assert len(found(xray, SamplingStrategy={"Name": "PartialScan", "Value": 0.1}, Sampling=True)) == 40


class TestBoto3:
    def test_the_client_pages_through_what_its_filter_finds(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(summaries, "SUMMARIES_MAX", 1)
        put_sources(archive)
        start, end = (datetime.fromtimestamp(RANGE[name], UTC) for name in ("StartTime", "EndTime"))
        with boto3_of(archive) as client:
            pages = client.get_paginator("get_trace_summaries").paginate(
                StartTime=start, EndTime=end, FilterExpression='service("DynamoDB") OR http.method = "GET"'
            )
            told = [one for page in pages for one in page["TraceSummaries"]]
        assert [one["Id"] for one in told] == [xray_id(number) for number in (3, 2, 1)]
        assert told[-1]["StartTime"] == datetime.fromtimestamp(NOW_S, UTC)

    def test_the_client_raises_what_a_filter_is_refused_with(self, archive: Archive) -> None:
        with boto3_of(archive) as client, pytest.raises(ClientError, match="Invalid filter expression") as refused:
            client.get_trace_summaries(StartTime=NOW_S - 1, EndTime=NOW_S, FilterExpression="colour")
        assert refused.value.response["Error"]["Code"] == "InvalidRequestException"
