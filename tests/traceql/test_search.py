"""Searches over real blocks, in all forms that blocks have: each case, and what no case can say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from spandrel.query.search import search
from spandrel.traceql.parser import parse
from tests.archive import Archive

from .blocks import FORMS, archive_of
from .cases import HERE, START_NS, Case, cases, short, spansets, traces
from .oracle.reading import request_of

HOUR_NS = 3600 * 10**9
SPANS = [short(span) for trace in traces() for span in trace.spans]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Archive]]:
    spans = request_of((HERE / "spans.json").read_text())
    with ExitStack() as stack:
        yield {
            form: stack.enter_context(archive_of(form, spans, START_NS, tmp_path_factory.mktemp("blocks")))
            for form in FORMS
        }


def found(archive: Archive, query: str) -> list[list[str]]:
    result = search(
        archive.reading(), parse(query), START_NS - HOUR_NS, START_NS + HOUR_NS, limit=100, spans_per_spanset=100
    )
    sets = [one for trace in result.traces for one in trace.spansets]
    assert all(one.matched == len(one.spans) for one in sets)
    return sorted(sorted(span.span_id.hex()[-2:] for span in one.spans) for one in sets)


@pytest.mark.parametrize("case", cases("spans"), ids=str)
def test_a_query_finds_exactly_these_spans(archives: dict[str, Archive], case: Case) -> None:
    assert found(archives["fresh"], case.query) == spansets(case.expected["spans"], SPANS)


@pytest.mark.parametrize(
    ("form", "case"),
    [(FORMS[1 + at % 2], case) for at, case in enumerate(cases("spans")[::3])],
    ids=str,
)
def test_a_query_finds_the_same_in_blocks_of_any_form(archives: dict[str, Archive], form: str, case: Case) -> None:
    assert found(archives[form], case.query) == spansets(case.expected["spans"], SPANS)
