"""Each case through parser, checks and the plain evaluator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import pytest

from spandrel.traceql.checking import check
from spandrel.traceql.errors import InvalidQuery, MistypedQuery, UnparsableQuery, UnsupportedQuery
from spandrel.traceql.expressions import Comparator, Literal, Logic, Operator, Scope
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.metrics import MetricsFunction, Query, Rank
from spandrel.traceql.parser import parse
from spandrel.traceql.printing import literal, text
from spandrel.traceql.spansets import AggregateFunction, Pipeline, Relation, Side

from .cases import STEPS, Case, cases, short, spansets, traces
from .oracle.series import series
from .oracle.spansets import matching
from .oracle.values import Value

TRACES = traces()
SPANS = [short(span) for trace in TRACES for span in trace.spans]
ERRORS = {"unparsable": UnparsableQuery, "mistyped": MistypedQuery, "unsupported": UnsupportedQuery}


@pytest.mark.parametrize("case", cases("spans"), ids=str)
def test_a_query_finds_exactly_these_spans(case: Case) -> None:
    query = check(parse(case.query))
    assert isinstance(query.expression, Pipeline)
    found = [spanset for trace in TRACES for spanset in matching(query.expression, trace)]
    names = sorted(sorted(short(span) for span in spanset.spans) for spanset in found)
    assert names == spansets(case.expected["spans"], SPANS)


@pytest.mark.parametrize("case", cases("series"), ids=str)
def test_a_metrics_query_gives_exactly_these_series(case: Case) -> None:
    query = check(parse(case.query))
    assert not isinstance(query.expression, Pipeline)
    found = {_key(dict(labels)): values for labels, values in series(query.expression, TRACES, STEPS).items()}
    expected = {_key(labels): values for labels, values in case.expected["series"]}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values), key


@pytest.mark.parametrize("case", cases("error"), ids=str)
def test_a_query_that_cannot_be_answered_is_refused_for_its_reason(case: Case) -> None:
    with pytest.raises(InvalidQuery) as refused:
        check(parse(case.query))
    assert type(refused.value) is ERRORS[case.expected["error"]]
    if isinstance(refused.value, UnparsableQuery):
        assert f"{refused.value.line}:{refused.value.column}" == case.expected["at"]


@pytest.mark.parametrize("case", cases("spans") + cases("series"), ids=str)
def test_the_text_of_each_query_reads_back_as_the_same_query(case: Case) -> None:
    query = parse(case.query)
    assert parse(text(query)) == query


@pytest.mark.parametrize(
    "words",
    [
        Comparator,
        Operator,
        Logic,
        Relation,
        Side,
        Scope,
        ValueType,
        AggregateFunction,
        MetricsFunction,
        Rank,
        Intrinsic,
    ],
)
def test_every_word_of_the_language_is_among_the_cases_that_find_something(words: type[Enum]) -> None:
    queries = [parse(case.query) for case in cases("spans") + cases("series") if case.expected.get("spans") != ""]
    used = {word for query in queries for word in _enums(query)}
    assert set(words) - used == ({Intrinsic.PARENT} if words is Intrinsic else set())


def test_every_relation_stands_among_the_cases_with_every_side() -> None:
    written = " ".join(case.query for case in cases("spans") if case.section == "structure")
    for relation in Relation:
        for side in Side:
            assert f"}} {side.value}{relation.value} {{" in written


def _key(labels: dict[str, Any]) -> str:
    return json.dumps({name: _shown(value) for name, value in labels.items()}, sort_keys=True)


def _shown(value: Value | str | float) -> Any:
    """A label's value as JSON; statuses and kinds by their names."""
    if not isinstance(value, Literal):
        return value
    return literal(value) if value.type in (ValueType.STATUS, ValueType.KIND) else value.value


def _enums(node: Query | Any) -> Iterator[Enum]:
    if isinstance(node, Enum):
        yield node
    elif isinstance(node, tuple):
        for element in node:
            yield from _enums(element)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _enums(getattr(node, field.name))
