"""The same spans in blocks of different forms, which all have to give the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from spandrel.blocks.schema import COLUMNS_MAX
from tests.archive import Archive, archive_in

FORMS = ("fresh", "merged", "without attribute columns")
"""Fresh: a few spans a block, many of them twice, and once without their end. Merged: what compaction makes of it."""


@contextmanager
def archive_of(form: str, request: ExportTraceServiceRequest, received_ns: int, folder: Path) -> Iterator[Archive]:
    """The request's spans in one of the forms."""
    with archive_in(folder) as archive, pytest.MonkeyPatch.context() as patch:
        if form == "without attribute columns":
            for scope in COLUMNS_MAX:
                patch.setitem(COLUMNS_MAX, scope, int(scope == "resource"))  # one is for the name of the service
            archive.add(request, received_ns=received_ns)
        else:
            for part in _parts(request):
                archive.add(part, received_ns=received_ns)
        if form == "merged":
            archive.merge()
        yield archive


def _parts(request: ExportTraceServiceRequest) -> Iterator[ExportTraceServiceRequest]:
    """The spans dealt out to seven requests, each third of them twice, each fourth without its end before."""
    parts = [ExportTraceServiceRequest() for _ in range(7)]
    for number, one in enumerate(_single(request)):
        parts[number % 7].resource_spans.append(one)
        if number % 3 == 0:
            parts[(number + 3) % 7].resource_spans.append(one)
        if number % 4 == 0:
            unended = ResourceSpans()
            unended.CopyFrom(one)
            unended.scope_spans[0].spans[0].end_time_unix_nano = 0
            parts[(number + 5) % 7].resource_spans.append(unended)
    return iter(part for part in parts if part.resource_spans)


def _single(request: ExportTraceServiceRequest) -> Iterator[ResourceSpans]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                alone = ScopeSpans(scope=scope.scope, schema_url=scope.schema_url, spans=[span])
                yield ResourceSpans(resource=resource.resource, schema_url=resource.schema_url, scope_spans=[alone])
