"""The tables of docs/wire: every rule of a mapping has its source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs" / "wire").glob("*.md"))


def tables(page: Path) -> list[list[list[str]]]:
    """The tables of a page, each as rows of cells, the head first."""
    found = re.findall(r"(?:^\|.*\n)+", page.read_text(), re.MULTILINE)
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()] for table in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_rule_of_a_mapping_has_its_source(page: Path) -> None:
    mappings = [table for table in tables(page) if table[0][-1] == "source"]
    assert mappings
    for head, _line, *rows in mappings:
        for row in rows:
            assert len(row) == len(head), row
            assert row[-1], f"{row[0]} has no source"
