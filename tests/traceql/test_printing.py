from __future__ import annotations

from hypothesis import given, settings

from spandrel.traceql.metrics import Query
from spandrel.traceql.parser import parse
from spandrel.traceql.printing import text

from .queries import queries


@settings(max_examples=300)
@given(queries())
def test_the_text_of_a_query_reads_back_as_the_same_query(query: Query) -> None:
    assert parse(text(query)) == query
