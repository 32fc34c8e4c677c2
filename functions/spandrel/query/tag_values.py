"""The values of a field, for who writes a query: the most frequent ones in the newest blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spandrel.blocks.naming import SERVICE_NAME
from spandrel.blocks.reader import OpenBlocks
from spandrel.model.catalogue import Block
from spandrel.model.spans import KIND_NAMES
from spandrel.traceql.expressions import Attribute, Field, Literal, Scope
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.metrics import Query

from .alone import chosen_spans
from .condition import Condition, every, starts_in
from .metrics_groups import Column, columns_of, values_of
from .names import operations_in
from .reading import Reading, check_range
from .sql.expressions import reads_events, reads_links
from .sql.fragment import Fragment, combined, joined
from .sql.places import Place
from .tags import VALUE_TYPES, TagType, newest

TAG_VALUES_MAX = 1000
VALUE_CHARACTERS_MAX = 1000  # longer texts are no help to who types

_SERVICE = Attribute(Scope.RESOURCE, SERVICE_NAME)
_OF_ROOTS: dict[Field, Field] = {Intrinsic.ROOT_NAME: Intrinsic.NAME, Intrinsic.ROOT_SERVICE: _SERVICE}
_IS_ROOT = Condition("parent_span_id IS NULL")

# What may be another one for each span is nothing to choose from.
_UNLISTED = {
    Intrinsic.DURATION,
    Intrinsic.TRACE_DURATION,
    Intrinsic.EVENT_TIME_SINCE_START,
    Intrinsic.SPAN_ID,
    Intrinsic.PARENT_ID,
    Intrinsic.PARENT,
    Intrinsic.TRACE_ID,
    Intrinsic.LINK_TRACE_ID,
    Intrinsic.LINK_SPAN_ID,
    Intrinsic.CHILD_COUNT,
    Intrinsic.NESTED_SET_LEFT,
    Intrinsic.NESTED_SET_RIGHT,
    Intrinsic.NESTED_SET_PARENT,
}


@dataclass(frozen=True, slots=True)
class TagValues:
    """Values in order of their types and of themselves. `incomplete`: there may be others."""

    values: list[Literal]
    incomplete: bool


def tag_type(value: Literal) -> TagType:
    """How the type of a value is called."""
    return VALUE_TYPES[value.type]


def tag_values(
    reading: Reading, field: Field, start_ns: int, end_ns: int, query: Query | None = None, limit: int = TAG_VALUES_MAX
) -> TagValues:
    """The values that the field has in spans that start in [start_ns, end_ns) and come out of the query; of lists their
    elements, of events and links those of all.

    At most `limit` and TAG_VALUES_MAX of them, the most frequent in the newest blocks (`tags.newest`); texts of more
    than VALUE_CHARACTERS_MAX are left out. Services, names and kinds of all spans are told by the catalogue, those of
    whole blocks. Ids, durations and numbers of places in a trace are not listed. Rejected for a query of whole traces.
    """
    check_range(start_ns, end_ns)
    most = max(0, min(limit, TAG_VALUES_MAX))
    if field in _UNLISTED:
        return TagValues([], incomplete=False)
    live = reading.live(start_ns, end_ns)
    if query is None and field in (_SERVICE, Intrinsic.NAME, Intrinsic.KIND):
        return _of_operations(reading, live, field, most)
    blocks = newest(live, lambda block: block.size_bytes)
    opened = reading.open(blocks)
    chosen = [starts_in(start_ns, end_ns), chosen_spans(query, Place(opened.columns))]
    if field in _OF_ROOTS:
        field, chosen = _OF_ROOTS[field], [*chosen, _IS_ROOT]
    counts = _counted(opened, field, every(chosen), most)
    return _listed(counts, most, incomplete=len(blocks) < len(live))


def _of_operations(reading: Reading, live: Sequence[Block], field: Field, most: int) -> TagValues:
    unlisted = [block for block in live if block.operations is None]
    looked_into = newest(unlisted, lambda block: block.size_bytes) if unlisted else []
    told = operations_in(reading, [block for block in live if block.operations is not None] + looked_into)
    if field is Intrinsic.KIND:
        values = {Literal(ValueType.KIND, kind) for _, _, kind in told if kind in KIND_NAMES}
    elif field is Intrinsic.NAME:
        values = {Literal(ValueType.TEXT, name) for _, name, _ in told}
    else:
        values = {Literal(ValueType.TEXT, service) for service, _, _ in told if service}
    return _listed(Counter(values), most, incomplete=len(looked_into) < len(unlisted))


def _counted(opened: OpenBlocks, field: Field, condition: Condition, most: int) -> Counter[Literal]:
    """How often the most frequent values are there, one more than are listed."""
    table, place = _table(field, condition, Place(opened.columns))
    columns = columns_of([field], place)
    counts: Counter[Literal] = Counter()
    if not columns:
        return counts
    names = [f"value_{at}" for at in range(len(columns))]
    values = joined(", ", [combined(f"{{}} AS {name}", one.sql) for name, one in zip(names, columns, strict=True)])
    short = " OR ".join(_is_listed(name, one) for name, one in zip(names, columns, strict=True))
    statement = combined(
        f"""SELECT *, count(*) AS spans FROM (SELECT {{}} FROM {{}}) WHERE {short}
        GROUP BY ALL ORDER BY spans DESC, {", ".join(names)} LIMIT {most + 1}""",
        values,
        table,
    )
    for *row, spans in opened.select(statement.sql, statement.parameters):
        for value in values_of(columns, row):
            for one in value if isinstance(value, tuple) else (value,):
                counts[one] += spans
    return counts


def _table(field: Field, condition: Condition, place: Place) -> tuple[Fragment, Place]:
    """Rows to read the field from: spans, or their events or links, each by itself."""
    each, one = f"(SELECT unnest({{}}) AS one, start_time_unix_nano FROM spans WHERE {condition.sql})", Fragment("one")
    if reads_events(field):
        return Fragment(each.format("events"), condition.parameters), replace(place, event=one)
    if reads_links(field):
        return Fragment(each.format("links"), condition.parameters), replace(place, link=one)
    return combined("spans WHERE {}", condition), place


def _is_listed(name: str, column: Column) -> str:
    value_type, is_list = column.kind
    if value_type is ValueType.TEXT and not is_list:
        return f"length({name}) <= {VALUE_CHARACTERS_MAX}"
    return f"{name} IS NOT NULL"


def _listed(counts: Counter[Literal], most: int, *, incomplete: bool) -> TagValues:
    def place(value: Literal) -> tuple[str, object]:
        return value.type.name, value.value

    frequent = sorted(counts, key=lambda value: (-counts[value], place(value)))[:most]
    return TagValues(sorted(frequent, key=place), incomplete or len(counts) > most)
