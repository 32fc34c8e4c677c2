"""X-Ray's filter expressions as a tree: what `filter_parser` reads, `filter_text` writes and `filter_query` answers.

Source: AWS X-Ray Developer Guide, "Using filter expressions". All nodes are frozen, comparable values without
positions; names of keywords are in small letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from spandrel.model.errors import Rejected

Value = str | int | float | bool


class InvalidFilter(Rejected):
    """A filter expression that cannot be answered as it stands. The message says which part."""


class Operator(Enum):
    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    CONTAINS = "CONTAINS"
    BEGINS_WITH = "BEGINSWITH"
    ENDS_WITH = "ENDSWITH"


@dataclass(frozen=True, slots=True)
class Keyword:
    """`http.url`: something that a trace, a service or a root cause has."""

    name: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """`annotation.key` or `annotation[key]`."""

    key: str


@dataclass(frozen=True, slots=True)
class Test:
    """A subject compared with a value; without operator and value, whether it is true or there at all."""

    subject: Keyword | Annotation
    operator: Operator | None = None
    value: Value | None = None

    __test__ = False  # no class of tests, whatever pytest thinks of its name


@dataclass(frozen=True, slots=True)
class Node:
    """Services of a service graph by what is said of them; without anything all. Printed as `id(...)`."""

    name: str | None = None
    type: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """`service(node) { condition }`"""

    node: Node
    condition: Term | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """`edge(source, destination) { condition }`"""

    source: Node
    destination: Node
    condition: Term | None = None


class Cause(Enum):
    FAULT = "fault"
    ERROR = "error"
    RESPONSE_TIME = "responsetime"


class Element(Enum):
    """What of a root cause a condition is about."""

    SERVICE = "service"
    ENTITY = "entity"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class RootCause:
    """`rootcause.fault.service { condition }`"""

    cause: Cause
    element: Element
    condition: Term | None = None


@dataclass(frozen=True, slots=True)
class RootCauseJson:
    """`rootcause.json = #[...]`: `text` is what stands behind the `#`."""

    text: str


@dataclass(frozen=True, slots=True)
class Negation:
    operand: Term


@dataclass(frozen=True, slots=True)
class All:
    """Two terms or more, none of them an All."""

    operands: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Two terms or more, none of them an AnyOf."""

    operands: tuple[Term, ...]


Term = Test | Service | Edge | RootCause | RootCauseJson | Negation | All | AnyOf
