"""Filters as SQL over real blocks: the cases of one filter, and what no case can say."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from spandrel.blocks.reader import OpenBlocks
from spandrel.query.sql.expressions import holds, needs_facts
from spandrel.query.sql.places import Place
from spandrel.traceql.checking import check
from spandrel.traceql.expressions import Expression
from spandrel.traceql.parser import parse
from spandrel.traceql.spansets import Filter, Pipeline
from tests.archive import archive_in

from .cases import HERE, START_NS, Case, cases
from .oracle.reading import request_of

LATER_S = time.monotonic() + 3600


def condition(case: Case) -> Expression | None:
    """The condition of a query that is one filter and asks nothing about whole traces."""
    query = check(parse(case.query)).expression
    if not isinstance(query, Pipeline) or len(query.stages) > 1 or not isinstance(query.stages[0], Filter):
        return None
    found = query.stages[0].condition
    return None if needs_facts(found) else found


CASES = [(case, found) for case in cases("spans") if (found := condition(case)) is not None]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBlocks]:
    with archive_in(tmp_path_factory.mktemp("blocks")) as archive:
        blocks = archive.add(request_of((HERE / "spans.json").read_text()), received_ns=START_NS)
        yield archive.store.reader.open(blocks, LATER_S)


@pytest.mark.parametrize(("case", "expression"), CASES, ids=lambda one: str(one) if isinstance(one, Case) else "")
def test_a_filter_finds_exactly_these_spans(opened: OpenBlocks, case: Case, expression: Expression) -> None:
    where = holds(expression, Place(opened.columns))
    rows = opened.select(f"SELECT hex(span_id)[-2:] FROM spans WHERE {where.sql}", where.parameters)
    everything = [name.lower() for (name,) in opened.select("SELECT hex(span_id)[-2:] FROM spans")]
    expected = [
        name
        for word in case.expected["spans"].replace("|", " ").split()
        for name in everything
        if name == word or (word.endswith("*") and name.startswith(word[:-1]))
    ]
    assert sorted(name.lower() for (name,) in rows) == sorted(expected)
