"""The types of expressions: what an operator takes, what a filter's condition is.

None is the type of what only a span's attribute decides; it goes with every other.
"""

from __future__ import annotations

from . import regex
from .errors import MistypedQuery, UnsupportedQuery, quote
from .expressions import (
    Attribute,
    Calculation,
    Comparator,
    Comparison,
    Expression,
    Field,
    Junction,
    Literal,
    Negative,
    Not,
    Presence,
    Scope,
    Written,
)
from .intrinsics import NUMERIC, Intrinsic, ValueType, type_of
from .printing import expression as text

_EQUALITY = frozenset({Comparator.EQUAL, Comparator.UNEQUAL})
_REGEX = frozenset({Comparator.MATCHES, Comparator.MATCHES_NOT})
_ORDER = frozenset(Comparator) - _EQUALITY - _REGEX
_COMPARATORS = {
    ValueType.TEXT: frozenset(Comparator),
    ValueType.BOOLEAN: _EQUALITY,
    ValueType.STATUS: _EQUALITY,
    ValueType.KIND: _EQUALITY,
} | dict.fromkeys(NUMERIC, _EQUALITY | _ORDER)

_SERVICE_NAME = Attribute(Scope.RESOURCE, "service.name")


def check_condition(condition: Expression) -> None:
    """Of a filter: true or false, or an attribute that may be."""
    _require(condition, frozenset({ValueType.BOOLEAN}), "a condition is true or false")


def check_number(operand: Expression) -> None:
    """Of an aggregate: a number that spans have."""
    _require(operand, NUMERIC, "an aggregate takes a number")
    check_reads_spans(operand)


def check_reads_spans(operand: Expression) -> None:
    """Something that is not the same for all spans."""
    type_of_expression(operand)
    if not _reads_spans(operand):
        raise MistypedQuery(f"{quote(text(operand))} reads no field of the spans")


def check_field(field: Field) -> None:
    """A field that Spandrel knows of a span; what it does not know of its parent is not supported."""
    if field is Intrinsic.PARENT or (isinstance(field, Attribute) and field.of_parent):
        raise UnsupportedQuery(f"{quote(text(field))}: fields of the parent are not supported")


def type_of_expression(one: Expression) -> ValueType | None:
    """The type of its value, all that it is made of being checked."""
    match one:
        case Literal(literal_type):
            return literal_type
        case Attribute() | Intrinsic():
            check_field(one)
            return type_of(one) if isinstance(one, Intrinsic) else None
        case Not(operand):
            _require(operand, frozenset({ValueType.BOOLEAN}), f"{quote(text(one))}: `!` takes a condition")
            return ValueType.BOOLEAN
        case Negative(operand):
            _require(operand, NUMERIC, f"{quote(text(one))}: only a number has a sign")
            return ValueType.FLOAT
        case Calculation(operator, left, right):
            for side in (left, right):
                _require(side, NUMERIC, f"{quote(text(one))}: `{operator.value}` joins numbers")
            return ValueType.FLOAT
        case Junction(logic, operands):
            for operand in operands:
                _require(operand, frozenset({ValueType.BOOLEAN}), f"`{logic.value}` joins conditions")
            return ValueType.BOOLEAN
        case Presence():
            return _presence(one)
        case Written():
            return ValueType.BOOLEAN
        case Comparison():
            return _comparison(one)


def _require(operand: Expression, types: frozenset[ValueType], rule: str) -> None:
    found = type_of_expression(operand)
    if found is not None and found not in types:
        raise MistypedQuery(f"{rule}; {quote(text(operand))} is {found.value}")


def _presence(one: Presence) -> ValueType:
    type_of_expression(one.operand)
    if not one.present and (isinstance(one.operand, Intrinsic) or one.operand == _SERVICE_NAME):
        raise MistypedQuery(f"{quote(text(one))}: every span has it")
    return ValueType.BOOLEAN


def _comparison(one: Comparison) -> ValueType:
    types = [type_of_expression(side) for side in (one.left, one.right)]
    known = [found for found in types if found is not None]
    if len(set(known)) == 2 and not set(known) <= NUMERIC:
        raise MistypedQuery(f"{quote(text(one))} compares {known[0].value} with {known[1].value}")
    for found in known:
        if one.comparator not in _COMPARATORS[found]:
            raise MistypedQuery(f"{quote(text(one))}: `{one.comparator.value}` does not apply to {found.value}")
    if one.comparator in _REGEX:
        _check_regex(one)
    return ValueType.BOOLEAN


def _check_regex(one: Comparison) -> None:
    if not isinstance(one.right, Literal) or not isinstance(one.right.value, str):
        raise MistypedQuery(f"{quote(text(one))}: a regular expression is a text in the query")
    wrong = regex.complaint(one.right.value)
    if wrong:
        raise MistypedQuery(f"{quote(text(one))}: not a regular expression of RE2: {wrong}")


def _reads_spans(one: Expression) -> bool:
    match one:
        case Literal():
            return False
        case Attribute() | Intrinsic() | Written():
            return True
        case Not(operand) | Negative(operand) | Presence(operand):
            return _reads_spans(operand)
        case Calculation(_, left, right) | Comparison(_, left, right):
            return _reads_spans(left) or _reads_spans(right)
        case Junction(_, operands):
            return any(_reads_spans(operand) for operand in operands)
