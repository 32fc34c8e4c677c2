"""Conditions made of others: for dialects that build queries by hand, and for what follows from a query."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .expressions import (
    FALSE,
    TRUE,
    Comparator,
    Comparison,
    Expression,
    Field,
    Junction,
    Literal,
    Logic,
)
from .intrinsics import Intrinsic, ValueType, type_of

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def every(conditions: Iterable[Expression]) -> Expression:
    """All of them; true of none. What is decided already is not asked."""
    return _joined(Logic.AND, conditions, TRUE, FALSE)


def some(conditions: Iterable[Expression]) -> Expression:
    """At least one of them; false of none."""
    return _joined(Logic.OR, conditions, FALSE, TRUE)


def compared(field: Field, comparator: Comparator, value: str | int) -> Expression:
    """A field beside a value of the field's type; attributes are texts here."""
    field_type = type_of(field) if isinstance(field, Intrinsic) else ValueType.TEXT
    return Comparison(comparator, field, Literal(field_type, value))


def begins_with(field: Field, beginning: str) -> Expression:
    """A text that begins so."""
    return compared(field, Comparator.MATCHES, f"{literally(beginning)}.*")


def literally(text: str) -> str:
    """The regular expression that only this text matches."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def _joined(logic: Logic, conditions: Iterable[Expression], empty: Literal, decided: Literal) -> Expression:
    """One junction, each condition once; `empty` changes nothing in it, `decided` decides it."""
    flat: dict[Expression, None] = {}
    for one in conditions:
        operands = one.operands if isinstance(one, Junction) and one.logic is logic else (one,)
        flat |= dict.fromkeys(operand for operand in operands if operand != empty)
    if decided in flat:
        return decided
    found = tuple(flat)
    return Junction(logic, found) if len(found) > 1 else found[0] if found else empty
