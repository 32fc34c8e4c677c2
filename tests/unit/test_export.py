"""`./spandrel export`: what comes out is what was sent, each span once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from commands.exporting import HOUR_NS, Exporting, windows
from spandrel.blocks.block_cache import BlockCache
from spandrel.blocks.otlp import to_otlp
from spandrel.blocks.writer import write_blocks
from spandrel.model.deletions import Deletion
from spandrel.model.errors import Corrupt
from spandrel.model.limits import MIB
from spandrel.wire.otlp.json_encoding import request_from_json
from tests.archive import TENANT, Archive, archive_in
from tests.builders import RECEIVED_NS, block, request_of, span
from tests.golden_blocks import blocks as golden_blocks
from tests.otlp import spans_of
from tests.terminal import Terminal

ALWAYS_NS = (0, 2**64)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path / "archive") as made:
        yield made


def export(archive: Archive, folder: Path, form: Any = "otlp", range_ns: tuple[int, int] = ALWAYS_NS) -> list[Path]:
    folder.mkdir(exist_ok=True)
    cache = BlockCache(folder / "cache", archive.objects, 100 * MIB)
    return [path for path, _ in Exporting(archive.catalogue, cache, TENANT).run(*range_ns, form, folder)]


def lines_of(files: list[Path]) -> Iterator[dict[str, Any]]:
    for path in files:
        for line in path.read_text().splitlines():
            yield json.loads(line)


def names_in(files: list[Path]) -> list[str]:
    found = (
        one["name"]
        for line in lines_of(files)
        for resource in line["resourceSpans"]
        for scope in resource["scopeSpans"]
        for one in scope["spans"]
    )
    return sorted(found)


def test_otlp_comes_out_as_it_was_sent_whatever_it_says(archive: Archive, tmp_path: Path) -> None:
    requests = [request for name, request, _ in golden_blocks() if name != "merged"]
    archive.add(*requests)
    files = export(archive, tmp_path / "out")
    sent = [resource for request in requests for resource in request.resource_spans]
    found = [request_from_json(json.dumps(line).encode())[0] for line in lines_of(files)]
    assert spans_of(resource for one in found for resource in one.resource_spans) == spans_of(sent)


def test_parquet_comes_out_as_blocks_that_any_engine_reads(archive: Archive, tmp_path: Path) -> None:
    requests = [request for name, request, _ in golden_blocks() if name != "merged"]
    archive.add(*requests)
    tables = [pq.read_table(path) for path in export(archive, tmp_path / "out", "parquet")]
    sent = [resource for request in requests for resource in request.resource_spans]
    found = [resource for table in tables for resource in to_otlp(table).resource_spans]
    assert spans_of(found) == spans_of(sent)


def test_each_span_comes_once_however_often_and_when_it_was_stored(archive: Archive, tmp_path: Path) -> None:
    for received_ns in (RECEIVED_NS, RECEIVED_NS, RECEIVED_NS + 5 * HOUR_NS):
        archive.add(request_of(span("one"), span("two", start_ns=RECEIVED_NS - HOUR_NS)), received_ns=received_ns)
    archive.add(request_of(span("replayed", start_ns=1_500_000_000 * 10**9)))
    assert names_in(export(archive, tmp_path / "out")) == ["one", "replayed", "two"]


def test_a_range_is_half_open_and_about_starts(archive: Archive, tmp_path: Path) -> None:
    archive.add(request_of(*(span(f"s{n}", start_ns=RECEIVED_NS + n) for n in range(5))))
    files = export(archive, tmp_path / "out", range_ns=(RECEIVED_NS + 1, RECEIVED_NS + 4))
    assert names_in(files) == ["s1", "s2", "s3"]
    assert export(archive, tmp_path / "none", range_ns=(RECEIVED_NS + 5, RECEIVED_NS + 9)) == []


def test_what_is_deleted_is_not_exported(archive: Archive, tmp_path: Path) -> None:
    archive.add(request_of(span("gone", attributes={"user.id": "zoe"}), span("kept")))
    archive.catalogue.deleted.append(Deletion(TENANT, 1, RECEIVED_NS + 1, attribute=("user.id", "zoe")))
    assert names_in(export(archive, tmp_path / "out")) == ["kept"]


def test_another_tenants_spans_stay_where_they_are(archive: Archive, tmp_path: Path) -> None:
    archive.add(request_of(span("theirs")), tenant="bank")
    assert export(archive, tmp_path / "out") == []


def test_windows_together_are_the_range_and_there_are_few_of_them_however_wide_far_blocks_are() -> None:
    live = [block("near", RECEIVED_NS, RECEIVED_NS + 3 * HOUR_NS), block("far", 0, 2**64 - 1, far=True)]
    found = list(windows(live, 0, 2**64))
    assert [found[0].start_ns, found[-1].end_ns] == [0, 2**64]
    assert all(one.end_ns == other.start_ns for one, other in pairwise(found))
    assert len(found) == 6


def test_a_block_that_was_merged_away_meanwhile_is_looked_for_again(archive: Archive, tmp_path: Path) -> None:
    (entry,) = archive.add(request_of(span("one")))
    body = archive.objects.kept.pop(entry.key)
    listings = 0

    class Swapping:
        """A catalogue in which the block is swapped between two looks."""

        def blocks(self, *_: Any) -> list[Any]:
            nonlocal listings
            listings += 1
            if listings == 3:
                archive.objects.kept[entry.key] = body
            return [entry]

        def deletions(self, _tenant: str) -> list[Any]:
            return []

    swapping: Any = Swapping()
    cache = BlockCache(tmp_path / "cache", archive.objects, 100 * MIB)
    files = [path for path, _ in Exporting(swapping, cache, TENANT).run(*ALWAYS_NS, "otlp", tmp_path)]
    assert names_in(files) == ["one"]


def test_a_block_that_cannot_be_read_is_named_after_the_others_are_exported(archive: Archive, tmp_path: Path) -> None:
    archive.add(request_of(span("one")))
    (lost,) = archive.add(request_of(span("two")))
    del archive.objects.kept[lost.key]
    (tmp_path / "out").mkdir()
    cache = BlockCache(tmp_path / "cache", archive.objects, 100 * MIB)
    run = Exporting(archive.catalogue, cache, TENANT).run(*ALWAYS_NS, "otlp", tmp_path / "out")
    path, _ = next(run)
    with pytest.raises(Corrupt, match=lost.key):
        next(run)
    assert names_in([path]) == ["one"]


def test_the_command_writes_files_and_leaves_nothing_else(at: Terminal, tmp_path: Path) -> None:
    now_ns = time.time_ns()
    for written in write_blocks("default", [request_of(span("a", start_ns=now_ns)).SerializeToString()], now_ns, "a"):
        at.objects().put(written.entry.key, written.body)
        at.catalogue().add(written.entry)
    out = tmp_path / "new" / "folder"
    day = datetime.fromtimestamp(now_ns // 10**9 - 86_400, UTC).date().isoformat()
    assert at.run("export", "--from", day, "--out", str(out)) == f"1 spans in 1 files in {out}\n"
    assert [path.suffix for path in out.iterdir()] == [".jsonl"]
    assert names_in(list(out.iterdir())) == ["a"]


@pytest.mark.parametrize(
    ("range_given", "said"),
    [
        (["--from", "yesterday"], "a time is like 2026-11-20"),
        (["--from", "2026-11-20", "--to", "2026-11-20T00:00:00Z"], "--from is not before --to"),
    ],
)
def test_a_range_that_is_none_is_refused(at: Terminal, tmp_path: Path, range_given: list[str], said: str) -> None:
    assert said in at.run("export", *range_given, "--out", str(tmp_path))
