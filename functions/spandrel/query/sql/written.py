"""Attributes compared as text, for dialects that know nothing else.

As in Jaeger (internal/storage/v2/memory/tenant.go): a key is looked for in the attributes of the span, its resource,
its scope, its events and its links, and any of its values will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spandrel.blocks.naming import ATTRIBUTE_SCOPES, ATTRIBUTE_TYPES, SERVICE_NAME, AttributeScope, attribute_column
from spandrel.blocks.reader import quoted
from spandrel.query.condition import Condition, every, one_of, some
from spandrel.query.text_values import TypedValues, ValueType, typed_values
from spandrel.traceql.expressions import Scope, Written

# The types of an attribute's value in a list of key-value pairs, by the name of its field there.
_PAIR_FIELDS: tuple[ValueType, ...] = ("string", "int", "double", "bool", "bytes", "array", "kvlist")

_SCOPES: dict[Scope, AttributeScope] = {Scope.SPAN: "span", Scope.RESOURCE: "resource", Scope.INSTRUMENTATION: "scope"}


def written(condition: Written, columns: frozenset[str]) -> Condition:
    """True where the value is there, in the columns that the blocks have."""
    if condition.scope is Scope.ANY:
        return with_attribute(condition.key, [condition.text], columns)
    return some(_in_scope(_SCOPES[condition.scope], condition.key, typed_values(condition.text), columns))


def with_attribute(key: str, texts: Iterable[str], columns: frozenset[str]) -> Condition:
    """A span that has the attribute anywhere, with one of these values, compared as text. `spandrel.blocks.erasing`
    finds the same.
    """
    values: dict[ValueType, list[Any]] = {}
    for text in texts:
        for value_type, some_values in typed_values(text).items():
            values.setdefault(value_type, []).extend(some_values)
    return some(_anywhere(key, values, columns))


def _anywhere(key: str, values: TypedValues, columns: frozenset[str]) -> Iterator[Condition]:
    for scope in ATTRIBUTE_SCOPES:
        yield from _in_scope(scope, key, values, columns)
    pair = _pair(key, values)
    for nested in ("events", "links"):
        if nested in columns:
            in_one = f"len(list_filter(one.attributes, lambda pair: {pair.sql})) > 0"
            yield Condition(f"len(list_filter({nested}, lambda one: {in_one})) > 0", pair.parameters)


def _in_scope(scope: AttributeScope, key: str, values: TypedValues, columns: frozenset[str]) -> Iterator[Condition]:
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
