"""Conditions made of others, for dialects that build queries by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence

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


def every(conditions: Sequence[Expression]) -> Expression:
    """All of them; true of none."""
    return _joined(Logic.AND, conditions, TRUE)


def some(conditions: Sequence[Expression]) -> Expression:
    """At least one of them; false of none."""
    return _joined(Logic.OR, conditions, FALSE)


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


def _joined(logic: Logic, conditions: Sequence[Expression], empty: Expression) -> Expression:
    """Junctions of the same logic are one: the tree has no other form for that."""
    flat: list[Expression] = []
    for condition in conditions:
        flat += condition.operands if isinstance(condition, Junction) and condition.logic is logic else [condition]
    return Junction(logic, tuple(flat)) if len(flat) > 1 else flat[0] if flat else empty
