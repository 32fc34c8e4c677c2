"""The check of regular expressions against RE2 itself, which DuckDB has within it."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandrel.traceql.regex import complaint

VOCABULARY = r"""
a b é 1 - , : = ! . ^ $ | ( ) [ ] [^ { } {2} {2,} {1,3} {3,1} {1001} {,2} * + ? (?: (?i) (?i: (?-s: (?P<n> (?<m> (?= (?!
(?<= (?P=n) (?# \d \D \w \s \b \B \A \z \Z \1 \8 \0 \012 \x41 \x{41} \x{110000} \x4 \pL \p{Greek} \p{^Lu} \PN \p \Q \E
\n \t \y \. \\ \- \_ \é [:alpha:] [:^digit:] [:nope:] a-z z-a \d-z a-\d
"""
PIECES = st.sampled_from(VOCABULARY.split())


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=7).map("".join))
def test_an_expression_is_good_when_re2_takes_it(pattern: str) -> None:
    assert (complaint(pattern) is None) is taken_by_re2(pattern), complaint(pattern)


@pytest.mark.parametrize(
    "pattern, wrong",
    [
        ("[a", "`[` without `]`"),
        ("(a", "`(` without `)`"),
        ("a)", "`)` without `(`"),
        ("*a", "`*` has nothing to repeat"),
        ("a**", "`*` has nothing to repeat"),
        (r"(a)\1", r"`\1` is no escape of RE2"),
        ("(?=a)", "`(?=a` begins no group that RE2 knows, which has no lookaround"),
        ("a{3,1}", "`{3,1}` ends before it begins"),
        ("(a{100}){100}", "it repeats more than 1000 times"),
        ("[z-a]", "`z-a` is no range"),
    ],
)
def test_a_complaint_says_what_is_wrong(pattern: str, wrong: str) -> None:
    assert complaint(pattern) == wrong


def test_a_long_expression_is_checked_without_recursion() -> None:
    assert complaint("(" * 900 + ")" * 900) is None
    assert complaint("(" * 5000) is not None
    assert complaint("[a]" * 5000) is None


def taken_by_re2(pattern: str) -> bool:
    with duckdb.connect() as connection:
        try:
            connection.execute("SELECT regexp_full_match('', ?, 's')", [pattern]).fetchall()
        except duckdb.InvalidInputException:
            return False
    return True
