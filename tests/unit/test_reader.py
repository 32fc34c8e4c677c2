from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import EntityRef
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.blocks.database import Database
from spandrel.blocks.naming import ATTRIBUTE_TYPES, attribute_column
from spandrel.blocks.reader import COLUMN_TYPES, quoted
from spandrel.blocks.schema import ARROW_TYPES, COLUMNS
from spandrel.model.catalogue import Block
from spandrel.model.errors import Corrupt, QueryTooBroad
from spandrel.model.limits import MIB
from tests.archive import Archive
from tests.builders import key_value, request_of, span

LATER_S = time.monotonic() + 3600
PAIR = key_value("k", {"a": 1})


def with_everything() -> ExportTraceServiceRequest:
    """A request whose block has every column that there is."""
    link = Span.Link(trace_id=b"t" * 16, span_id=b"s" * 8, trace_state="a=b", flags=1, attributes=[PAIR])
    event = Span.Event(time_unix_nano=1, name="e", attributes=[PAIR], dropped_attributes_count=1)
    one = span(
        "a",
        parent=b"p" * 8,
        status=Status(code=Status.STATUS_CODE_ERROR, message="m"),
        trace_state="a=b",
        flags=1,
        dropped_attributes_count=1,
        dropped_events_count=1,
        dropped_links_count=1,
        events=[event],
        links=[link],
    )
    one.attributes.append(PAIR)
    request = request_of(one)
    resource = request.resource_spans[0]
    resource.schema_url = "r"
    resource.resource.attributes.append(PAIR)
    resource.resource.dropped_attributes_count = 1
    resource.resource.entity_refs.append(EntityRef(type="service"))
    scope = resource.scope_spans[0]
    scope.schema_url = "s"
    scope.scope.version = "1"
    scope.scope.attributes.append(PAIR)
    scope.scope.dropped_attributes_count = 1
    return request


def test_the_types_of_columns_are_those_of_the_schema(archive: Archive) -> None:
    (block,) = archive.add(with_everything())
    written = pq.read_schema(io.BytesIO(archive.objects.kept[block.key]))
    assert set(COLUMN_TYPES) == set(COLUMNS) <= set(written.names)
    opened = archive.store.reader.open([block], LATER_S)
    described = {name: kind for name, kind, *_ in opened.select("SELECT * FROM (DESCRIBE spans)")}
    absent = ", ".join(f"NULL::{kind} AS {quoted(name)}" for name, kind in COLUMN_TYPES.items())
    declared = {name: kind for name, kind, *_ in opened.select(f"SELECT * FROM (DESCRIBE SELECT {absent})")}
    assert {name: described[name] for name in COLUMNS} == declared


def test_each_type_of_attribute_is_a_column_of_its_type(archive: Archive) -> None:
    values: list[Any] = ["text", 1, 0.5, True, b"\0", ["a"], [1], [0.5], [True]]
    attributes: dict[str, Any] = dict(zip(ATTRIBUTE_TYPES, values, strict=True))
    (block,) = archive.add(request_of(span("a", attributes=attributes)))
    written = pq.read_schema(io.BytesIO(archive.objects.kept[block.key]))
    for kind in ATTRIBUTE_TYPES:
        assert written.field(attribute_column("span", kind, kind)).type == ARROW_TYPES[kind]
    opened = archive.store.reader.open([block], LATER_S)
    columns = ", ".join(quoted(attribute_column("span", kind, kind)) for kind in ATTRIBUTE_TYPES)
    assert opened.select(f"SELECT {columns} FROM spans") == [tuple(values)]


def test_a_column_that_no_block_has_reads_as_null(archive: Archive) -> None:
    (block,) = archive.add(request_of(span("a")))
    opened = archive.store.reader.open([block], LATER_S)
    assert "links" not in opened.columns
    assert opened.select("SELECT links, flags, span_rest FROM spans") == [(None, None, None)]


def test_no_blocks_have_no_rows(archive: Archive) -> None:
    opened = archive.store.reader.open([], LATER_S)
    assert opened.columns == frozenset()
    assert opened.select("SELECT count(*) FROM spans") == []


def test_a_file_that_goes_while_it_is_open_comes_back(archive: Archive) -> None:
    blocks = [archive.add(request_of(span(name)))[0] for name in "ab"]
    opened = archive.store.reader.open(blocks, LATER_S)
    for path in archive.store.reader.cache.fetch(blocks).paths.values():
        path.unlink()
    assert opened.select("SELECT name FROM spans ORDER BY name") == [("a",), ("b",)]


def test_a_file_that_does_not_come_back_is_corruption(archive: Archive) -> None:
    (block,) = archive.add(request_of(span("a")))
    opened = archive.store.reader.open([block], LATER_S)
    archive.store.reader.cache.fetch([block]).paths[block.block_id].unlink()
    archive.objects.kept.clear()
    with pytest.raises(Corrupt):
        opened.select("SELECT name FROM spans")


@pytest.mark.parametrize("merged", [False, True])
def test_spans_without_a_parent_are_found_also_where_all_others_have_the_same(archive: Archive, merged: bool) -> None:
    children = [span(f"child {at}", parent=b"the root") for at in range(5)]
    archive.add(request_of(span("root", span_id=b"the root"), *children))
    if merged:
        archive.merge()
    reading = archive.reading()
    opened = reading.open(reading.live())
    assert opened.select("SELECT name FROM spans WHERE parent_span_id IS NULL") == [("root",)]


def test_a_row_tells_its_block(archive: Archive) -> None:
    blocks: dict[str, Block] = {name: archive.add(request_of(span(name)))[0] for name in "ab"}
    opened = archive.store.reader.open(list(blocks.values()), LATER_S)
    rows = opened.select("SELECT name, filename FROM spans")
    assert {name: opened.block(filename) for name, filename in rows} == blocks


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path, tmp_path / "spill", memory_bytes=50 * MIB, spill_bytes=MIB, threads=1)
    yield database
    database.close()


def test_a_statement_is_stopped_at_its_deadline(database: Database) -> None:
    with pytest.raises(QueryTooBroad, match="longer"):
        database.run("SELECT count(*) FROM range(1000000000000000) WHERE hash(range) = 1", [], time.monotonic() + 0.05)
    assert database.run("SELECT 1", [], LATER_S) == [(1,)]


def test_a_statement_that_needs_more_memory_than_there_is_says_so(database: Database) -> None:
    with pytest.raises(QueryTooBroad, match="memory"):
        database.run("SELECT list(range) FROM range(100000000)", [], LATER_S)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '{outside}/escaped.csv'",
        "ATTACH '{outside}/escaped.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
    ],
)
def test_the_database_reaches_nothing_outside_its_folder(database: Database, statement: str, tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error, match=r"disabled|locked"):
        database.run(statement.format(outside=tmp_path.parent), [], LATER_S)
    assert not list(tmp_path.parent.glob("escaped.*"))
