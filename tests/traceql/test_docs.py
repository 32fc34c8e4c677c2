"""docs/traceql.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from spandrel.traceql.checking import GROUPS_MAX, check
from spandrel.traceql.errors import InvalidQuery
from spandrel.traceql.intrinsics import SCOPED, Intrinsic
from spandrel.traceql.literals import UNITS_NS
from spandrel.traceql.parser import QUERY_CHARACTERS_MAX, parse
from spandrel.traceql.parts import DEPTH_MAX

DOCS = Path(__file__).parents[2] / "docs" / "traceql.md"
TEXT = " ".join(DOCS.read_text().split())


@pytest.mark.parametrize("intrinsic", Intrinsic)
def test_the_docs_name_every_intrinsic_in_all_its_forms(intrinsic: Intrinsic) -> None:
    forms = [
        f"{scope}:{name}" for scope, names in SCOPED.items() for name, found in names.items() if found is intrinsic
    ]
    for form in (intrinsic.value, *forms):
        assert f"`{form}`" in TEXT


def test_the_docs_name_the_limits_and_the_units() -> None:
    assert f"A query has {QUERY_CHARACTERS_MAX:,} characters at most and is nested {DEPTH_MAX} deep at most" in TEXT
    assert f"at most {GROUPS_MAX} fields" in TEXT
    assert f"units {' '.join(UNITS_NS)}".replace(" us ", " us µs ") in TEXT


@pytest.mark.parametrize("query", [line.strip() for line in DOCS.read_text().splitlines() if line.startswith("    ")])
def test_the_examples_of_the_docs_are_queries(query: str) -> None:
    assert refusal_of(query) is None


def refusal_of(query: str) -> str | None:
    """Why it is none, if it is none."""
    try:
        check(parse(query))
    except InvalidQuery as error:
        return str(error)
    return None
