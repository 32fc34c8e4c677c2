"""Long JSON lists, element by element."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandrel.model.errors import TooLarge, Undecodable
from spandrel.model.limits import JSON_VALUES_MAX
from spandrel.wire.json_elements import Real, elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(VALUES, max_size=4), st.sampled_from([None, 1, "\t", " \r\n"]))
def test_elements_are_those_of_the_list(values: list[object], indent: int | str | None) -> None:
    assert list(elements(json.dumps(values, indent=indent).encode())) == values


def test_a_number_with_a_fraction_or_an_exponent_stays_as_it_was_written() -> None:
    found = list(elements(b"[1.50, -2e3, 7]"))
    assert found == ["1.50", "-2e3", 7]
    assert [type(value) for value in found] == [Real, Real, int]


def test_what_comes_before_a_fault_is_read_before_it_is_found() -> None:
    found = elements(b'[{"a":1}, x]')
    assert next(found) == {"a": 1}
    with pytest.raises(Undecodable, match="no JSON"):
        next(found)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b" []",
        b"[",
        b"[1",
        b"[1,",
        b"[1,]",
        b"[,]",
        b"[1 2]",
        b"[1]]",
        b"[1] x",
        b"[NaN]",
        b"[-Infinity]",
        b"[01]",
        b"['a']",
        b'["\x00"]',
        b"[" * 100_000,
        b"[" + b"9" * 10_000 + b"]",
    ],
)
def test_anything_but_one_list_is_refused(body: bytes) -> None:
    with pytest.raises(Undecodable):
        list(elements(body))


def test_blanks_may_follow_the_list() -> None:
    assert list(elements(b"[ ]\n ")) == []


def test_bytes_that_are_no_utf_8_are_mended() -> None:
    assert list(elements(b'["caf\xe9"]')) == ["caf\N{REPLACEMENT CHARACTER}"]


def test_more_values_than_anybody_sends_are_refused() -> None:
    with pytest.raises(TooLarge):
        next(elements(b"[" + b"1," * (JSON_VALUES_MAX + 1) + b"1]"))
