"""Numbers whose decimal digits begin in some way, as comparisons of numbers: `20` is 20, 200 to 209, 2000 to 2099 …"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spandrel.traceql.composing import every
from spandrel.traceql.expressions import Comparator, Comparison, Expression, Field, Literal
from spandrel.traceql.intrinsics import ValueType

DIGITS_MAX = 15  # of a number with a point; beyond, not every digit of a double is its own
LEAST_FRACTION = 1e-6  # below, numbers are written with an exponent
_INT64_DIGITS = 19
_INT64_END = 2**63 - 1

_number = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]*))?").fullmatch


def numbers_that_begin(field: Field, beginning: str) -> Iterator[Expression]:
    """Conditions, any of which holds where the field is such a number; none where no number begins so.

    Numbers are written as `values.text_of` writes them. Those beyond 64 bits are none.
    """
    found = _number(beginning)
    if found is None:
        return
    sign, whole, fraction = found.groups()
    if len(whole + (fraction or "")) > (_INT64_DIGITS if fraction is None else DIGITS_MAX):
        return
    if whole == "0" and not sign and fraction is None:
        yield _compared(Comparator.EQUAL, field, sign, 0)
    if whole == "0" or fraction is not None:
        yield from _fractions(field, sign, whole, fraction or "")
        return
    first = int(whole)
    for zeros in range(_INT64_DIGITS + 1 - len(whole)):
        if first * 10**zeros <= _INT64_END:
            yield _between(field, sign, first * 10**zeros, (first + 1) * 10**zeros)


def _fractions(field: Field, sign: str, whole: str, fraction: str) -> Iterator[Expression]:
    """Numbers with a point, which are no whole ones."""
    digits = 10 ** len(fraction)
    least = int(whole + fraction)
    smallest = max(least / digits, LEAST_FRACTION) if whole == "0" else least / digits
    between = _between(field, sign, smallest, (least + 1) / digits)
    yield every([between, _compared(Comparator.UNEQUAL, field, sign, int(whole))])


def _between(field: Field, sign: str, least: float, end: float) -> Expression:
    """From `least` to below `end`, or as far as 64 bits go; of negative numbers the same without their sign."""
    at_least, below, at_most = (
        (Comparator.LESS_OR_EQUAL, Comparator.GREATER, Comparator.GREATER_OR_EQUAL)
        if sign
        else (Comparator.GREATER_OR_EQUAL, Comparator.LESS, Comparator.LESS_OR_EQUAL)
    )
    beyond = end > _INT64_END
    last = _compared(at_most, field, sign, _INT64_END) if beyond else _compared(below, field, sign, end)
    return every([_compared(at_least, field, sign, least), last])


def _compared(comparator: Comparator, field: Field, sign: str, value: float) -> Expression:
    kind = ValueType.INTEGER if isinstance(value, int) else ValueType.FLOAT
    return Comparison(comparator, field, Literal(kind, -value if sign else value))
