"""Metrics against the plain evaluator, over drawn spans and drawn queries."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spandrel.query.metrics import metrics
from spandrel.query.metrics_series import Labels, LabelValue, Points
from spandrel.traceql.printing import text
from spandrel.traceql.spansets import Pipeline

from . import drawn, drawn_metrics
from .blocks import FORMS, archive_of
from .cases import START_NS
from .oracle.series import series
from .oracle.spans import traces_of
from .oracle.steps import Series, Steps
from .oracle.values import Elements, Opaque, Value

SECOND_NS = 10**9
RECEIVED_NS = START_NS + 10 * SECOND_NS
QUERIES = 8  # over the same spans


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, derandomize=True, max_examples=8, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_metrics_are_those_of_the_evaluator(form: str, tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    draw = Random(seed)
    request = drawn.request(draw, START_NS)
    with archive_of(form, request, RECEIVED_NS, tmp_path_factory.mktemp("blocks")) as archive:
        for _ in range(QUERIES):
            query = drawn_metrics.query(draw)
            begin_ns = START_NS + draw.choice((-500, 0, 700)) * 10**6
            steps = Steps(begin_ns, START_NS + 5 * SECOND_NS, draw.choice((300, 1000, 9000)) * 10**6)
            assert not isinstance(query.expression, Pipeline)
            expected = told(series(query.expression, traces_of(request), steps))
            answer = metrics(archive.reading(), query, steps.start_ns, steps.end_ns, steps.step_ns, exemplars=5)
            found = {labels: one.points for labels, one in answer.series.items()}
            assert found.keys() == expected.keys(), text(query)
            for labels, points in expected.items():
                assert numbers(found[labels]) == pytest.approx(numbers(points), nan_ok=True), f"{text(query)} {seed}"


def numbers(points: Points) -> list[float]:
    """NaN where there is no point, which no point is."""
    return [math.nan if point is None else point for point in points]


def told(found: Series) -> dict[Labels, Points]:
    """The evaluator's series, their labels as those of an answer."""
    return {tuple((name, _label_value(value)) for name, value in labels): points for labels, points in found.items()}


def _label_value(value: Value) -> LabelValue:
    assert not isinstance(value, Opaque)  # which groups as if it were not there
    return value.of if isinstance(value, Elements) else value
