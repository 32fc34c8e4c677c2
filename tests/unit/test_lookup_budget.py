"""A trace by its id in a month of 100 million spans a day: how many requests it takes, counted."""

from __future__ import annotations

import pytest

from benchmarks.index import LATE_NS, REQUESTS_MAX, WORST_NS, lookup
from benchmarks.month import Month, Templates
from spandrel.blocks import parts
from spandrel.model.levels import HOUR_NS
from spandrel.model.retention import DAY_NS

SPANS_A_DAY = 10**8


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks that stand for large ones are small, and read as large ones are."""
    monkeypatch.setattr(parts, "WHOLE_BYTES", 50_000)


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(500, 5000)


@pytest.mark.parametrize("age_ns", [DAY_NS, 15 * DAY_NS, 29 * DAY_NS], ids=lambda age_ns: f"{age_ns // DAY_NS} days")
def test_a_trace_is_found_within_the_budget_at_the_worst_time(templates: Templates, age_ns: int) -> None:
    month = Month(SPANS_A_DAY, WORST_NS, templates, age_ns)
    assert lookup(month)
    assert month.calls.total() <= REQUESTS_MAX
    assert month.at_once > month.calls.total() * 0.8


def test_a_trace_that_is_nowhere_is_denied_within_the_budget(templates: Templates) -> None:
    month = Month(SPANS_A_DAY, WORST_NS, templates, None)
    assert not lookup(month)
    assert month.calls.total() <= REQUESTS_MAX


def test_a_trace_of_this_minute_reads_blocks_of_this_hour_and_of_those_beside_it(templates: Templates) -> None:
    month = Month(SPANS_A_DAY, LATE_NS, templates, 60 * 10**9)
    assert lookup(month)
    hours = {int(key.rpartition("/")[2].split("-")[0]) for key in month.keys if "/blocks/" in key}
    assert all(hour_ns > LATE_NS - 3 * HOUR_NS for hour_ns in hours)


def test_a_hint_reads_the_blocks_of_its_time_alone(templates: Templates) -> None:
    month = Month(SPANS_A_DAY, WORST_NS, templates, 15 * DAY_NS)
    at_ns = WORST_NS - 15 * DAY_NS
    assert lookup(month, (at_ns - HOUR_NS, at_ns))
    hours = {int(key.rpartition("/")[2].split("-")[0]) for key in month.keys if "/blocks/" in key and "far" not in key}
    assert all(abs(hour_ns - at_ns) < 3 * HOUR_NS for hour_ns in hours)
