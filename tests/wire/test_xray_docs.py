"""docs/wire/xray.md lists every attribute that has another name than its member, and no other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from spandrel.model import xray

PAGE = (Path(__file__).parents[2] / "docs" / "wire" / "xray.md").read_text()
SECTIONS = {
    "Attributes of the span": xray.SPAN_ATTRIBUTES,
    "Attributes of the resource": xray.RESOURCE_ATTRIBUTES,
    "Attributes of an exception's event": xray.EXCEPTION_ATTRIBUTES,
}


@pytest.mark.parametrize(("section", "attributes"), SECTIONS.items(), ids=SECTIONS.keys())
def test_the_page_lists_what_the_code_renames(section: str, attributes: Mapping[str, str]) -> None:
    text = PAGE.partition(f"### {section}\n")[2].partition("\n##")[0]
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)`[^|]*\| [CGRS]", text, re.MULTILINE)
    assert dict(rows) == attributes
    assert len(rows) == len(attributes)
    assert text.count("\n|") == len(rows) + 2, "each row says its source"
