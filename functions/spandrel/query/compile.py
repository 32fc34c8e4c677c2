"""A search's conditions on spans -> SQL over the table `spans` of some blocks.

Attributes match as in Jaeger (internal/storage/v2/memory/tenant.go): a plain key is looked for in the attributes of the
span, its resource, its scope, its events and its links; `resource.KEY` in the resource alone; `error`, `span.kind`,
`span.status`, `scope.name` and `scope.version` are not attributes but what they say. Unlike there, a value that can
never match (`error=perhaps`) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from spandrel.blocks.naming import ATTRIBUTE_SCOPES, ATTRIBUTE_TYPES, SERVICE_NAME, AttributeScope, attribute_column
from spandrel.blocks.reader import quoted
from spandrel.model.errors import Rejected
from spandrel.model.search import Search
from spandrel.model.spans import KINDS, STATUSES

from .condition import Condition, every, one_of, some, starts_in
from .text_values import TypedValues, ValueType, typed_values

Columns = frozenset[str]
_Value = TypeVar("_Value")

_RESOURCE_PREFIX = "resource."
_BOOLEANS = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False}  # as Go parses them
_ERROR = STATUSES["error"]

# The types of an attribute's value in a list of key-value pairs, by the name of its field there.
_PAIR_FIELDS: tuple[ValueType, ...] = ("string", "int", "double", "bool", "bytes", "array", "kvlist")


def condition_of(search: Search, columns: Columns) -> Condition:
    """What must hold for a span that matches; `columns` are those that the blocks have. Rejected names an attribute
    whose value can never match.
    """
    return every(_conditions(search, columns))


def _conditions(search: Search, columns: Columns) -> Iterator[Condition]:
    yield starts_in(search.start_ns, search.end_ns)
    for sql, value in {
        "service = ?": search.service,
        "name = ?": search.operation,
        "kind = ?": search.kind,
        "duration_nano >= ?": search.min_duration_ns,
        "duration_nano <= ?": search.max_duration_ns,
    }.items():
        if value is not None:
            yield Condition(sql, (value,))
    for key, text in search.attributes:
        yield _attribute(key, text, columns)


def _attribute(key: str, text: str, columns: Columns) -> Condition:
    match key:
        case "error":
            return Condition("(coalesce(status_code, 0) = ?) = ?", (_ERROR, _named(key, text, _BOOLEANS)))
        case "span.status":
            return Condition("coalesce(status_code, 0) = ?", (_named(key, text, STATUSES),))
        case "span.kind":
            return Condition("kind = ?", (_named(key, text, KINDS),))
        case "scope.name":
            return Condition("coalesce(scope_name, '') = ?", (text,))
        case "scope.version":
            return Condition("coalesce(scope_version, '') = ?", (text,))
    values = typed_values(text)
    if key.startswith(_RESOURCE_PREFIX):
        return some(_in_scope("resource", key.removeprefix(_RESOURCE_PREFIX), values, columns))
    return some(_anywhere(key, values, columns))


def with_attribute(key: str, text: str, columns: Columns) -> Condition:
    """A span that has the attribute anywhere, its value compared as text. `spandrel.blocks.erasing` finds the same."""
    return some(_anywhere(key, typed_values(text), columns))


def _named(key: str, text: str, values: Mapping[str, _Value]) -> _Value:
    try:
        return values[text.lower()]
    except KeyError as error:
        raise Rejected(f"the attribute {key} is one of {', '.join(values)}, not {text[:80]!r}") from error


def _anywhere(key: str, values: TypedValues, columns: Columns) -> Iterator[Condition]:
    for scope in ATTRIBUTE_SCOPES:
        yield from _in_scope(scope, key, values, columns)
    pair = _pair(key, values)
    for nested in ("events", "links"):
        if nested in columns:
            in_one = f"len(list_filter(one.attributes, lambda pair: {pair.sql})) > 0"
            yield Condition(f"len(list_filter({nested}, lambda one: {in_one})) > 0", pair.parameters)


def _in_scope(scope: AttributeScope, key: str, values: TypedValues, columns: Columns) -> Iterator[Condition]:
    if scope == "resource" and key == SERVICE_NAME:
        yield one_of("service", values["string"])
    for value_type in ATTRIBUTE_TYPES:
        column = attribute_column(scope, key, value_type)
        if value_type in values and column in columns:
            yield one_of(quoted(column), values[value_type])
    rest = f"{scope}_rest"
    if rest in columns:
        pair = _pair(key, values)
        yield Condition(f"len(list_filter({rest}, lambda pair: {pair.sql})) > 0", pair.parameters)


def _pair(key: str, values: TypedValues) -> Condition:
    """A key-value pair called `pair` has that key and one of the values."""
    fields = (one_of(f'pair."{field}"', values[field]) for field in _PAIR_FIELDS if field in values)
    return every([Condition('pair."key" = ?', (key,)), some(fields)])
