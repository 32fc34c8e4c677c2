"""docs/wire/cloudtrace.md lists what the code maps, and nothing that it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spandrel.model import cloudtrace
from spandrel.wire.cloudtrace import attributes
from spandrel.wire.cloudtrace.attributes import CONVENTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "wire" / "cloudtrace.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line.startswith("|")]
OWN = {value for key, value in vars(cloudtrace).items() if key.isupper() and str(value).startswith("cloudtrace.")}


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_label_that_is_renamed_stands_in_the_table_with_its_attribute() -> None:
    listed = {quoted(row[0])[0]: quoted(row[1])[0] for row in ROWS if row[0].startswith(("`/http/", "`/error/"))}
    assert listed == {label: convention.attribute for label, convention in CONVENTIONS.items()}


def test_every_attribute_of_our_own_is_named() -> None:
    assert {name for name in quoted(PAGE) if name.startswith("cloudtrace.") and not name.endswith(".py")} == OWN
    assert len(OWN) == 13


def test_the_attributes_that_name_a_service_stand_in_their_order() -> None:
    start = next(index for index, row in enumerate(ROWS) if row == ["attribute", "set by"]) + 2
    assert [quoted(row[0])[0] for row in ROWS[start : start + len(cloudtrace.SERVICE_NAMES)]] == list(
        cloudtrace.SERVICE_NAMES
    )


@pytest.mark.parametrize(
    "field",
    [
        "requests.py",
        "v1.py",
        "v2.py",
        "span.py",
        "attributes.py",
        "../proto_json.py",
    ],
)
def test_the_modules_that_it_names_are_there(field: str) -> None:
    assert f"`{field}`" in PAGE
    assert (Path(attributes.__file__).parent / field).exists()
