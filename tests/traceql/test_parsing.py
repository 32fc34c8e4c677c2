from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spandrel.model.errors import Rejected
from spandrel.traceql.checking import check
from spandrel.traceql.errors import InvalidQuery, UnparsableQuery
from spandrel.traceql.expressions import Attribute, Scope
from spandrel.traceql.intrinsics import Intrinsic
from spandrel.traceql.parser import QUERY_CHARACTERS_MAX, parse, parse_field
from spandrel.traceql.parts import DEPTH_MAX
from spandrel.traceql.printing import label, text

from .cases import cases
from .queries import FIELDS

# What queries are made of, and what they are not, for a fuzzer to put in a row.
VOCABULARY = r"""
{ } ( ) | || && & ! != = =~ !~ ~ > >> >= < << <= &> !>> &~ + - * / % ^ , . : ; @ # ' " ` \ // /* */
. .a span.a resource. parent.span.x event:name trace: span:kind name duration status nil true ok server
minInt 1 1.5 1e9 1e999 99999999999999999999 5s 1h30m 5x "a" "\xff" "\q" ."a" ."\n" é 😝 count() max( by( select(
coalesce() rate() quantile_over_time( compare( topk(3) with( x=
"""
PIECES = st.sampled_from([*VOCABULARY.split(), " ", "\n", "\x00"])
QUERIES = st.sampled_from([case.query for kind in ("spans", "series", "error") for case in cases(kind)])


@given(st.lists(PIECES, max_size=40), st.sampled_from(["", " "]))
def test_whatever_stands_in_a_row_is_a_query_or_refused(pieces: list[str], between: str) -> None:
    expect_query_or_refusal(between.join(pieces))


@given(st.text(max_size=60))
@example("\ud800")
def test_any_text_is_a_query_or_refused(written: str) -> None:
    expect_query_or_refusal(written)


@given(QUERIES, st.integers(0, 200), st.integers(0, 5), PIECES)
def test_a_query_with_something_else_in_its_middle_is_a_query_or_refused(
    query: str, at: int, taken: int, put: str
) -> None:
    expect_query_or_refusal(query[:at] + put + query[at + taken :])


@pytest.mark.parametrize("begin, middle, end", [("{ ", ".a", " }"), ("{ ", ".a", ""), ("", "{ }", ""), ("", "", "")])
@pytest.mark.parametrize("repeated", ["(", "!", "-", ".a = ", "-(", "{", ")", "1 + ", "2 ^ ", "{ } > ", "{ } | "])
def test_a_query_however_nested_is_a_query_or_refused(begin: str, middle: str, end: str, repeated: str) -> None:
    times = (QUERY_CHARACTERS_MAX - 10) // (2 * len(repeated))
    closing = ")" * times if "(" in repeated else ""
    expect_query_or_refusal(begin + repeated * times + middle + closing + end)


@pytest.mark.parametrize("operator", ["!", "-", ".a = ", "2 ^ ", "!("])
def test_what_is_nested_too_deep_is_refused_where_it_gets_so(operator: str) -> None:
    closing = ")" * DEPTH_MAX * operator.count("(")
    with pytest.raises(UnparsableQuery, match=rf"line 1, column \d+: this is nested more than {DEPTH_MAX} deep"):
        parse("{ " + operator * DEPTH_MAX + ".a" + closing + " }")


def test_a_long_chain_of_conditions_is_not_deep() -> None:
    query = check(parse("{ " + " || ".join(f"span.a = {number}" for number in range(900)) + " }"))
    assert parse(text(query)) == query


def test_parentheses_around_one_thing_are_not_depth() -> None:
    assert parse("{ " + "(" * 1000 + ".a" + ")" * 1000 + " }") == parse("{ .a }")


def test_a_query_longer_than_allowed_is_refused_unread() -> None:
    with pytest.raises(UnparsableQuery, match="16384 characters at most, this one 16385"):
        parse("{ }".ljust(QUERY_CHARACTERS_MAX + 1))


def test_half_a_surrogate_pair_is_no_character() -> None:
    with pytest.raises(UnparsableQuery, match="line 2, column 8: this is no character of Unicode"):
        parse('{\n name="\ud83d" }')


def test_an_error_names_line_and_column_and_what_could_have_stood_there() -> None:
    with pytest.raises(UnparsableQuery, match=r"line 2, column 8: the query ends; expected `}`, a comparison, ") as no:
        parse("{ name =\n   name")
    assert (no.value.line, no.value.column) == (2, 8)


@pytest.mark.parametrize("query", [case.query for case in cases("error")])
def test_a_refusal_is_the_clients_to_mend(query: str) -> None:
    with pytest.raises(Rejected):
        check(parse(query))


@given(FIELDS)
def test_the_label_of_a_field_reads_back_as_the_field(field: Attribute | Intrinsic) -> None:
    assert parse_field(label(field)) == field


@pytest.mark.parametrize("written", ["", "1", ".a = 1", "name } | { name", "foo", ".a .b"])
def test_a_text_that_is_not_the_name_of_one_field_is_refused(written: str) -> None:
    with pytest.raises(UnparsableQuery):
        parse_field(written)


def test_both_names_of_an_intrinsic_are_one_field() -> None:
    assert parse_field("span:name") == parse_field("name") == Intrinsic.NAME
    assert parse_field("trace:rootService") == parse_field("rootServiceName") == Intrinsic.ROOT_SERVICE


def test_quotes_do_not_make_another_attribute() -> None:
    assert parse_field('span."http"."route"') == parse_field("span.http.route") == Attribute(Scope.SPAN, "http.route")


def expect_query_or_refusal(written: str) -> None:
    """Parse, and where that goes well check and print; any error but InvalidQuery comes out."""
    try:
        query = parse(written)
    except UnparsableQuery:
        return
    assert parse(text(query)) == query
    try:
        check(query)
    except InvalidQuery:
        return
