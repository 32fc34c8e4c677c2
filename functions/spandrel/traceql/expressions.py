"""What stands between the braces of a filter: values, fields, and what is made of them.

All nodes of a query are frozen, comparable, hashable values without positions. Other dialects build them by hand;
`checking` says whether they make sense, docs/traceql.md what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from .intrinsics import Intrinsic, ValueType


class Status(IntEnum):
    """Numbers as in opentelemetry/proto/trace/v1, Status.StatusCode; names as in TraceQL."""

    unset = 0
    ok = 1
    error = 2


class Kind(IntEnum):
    """Numbers as in opentelemetry/proto/trace/v1, Span.SpanKind; names as in TraceQL."""

    unspecified = 0
    internal = 1
    server = 2
    client = 3
    producer = 4
    consumer = 5


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in the query. Durations are int nanoseconds, statuses and kinds OTLP's numbers."""

    type: ValueType
    value: str | int | float | bool


TRUE = Literal(ValueType.BOOLEAN, True)
FALSE = Literal(ValueType.BOOLEAN, False)


class Scope(Enum):
    """Where an attribute is looked for. ANY: on the span, then its resource, then its instrumentation scope."""

    ANY = ""
    SPAN = "span"
    RESOURCE = "resource"
    EVENT = "event"
    LINK = "link"
    INSTRUMENTATION = "instrumentation"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute by its key. `of_parent`: of the span's parent."""

    scope: Scope
    key: str
    of_parent: bool = False


Field = Attribute | Intrinsic


class Comparator(Enum):
    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    MATCHES = "=~"
    MATCHES_NOT = "!~"


class Operator(Enum):
    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDED_BY = "/"
    MODULO = "%"
    POWER = "^"


class Logic(Enum):
    AND = "&&"
    OR = "||"


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Expression


@dataclass(frozen=True, slots=True)
class Calculation:
    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Comparison:
    comparator: Comparator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Presence:
    """`x != nil` (present) or `x = nil` (not)."""

    operand: Expression
    present: bool


@dataclass(frozen=True, slots=True)
class Junction:
    """All (`&&`) or any (`||`) of two or more operands, none of them a Junction of the same logic."""

    logic: Logic
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """Some attribute has the key, and its value, of whatever type, is written so (`spandrel.query.text_values`).

    For dialects that compare all values as text, as Jaeger's does; no text of TraceQL says it, and none is read back
    from how it is printed. ANY: of the span, its resource, its instrumentation scope, an event or a link of it, and of
    a key that repeats any of the values.
    """

    scope: Scope
    key: str
    text: str


Expression = Literal | Attribute | Intrinsic | Not | Negative | Calculation | Comparison | Presence | Junction | Written
