"""X-Ray's filter expressions: what is one, what its tree is, and what has no answer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandrel.api.xray.filter_parser import DEPTH_MAX, parse
from spandrel.api.xray.filter_query import TimeRange, query_of
from spandrel.api.xray.filter_text import text
from spandrel.api.xray.filter_tokens import FILTER_CHARACTERS_MAX
from spandrel.api.xray.filter_tree import (
    All,
    Annotation,
    AnyOf,
    Cause,
    Edge,
    Element,
    InvalidFilter,
    Keyword,
    Negation,
    Node,
    Operator,
    RootCause,
    RootCauseJson,
    Service,
    Term,
    Test,
)
from spandrel.traceql.checking import check
from tests.xray_sources import ANSWERED

OK, ERROR, FAULT = (Test(Keyword(name)) for name in ("ok", "error", "fault"))

UNANSWERED = [
    ("rootcause.fault.service { index > 5 }", "`index` cannot be asked"),
    ('rootcause.json = #[{"Services": [{"Name": "a"}]}]', "`rootcause.json` cannot be asked"),
    ('name = "cart"', '`name = "cart"`: there is no such keyword, or it cannot be asked of a trace'),
    ("colour", "`colour`: there is no such keyword"),
    ('service("a") { annotation.k }', "cannot be asked inside of service"),
    ('service("a") { service("b") }', "cannot be asked inside of service"),
    ("rootcause.fault.entity { coverage > 0.5 }", "cannot be asked of a root cause"),
    ("rootcause.fault.exception { ok }", "cannot be asked of a root cause"),
    ("responsetime", "compared with a number"),
    ('responsetime > "5"', "compared with a number"),
    ("duration < 1e30", "beyond any duration"),
    ("http.url = 5", "texts take ="),
    ('http.url < "a"', "texts take ="),
    ("ok > 1", "true or false"),
    ("annotation.flag < true", "compared by = and !="),
]
BROKEN = [
    ("", "at its end: a keyword is expected"),
    ("ok AND", "at its end: a keyword is expected"),
    ("AND ok", "at `AND ok`: a keyword is expected"),
    ("(ok", "at its end: `)` is expected"),
    ("ok)", "at `)`: nothing was opened"),
    ("service(", "the name of a service or id"),
    ('service("a") { ok', "at its end: `}` is expected"),
    ('edge("a") { ok }', "at `) { ok }`: `,` is expected"),
    ("service(id(color: 1))", "id() takes name, type and account.id"),
    ('http.url = "a', 'at `"a`: this is no word'),
    ("duration >", "at its end: a value is expected"),
    ("annotation.", "an annotation has a key"),
    ("rootcause.fault", "a root cause is"),
    ("rootcause.cost.service", "a root cause is"),
    ("rootcause.json = 5", "compared with #[...]"),
    ("rootcause.json = #[", "this is no JSON"),
    ("duration > 1e999", "beyond 64-bit floating point"),
    ("(" * (DEPTH_MAX + 1) + "ok" + ")" * (DEPTH_MAX + 1), "deep at most"),
    ("o" * (FILTER_CHARACTERS_MAX + 1), "characters at most"),
]


@pytest.mark.parametrize("expression", ANSWERED)
@pytest.mark.parametrize("by", TimeRange)
def test_what_the_guide_shows_is_a_query_that_makes_sense(expression: str, by: TimeRange) -> None:
    assert check(query_of(parse(expression), by))


@pytest.mark.parametrize(("expression", "message"), UNANSWERED)
def test_what_has_no_answer_is_refused_by_its_part(expression: str, message: str) -> None:
    with pytest.raises(InvalidFilter, match=re.escape(message)):
        query_of(parse(expression), TimeRange.TRACE_ID)


@pytest.mark.parametrize(("expression", "message"), BROKEN)
def test_what_is_no_expression_is_refused_where_it_stops_being_one(expression: str, message: str) -> None:
    with pytest.raises(InvalidFilter, match=re.escape(message)):
        parse(expression)


@pytest.mark.parametrize(
    ("expression", "term"),
    [
        ("ok error", All((OK, ERROR))),
        ("ok or error and fault", AnyOf((OK, All((ERROR, FAULT))))),
        ("(ok OR error) fault", All((AnyOf((OK, ERROR)), FAULT))),
        ("not ok or !error", AnyOf((Negation(OK), Negation(ERROR)))),
        ("!(ok error)", Negation(All((OK, ERROR)))),
        ("OK", OK),
        ("Duration<3", Test(Keyword("duration"), Operator.LESS, 3)),
        ("duration > -1.5e-3", Test(Keyword("duration"), Operator.GREATER, -0.0015)),
        ("user = alice", Test(Keyword("user"), Operator.EQUAL, "alice")),
        (r'user = "a\"b\\c\d"', Test(Keyword("user"), Operator.EQUAL, r'a"b\c\d')),
        ("annotation.a.b = TRUE", Test(Annotation("a.b"), Operator.EQUAL, True)),
        ('Annotation["a ]"] contains "x"', Test(Annotation("a ]"), Operator.CONTAINS, "x")),
        ("service() {}", Service(Node())),
        ("rootcause.json=#[ {} ]", RootCauseJson("[ {} ]")),
    ],
)
def test_an_expression_has_this_tree(expression: str, term: Term) -> None:
    assert parse(expression) == term


TEXTS = st.text(max_size=8)
VALUES = st.one_of(
    TEXTS, st.booleans(), st.integers(1 - 2**63, 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
SUBJECTS = st.one_of(
    st.sampled_from(["ok", "http.url", "http.status", "duration", "user", "name", "last", "id", "service"]).map(
        Keyword
    ),
    st.text(min_size=1, max_size=5).map(Annotation),
)
NODES = st.builds(Node, *[st.none() | TEXTS] * 3)
BARE = st.one_of(SUBJECTS.map(Test), st.builds(Test, SUBJECTS, st.sampled_from(Operator), VALUES))
TERMS: st.SearchStrategy[Term] = st.recursive(
    BARE,
    lambda inner: st.one_of(
        st.builds(Negation, inner),
        st.builds(Service, NODES, st.none() | inner),
        st.builds(Edge, NODES, NODES, st.none() | inner),
        st.builds(RootCause, st.sampled_from(Cause), st.sampled_from(Element), st.none() | inner),
        st.lists(inner.filter(lambda one: not isinstance(one, All)), min_size=2, max_size=3).map(
            lambda them: All(tuple(them))
        ),
        st.lists(inner.filter(lambda one: not isinstance(one, AnyOf)), min_size=2, max_size=3).map(
            lambda them: AnyOf(tuple(them))
        ),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(TERMS)
def test_what_is_written_is_read_as_the_same(term: Term) -> None:
    assert parse(text(term)) == term


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            ["ok", "!", "(", ")", "{", "}", "service(", '"a"', "=", "5", "OR", ",", "annotation.x", "#[", "rootcause."]
        ),
        max_size=12,
    )
)
def test_any_words_are_an_expression_or_refused(words: list[str]) -> None:
    expression = " ".join(words)
    try:
        term = parse(expression)
    except InvalidFilter as refused:
        assert str(refused)
    else:
        assert parse(text(term)) == term


@settings(deadline=None, max_examples=200)
@given(TERMS, st.sampled_from(TimeRange))
def test_any_tree_is_a_query_that_makes_sense_or_refused(term: Term, by: TimeRange) -> None:
    try:
        query = query_of(term, by)
    except InvalidFilter as refused:
        assert str(refused)
    else:
        assert check(query)
