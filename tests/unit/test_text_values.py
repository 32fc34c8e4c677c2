from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandrel.query.text_values import double_text, typed_values
from tests.builders import any_value


def test_plain_text_stands_for_itself() -> None:
    assert typed_values("GET /cart?a=b:c") == {"string": ["GET /cart?a=b:c"]}


@pytest.mark.parametrize(
    ("text", "value_type", "value"),
    [
        ("true", "bool", True),
        ("false", "bool", False),
        ("0", "int", 0),
        ("-17", "int", -17),
        ("9223372036854775807", "int", 2**63 - 1),
        ("-9223372036854775808", "int", -(2**63)),
        ("200", "double", 200.0),
        ("72.5", "double", 72.5),
        ("-0", "double", -0.0),
        ("1e+21", "double", 1e21),
        ("1.5e-7", "double", 1.5e-7),
        ("Infinity", "double", math.inf),
        ("AAE=", "bytes", b"\0\1"),
        ("", "bytes", b""),
        ('["a","b"]', "string[]", ["a", "b"]),
        ("[1, 2]", "int[]", [1, 2]),
        ("[1, 2]", "double[]", [1.0, 2.0]),
        ("[0.5]", "double[]", [0.5]),
        ("[true]", "bool[]", [True]),
        ("[]", "string[]", []),
    ],
)
def test_text_stands_for_each_value_that_is_written_so(text: str, value_type: Any, value: Any) -> None:
    assert value in typed_values(text)[value_type]


@pytest.mark.parametrize(
    ("text", "value_type"),
    [
        ("True", "bool"),
        ("007", "int"),
        ("+1", "int"),
        ("-0", "int"),
        ("9223372036854775808", "int"),
        ("1_000", "int"),
        ("１", "int"),
        ("1.0", "double"),
        (" 1", "double"),
        ("1_0.5", "double"),
        ("inf", "double"),
        ("1e5", "double"),
        ("AAE", "bytes"),
        ("[1, true]", "int[]"),
        ('{"a": 1}', "string[]"),
        ("[" * 10_000, "array"),
    ],
)
def test_text_stands_for_no_value_that_is_written_otherwise(text: str, value_type: Any) -> None:
    assert value_type not in typed_values(text)


def test_nested_values_are_met_as_the_messages_that_hold_them() -> None:
    mixed = any_value([1, "a"]).array_value
    assert mixed.SerializeToString() in typed_values('[1,"a"]')["array"]
    nested = any_value([[0.5], True]).array_value
    assert nested.SerializeToString() in typed_values("[[0.5], true]")["array"]
    pairs = any_value({"a": 1, "b": "x"}).kvlist_value
    assert pairs.SerializeToString() in typed_values('{"a":1,"b":"x"}')["kvlist"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-1.5e-10, "-1.5e-10"),
        (123456789012345680.0, "123456789012345680"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
    ],
)
def test_doubles_are_written_as_ecmascript_writes_them(value: float, text: str) -> None:
    assert double_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_double_is_met_by_its_own_text(value: float) -> None:
    (met,) = typed_values(double_text(value))["double"]
    assert math.copysign(1, met) == math.copysign(1, value)
    assert met == value
