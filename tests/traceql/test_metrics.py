"""The cases of metrics over real blocks: fresh ones, with copies of their spans, and as merges leave them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.query.metrics import metrics
from spandrel.query.metrics_series import LabelValue
from spandrel.traceql.checking import check
from spandrel.traceql.expressions import Literal
from spandrel.traceql.intrinsics import ValueType
from spandrel.traceql.parser import parse
from spandrel.traceql.printing import literal
from tests.archive import Archive, archive_in

from .cases import HERE, START_NS, STEPS, Case, cases
from .oracle.reading import request_of

SENT = request_of((HERE / "spans.json").read_text())


@pytest.fixture(scope="module", params=["fresh", "with copies", "merged", "merged, with copies"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive_in(tmp_path_factory.mktemp("blocks")) as archive:
        for part in parts(SENT):
            archive.add(part, received_ns=START_NS)
        if "merged" in request.param:
            archive.merge()
        if "copies" in request.param:
            archive.add(SENT, received_ns=START_NS)
            archive.add(unended(SENT), received_ns=START_NS)
        yield archive


@pytest.mark.parametrize("case", cases("series"), ids=str)
def test_a_metrics_query_gives_exactly_these_series(archive: Archive, case: Case) -> None:
    query = check(parse(case.query))
    answer = metrics(archive.reading(), query, STEPS.start_ns, STEPS.end_ns, STEPS.step_ns)
    found = {_key(dict(labels)): one.points for labels, one in answer.series.items()}
    expected = {_key(labels): values for labels, values in case.expected["series"]}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values), key


def parts(request: ExportTraceServiceRequest) -> Iterator[ExportTraceServiceRequest]:
    """A request for each of its resources."""
    for resource_spans in request.resource_spans:
        yield ExportTraceServiceRequest(resource_spans=[resource_spans])


def unended(request: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
    """The spans as they are before they end; no name or status is there yet."""
    early = ExportTraceServiceRequest()
    early.CopyFrom(request)
    for resource_spans in early.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                span.end_time_unix_nano = 0
                span.name = "unknown"
                span.ClearField("status")
    return early


def _key(labels: dict[str, Any]) -> str:
    return json.dumps({name: _shown(value) for name, value in labels.items()}, sort_keys=True)


def _shown(value: LabelValue | str | float) -> Any:
    """A label's value as JSON; statuses and kinds by their names."""
    if not isinstance(value, Literal):
        return value
    return literal(value) if value.type in (ValueType.STATUS, ValueType.KIND) else value.value
