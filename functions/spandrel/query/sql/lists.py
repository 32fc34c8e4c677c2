"""Lists that are no columns: those of events and links, and those in the rests of attributes.

Blocks keep them as serialized ArrayValues, which SQL cannot read. So those of the attributes that a query names are
fetched first, each once, read here, and given back to the question as a map, the column `known_lists`. Where that is
too much, for all traces of a time range, `may_have_list` says of which spans nothing can be said without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import ArrayValue

from spandrel.blocks.reader import OpenBlocks
from spandrel.model.errors import QueryTooBroad
from spandrel.query.condition import Condition, some
from spandrel.traceql.expressions import Attribute, Expression, Scope
from spandrel.traceql.intrinsics import ValueType

from .expressions import fields_of
from .fragment import Fragment, combined, joined

LISTS_MAX = 10_000  # different ones of a question

# In the order of the parts of a map's value.
TYPES = {
    "string_value": ValueType.TEXT,
    "int_value": ValueType.INTEGER,
    "double_value": ValueType.FLOAT,
    "bool_value": ValueType.BOOLEAN,
}
_MAP = "(SELECT map(?::BLOB[], list_zip(?::VARCHAR[][], ?::BIGINT[][], ?::DOUBLE[][], ?::BOOLEAN[][])) AS known_lists)"

_RESTS = {
    Scope.SPAN: ("span_rest",),
    Scope.RESOURCE: ("resource_rest",),
    Scope.INSTRUMENTATION: ("scope_rest",),
    Scope.ANY: ("span_rest", "resource_rest", "scope_rest"),
}
_NESTED = {Scope.EVENT: "events", Scope.LINK: "links"}
_IS_LIST = 'list_contains({}::VARCHAR[], pair."key") AND pair."array" IS NOT NULL'


@dataclass(frozen=True, slots=True)
class Sources:
    """Columns that may have such lists of the attributes that somebody names: key-value pairs, or structs of them."""

    keys: tuple[str, ...]
    rests: tuple[str, ...]
    nested: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.rests or self.nested)


def sources(expressions: Iterable[Expression], columns: frozenset[str]) -> Sources:
    """Those among the columns of the blocks."""
    named = [field for one in expressions for field in fields_of(one) if isinstance(field, Attribute)]
    rests = {rest for field in named for rest in _RESTS.get(field.scope, ())}
    nested = {_NESTED[field.scope] for field in named if field.scope in _NESTED}
    keys = tuple(sorted({field.key for field in named}))
    return Sources(keys, tuple(sorted(rests & columns)), tuple(sorted(nested & columns)))


def may_have_list(these: Sources) -> Condition:
    """Of a span: what is asked of it may depend on such a list."""
    is_list = combined(_IS_LIST, Fragment("?", (list(these.keys),)))
    rests = [combined(f"len(list_filter({rest}, lambda pair: {{}})) > 0", is_list) for rest in these.rests]
    in_one = combined("len(list_filter(one.attributes, lambda pair: {})) > 0", is_list)
    nested = [combined(f"len(list_filter({column}, lambda one: {{}})) > 0", in_one) for column in these.nested]
    return some([*rests, *nested])


def known_lists(these: Sources, opened: OpenBlocks, chosen: Fragment) -> Fragment | None:
    """A table expression of one row, whose column `known_lists` has the lists of the spans that are chosen; None: there
    are none. QueryTooBroad when there are too many.
    """
    if not these:
        return None
    pairs = [f"SELECT unnest({rest}) AS pair FROM spans WHERE {{}}" for rest in these.rests]
    pairs += [
        f"SELECT unnest(flatten(list_transform({column}, lambda one: one.attributes))) AS pair FROM spans WHERE {{}}"
        for column in these.nested
    ]
    all_pairs = joined(" UNION ALL ", [combined(one, chosen) for one in pairs])
    is_list = combined(_IS_LIST, Fragment("?", (list(these.keys),)))
    select = combined('SELECT DISTINCT pair."array" FROM ({}) WHERE {} LIMIT {}', all_pairs, is_list, _limit())
    found = [serialized for (serialized,) in opened.select(select.sql, select.parameters)]
    if len(found) > LISTS_MAX:
        raise QueryTooBroad(
            f"attributes that this names have more than {LISTS_MAX} different lists; narrow the time range"
        )
    return _as_map(found) if found else None


def _limit() -> Fragment:
    return Fragment("?", (LISTS_MAX + 1,))


def _as_map(found: Sequence[bytes]) -> Fragment:
    values = [_elements(serialized) for serialized in found]
    return Fragment(_MAP, (list(found), *([one.get(field) for one in values] for field in TYPES)))


def _elements(serialized: bytes) -> dict[str, list[Any]]:
    """The elements under their type's name, if they have one type that queries know; no list is empty."""
    elements = ArrayValue.FromString(serialized).values
    fields = {element.WhichOneof("value") for element in elements}
    if len(fields) != 1 or not fields <= TYPES.keys():
        return {}
    (field,) = fields
    return {str(field): [getattr(element, str(field)) for element in elements]}
