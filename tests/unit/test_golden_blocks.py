"""Blocks of every version that ever was stay readable: as OTLP, by questions, in merges, for a rebuilt catalogue."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.blocks.footer import entry_in
from spandrel.blocks.merge import draft_of, merged
from spandrel.blocks.naming import FORMAT_VERSION
from spandrel.blocks.otlp import to_otlp
from spandrel.blocks.source import Source
from spandrel.model.catalogue import Block
from tests.archive import archive_in
from tests.golden_blocks import FOLDER, blocks
from tests.otlp import spans_of

GOLDEN = sorted(path.stem for path in FOLDER.glob("*.parquet"))


def body_of(name: str) -> bytes:
    return (FOLDER / f"{name}.parquet").read_bytes()


def expected_of(name: str) -> ExportTraceServiceRequest:
    return Parse((FOLDER / f"{name}.json").read_text(), ExportTraceServiceRequest())


def entry_of(name: str) -> Block:
    """As a rebuilt catalogue has it."""
    body = body_of(name)
    key = f"shop/blocks/2026-09-21/{name.partition('-')[2]}{'-0' if name.endswith('merged') else ''}.parquet"
    return entry_in(body, key, len(body), zlib.crc32(body))


def test_there_are_golden_blocks_of_every_version_up_to_the_present_one() -> None:
    assert {int(name.partition("-")[0].removeprefix("v")) for name in GOLDEN} == set(range(1, FORMAT_VERSION + 1))


@pytest.mark.parametrize("name", GOLDEN)
def test_it_reads_as_the_otlp_that_it_was_made_of(name: str) -> None:
    found = to_otlp(pq.read_table(io.BytesIO(body_of(name))))
    assert spans_of(found.resource_spans) == spans_of(expected_of(name).resource_spans)


@pytest.mark.parametrize("name", GOLDEN)
def test_it_can_be_merged_with_blocks_of_today(name: str) -> None:
    (_, request, today), *_ = blocks()
    old = entry_of(name)
    sources = [Source(old, body_of(name)), Source(today.entry, today.body)]
    (block,) = merged(sources, lambda number: draft_of([old, today.entry], 1, "again", number))
    expected = spans_of([*expected_of(name).resource_spans, *request.resource_spans])
    found = to_otlp(pq.read_table(io.BytesIO(block.body)))
    assert set(spans_of(found.resource_spans)) == set(expected)


@pytest.mark.parametrize("name", GOLDEN)
def test_questions_read_it(name: str, tmp_path: Path) -> None:
    expected = [
        span.name
        for resource in expected_of(name).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    with archive_in(tmp_path) as archive:
        body, entry = body_of(name), entry_of(name)
        archive.objects.put(entry.key, body)
        archive.catalogue.add(entry)
        reading = archive.reading()
        rows = reading.open(reading.live()).select("SELECT name FROM spans")
    assert sorted(found for (found,) in rows) == sorted(expected)
