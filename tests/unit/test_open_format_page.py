"""docs/open-format.md: what it shows works on blocks as they are, by engines that know nothing of Spandrel."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

import duckdb
import pytest

from infra.open_format import COLUMNS
from tests.golden_blocks import FOLDER

PAGE = (Path(__file__).parents[2] / "docs" / "open-format.md").read_text()


def shown(heading: str) -> list[str]:
    """The indented parts below a heading, each without its indentation."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [dedent(part).strip() for part in re.findall(r"(?:^ {4}.*\n)+", section, re.MULTILINE)]


@pytest.fixture
def spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder has the golden blocks below `spans`."""
    (tmp_path / "spans").mkdir()
    for path in FOLDER.glob("v*-everything.parquet"):
        shutil.copy(path, tmp_path / "spans")
    for path in FOLDER.glob("v*-least.parquet"):
        shutil.copy(path, tmp_path / "spans")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("spans")
def test_every_query_for_duckdb_runs_and_finds_something() -> None:
    queries = shown("DuckDB")
    assert len(queries) == 3
    with duckdb.connect() as connection:
        by_name, by_attribute, by_event = (connection.sql(query).fetchall() for query in queries)
    assert [(name, count) for name, count, _ in by_name] == [("ends before it starts", 1), ("everything", 1)]
    ((trace, value, start),) = by_attribute
    assert (trace, value, start.year) == ("0" * 31 + "1", "naïve ⻩ 💩\0", 2026)
    assert by_event == [("everything", "event", "string", "naïve ⻩ 💩\0")]


@pytest.mark.usefixtures("spans")
def test_the_lines_for_pyarrow_run_and_find_something(monkeypatch: pytest.MonkeyPatch) -> None:
    (lines,) = shown("pyarrow and pandas")
    told: dict[str, Any] = {}
    exec(lines.replace("frame = slow.to_pandas()", ""), told)
    assert "everything" in told["slow"]["name"].to_pylist()


def test_the_query_for_athena_names_columns_that_its_table_has() -> None:
    (query, *_) = shown("Athena")
    known = {*COLUMNS, "tenant", "day", "spans", "p95_ms"}
    words = set(re.findall(r"[a-z_][a-z_0-9]*", re.sub(r"'[^']*'", "", query)))
    sql = {"select", "from", "where", "and", "between", "group", "by", "order", "desc", "as", "e6", "spandrel"}
    assert words - known - sql == {"count", "approx_percentile"}
