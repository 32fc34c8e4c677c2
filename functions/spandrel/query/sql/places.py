"""Where the fields of a query are found: what the columns of some blocks hold of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from spandrel.blocks.naming import ATTRIBUTE_TYPES, SERVICE_NAME, AttributeScope, AttributeType, attribute_column
from spandrel.blocks.reader import quoted
from spandrel.query.condition import Condition, some, untrue
from spandrel.traceql.expressions import Attribute, Scope
from spandrel.traceql.intrinsics import ValueType

from .fragment import Fragment, combined, parameter
from .prepared import Prepared
from .values import NOTHING, Alternative, Value, whole_value

_COLUMN_SCOPES: dict[Scope, AttributeScope] = {
    Scope.SPAN: "span",
    Scope.RESOURCE: "resource",
    Scope.INSTRUMENTATION: "scope",
}
_SCALARS = {
    "string": ValueType.TEXT,
    "int": ValueType.INTEGER,
    "double": ValueType.FLOAT,
    "bool": ValueType.BOOLEAN,
}
_OPAQUE_FIELDS = ("bytes", "array", "kvlist")


SERVICE = Attribute(Scope.RESOURCE, SERVICE_NAME)
"""The service's name. Every block has a column for it; what is no text, or repeats, names no service."""


@dataclass(frozen=True, slots=True)
class Place:
    """`columns` are those that the blocks have.

    `event` and `link` are the one event and the one link that are looked at, as structs; ABSENT: there is none, None:
    none is chosen yet. `with_facts`: the table has the columns of `facts.COLUMNS` too, `with_lists`: and that of
    `lists`. `prepared`: who gives it makes a table with its columns.
    """

    columns: frozenset[str]
    event: Fragment | None = None
    link: Fragment | None = None
    with_facts: bool = False
    with_lists: bool = False
    prepared: Prepared | None = None


ABSENT = Fragment("NULL")


def attribute(field: Attribute, place: Place) -> Value:
    """The value of an attribute there."""
    value = _attribute(field, place)
    of_span = field.scope not in (Scope.EVENT, Scope.LINK)
    if place.prepared is None or not of_span or _is_short(value):
        return value
    return place.prepared.columns(field, value)


def _is_short(value: Value) -> bool:
    """Nothing but columns, which can be compared in the reading of blocks."""
    return all(one.guard is None and not one.sql.parameters for one in value.alternatives)


def _attribute(field: Attribute, place: Place) -> Value:
    match field.scope:
        case Scope.ANY:
            return _first_scope(field.key, place)
        case Scope.EVENT:
            return _in_struct(place.event, field.key, place)
        case Scope.LINK:
            return _in_struct(place.link, field.key, place)
    return _in_scope(_COLUMN_SCOPES[field.scope], field.key, place)


def columns_of(field: Attribute, columns: frozenset[str]) -> set[str]:
    """The columns, of those there are, that the attribute is read from."""
    if field.scope in (Scope.EVENT, Scope.LINK):
        return {f"{field.scope.value}s"} & columns
    scopes = _COLUMN_SCOPES.values() if field.scope is Scope.ANY else [_COLUMN_SCOPES[field.scope]]
    named = {column for scope in scopes for column, _ in attribute_columns(scope, field.key, columns)}
    return named | ({f"{scope}_rest" for scope in scopes} & columns)


def _first_scope(key: str, place: Place) -> Value:
    """Of the span if it has it, else of its resource, else of its instrumentation scope."""
    found: list[Value] = []
    absent: list[Condition] = []
    for scope in _COLUMN_SCOPES.values():
        value = _in_scope(scope, key, place)
        for missing in absent:
            value = value.guarded(missing)
        found.append(value)
        if value != NOTHING:
            absent = [untrue(some(one.present for one in found))]
    return whole_value(found)


def _in_scope(scope: AttributeScope, key: str, place: Place) -> Value:
    if (scope, key) == ("resource", SERVICE_NAME):
        return Value((Alternative(ValueType.TEXT, Fragment("service")),))
    found = [_in_column(column, kind) for column, kind in attribute_columns(scope, key, place.columns)]
    rest = f"{scope}_rest"
    if rest in place.columns:
        found.append(_in_pairs(Fragment(rest), key, place))
    return whole_value(found)


def attribute_columns(scope: AttributeScope, key: str, columns: frozenset[str]) -> list[tuple[str, AttributeType]]:
    """The columns, among those there are, that hold the attribute, with their types."""
    named = [(attribute_column(scope, key, kind), kind) for kind in ATTRIBUTE_TYPES]
    return [(column, kind) for column, kind in named if column in columns]


def _in_column(column: str, kind: AttributeType) -> Value:
    name = Fragment(quoted(column))
    there = (Condition(f"{name.sql} IS NOT NULL"),)
    if kind == "bytes":
        return Value(there=there)
    if kind.endswith("[]"):
        elements = combined("nullif({}, [])", name)
        return Value((Alternative(_SCALARS[kind.removesuffix("[]")], elements, is_list=True),), there)
    return Value((Alternative(_SCALARS[kind], name),), there)


def _in_struct(struct: Fragment | None, key: str, place: Place) -> Value:
    """An attribute of an event or a link."""
    return _in_pairs(combined("({}).attributes", struct), key, place) if is_there(struct) else NOTHING


def is_there(struct: Fragment | None) -> TypeGuard[Fragment]:
    """Whether an event or a link is looked at."""
    return struct is not None and struct != ABSENT


def _in_pairs(pairs: Fragment, key: str, place: Place) -> Value:
    """The first of the key-value pairs that has that key."""
    first = combined('list_filter({}, lambda pair: pair."key" = {})[1]', pairs, parameter(key))
    found = [Alternative(kind, combined(f'({{}})."{field}"', first)) for field, kind in _SCALARS.items()]
    if place.with_lists:
        for number, kind in enumerate(_SCALARS.values(), start=1):
            elements = combined(f'map_extract_value(known_lists, ({{}})."array")[{number}]', first)
            found.append(Alternative(kind, elements, is_list=True))
    any_field = " OR ".join(f'pair."{field}" IS NOT NULL' for field in (*_SCALARS, *_OPAQUE_FIELDS))
    there = combined(f"len(list_filter([{{}}], lambda pair: {any_field})) > 0", first)
    return Value(tuple(found), (Condition(there.sql, there.parameters),))
