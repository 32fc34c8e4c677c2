"""compare(): the most frequent values of each attribute among selected spans, and among the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from spandrel.blocks.naming import SERVICE_NAME, attribute_of_column
from spandrel.blocks.reader import quoted
from spandrel.model.errors import QueryTooBroad
from spandrel.model.limits import METRIC_POINTS_MAX
from spandrel.traceql.expressions import Attribute, Field, Literal, Scope
from spandrel.traceql.intrinsics import Intrinsic, ValueType
from spandrel.traceql.metrics import Compare
from spandrel.traceql.printing import label

from .condition import Condition, every, starts_in
from .metrics_groups import columns_of, literal_of
from .metrics_series import AllSeries, Labels, Points, Series, Steps
from .metrics_spans import Spans
from .sql.expressions import fields_of, holds
from .sql.fragment import Fragment, combined, joined

COMPARED = (
    Intrinsic.NAME,
    Intrinsic.KIND,
    Intrinsic.STATUS,
    Intrinsic.STATUS_MESSAGE,
    Intrinsic.ROOT_NAME,
    Intrinsic.ROOT_SERVICE,
)
META_TYPE = "__meta_type"
_SIDES = {False: "baseline", True: "selection"}
_SCOPES = {"span": Scope.SPAN, "resource": Scope.RESOURCE, "scope": Scope.INSTRUMENTATION}
_TYPES = {
    "string": ValueType.TEXT,
    "int": ValueType.INTEGER,
    "double": ValueType.FLOAT,
    "bool": ValueType.BOOLEAN,
}
# Values as DuckDB writes them; those of the other types are whole numbers.
_READ: dict[ValueType, Callable[[str], Any]] = {
    ValueType.TEXT: str,
    ValueType.FLOAT: float,
    ValueType.BOOLEAN: lambda written: written == "true",
}

# What each attribute's column says, as text, so that all columns are one table.
_OF_COLUMN = """
    SELECT ? AS scope, ? AS "key", '{type}' AS type, selected, step, {column}::VARCHAR AS value, count(*) AS spans
    FROM compared WHERE {column} IS NOT NULL GROUP BY selected, step, value
"""
# The attributes without a column; of a key that repeats the first one.
_OF_REST = f"""
    SELECT '{{scope}}', pair."key", CASE {
    " ".join(f'''WHEN pair."{field}" IS NOT NULL THEN '{kind.name}' ''' for field, kind in _TYPES.items())
} END AS kind, selected, step,
        coalesce(pair."string", pair."int"::VARCHAR, (pair."double" + 0.0)::VARCHAR, pair."bool"::VARCHAR) AS said,
        count(*)
    FROM (
        SELECT selected, step, unnest(list_filter({{scope}}_rest, lambda pair, place:
            place = list_position(list_transform({{scope}}_rest, lambda other: other."key"), pair."key"))) AS pair
        FROM compared
    ) WHERE kind IS NOT NULL GROUP BY ALL
"""
_FREQUENT = f"""{{}}, compared AS MATERIALIZED (SELECT {{}} FROM {{table}} WHERE {{}}), said AS MATERIALIZED ({{}}),
places AS (
    SELECT selected, scope, "key", type, value,
        row_number() OVER (PARTITION BY selected, scope, "key" ORDER BY sum(spans) DESC, value, type) AS place
    FROM said GROUP BY selected, scope, "key", type, value
)
SELECT selected, scope, "key", type, value, step, spans
FROM said JOIN places USING (selected, scope, "key", type, value) WHERE place <= {{}}
UNION ALL
SELECT selected, scope, "key", NULL, NULL, step, sum(spans)::BIGINT FROM said GROUP BY ALL
LIMIT {METRIC_POINTS_MAX + 1}
"""


@dataclass(frozen=True, slots=True)
class _Column:
    """The values of one type of a field, named by the blocks' scope and the key; the scope of an intrinsic is empty."""

    scope: str
    key: str
    type: ValueType
    sql: Fragment


def comparison(function: Compare, spans: Spans, steps: Steps) -> AllSeries:
    """How many spans have each of the values, and how many have the attribute at all. QueryTooBroad when the counts
    are too many.
    """
    statement = _statement(function, steps, spans)
    found: dict[Labels, Points] = {}
    rows = spans.opened.select(statement.sql, statement.parameters)
    if len(rows) > METRIC_POINTS_MAX:
        raise QueryTooBroad(f"these are more than {METRIC_POINTS_MAX} counts: compare fewer values, or widen the step")
    for selected, scope, key, type_name, value, step, count in rows:
        labels = _labels(_SIDES[selected], scope, key, _value(type_name, value))
        points = found.setdefault(labels, [0.0] * steps.count)
        points[step] = (points[step] or 0.0) + count
    return {labels: Series(points) for labels, points in found.items()}


def fields_compared(function: Compare) -> list[Field]:
    """What is asked of spans beside their attributes."""
    return [*COMPARED, *fields_of(function.selection.condition)]


def _statement(function: Compare, steps: Steps, spans: Spans) -> Fragment:
    columns = list(_columns(spans))
    named = [combined(f"{{}} AS column_{at}", one.sql) for at, one in enumerate(columns)]
    rests = [scope for scope in _SCOPES if f"{scope}_rest" in spans.place.columns]
    step = Fragment("(start_time_unix_nano - ?::UBIGINT) // ?::UBIGINT AS step", (steps.start_ns, steps.step_ns))
    selected = combined("coalesce({}, false) AS selected", _selected(function, spans))
    chosen = joined(", ", [step, selected, *named, *(Fragment(f"{scope}_rest") for scope in rests)])
    said = [
        Fragment(_OF_COLUMN.format(type=one.type.name, column=f"column_{at}"), (one.scope, one.key))
        for at, one in enumerate(columns)
    ]
    said += [Fragment(_OF_REST.format(scope=scope)) for scope in rests]
    text = _FREQUENT.format("{}", "{}", "{}", "{}", "{}", table=spans.table)
    top = Fragment("?", (function.top,))
    return combined(text, spans.before, chosen, spans.condition, joined(" UNION ALL ", said), top)


def _selected(function: Compare, spans: Spans) -> Condition:
    """A span is selected; its start is later than the function's own, and not later than its end."""
    condition = holds(function.selection.condition, spans.place)
    if not function.end_ns:
        return condition
    return every([starts_in(function.start_ns + 1, function.end_ns + 1), condition])


def _columns(spans: Spans) -> Iterator[_Column]:
    for intrinsic in COMPARED:
        for column in columns_of([intrinsic], spans.place):
            yield _Column("", intrinsic.value, column.kind[0], column.sql)
    yield _Column("resource", SERVICE_NAME, ValueType.TEXT, Fragment("service"))
    for name in sorted(spans.place.columns):
        attribute = attribute_of_column(name)
        if attribute and attribute[2] in _TYPES:
            scope, key, kind = attribute
            zero = " + 0.0" if kind == "double" else ""  # which makes one of 0.0 and -0.0
            yield _Column(scope, key, _TYPES[kind], Fragment(quoted(name) + zero))


def _value(type_name: str | None, value: str | None) -> Literal | None:
    if type_name is None or value is None:
        return None
    value_type = ValueType[type_name]
    return literal_of(value_type, _READ.get(value_type, int)(value))


def _labels(side: str, scope: str, key: str, value: Literal | None) -> Labels:
    """With a value its count, without one how many spans have any."""
    field: Field = Attribute(_SCOPES[scope], key) if scope else Intrinsic(key)
    meta = side if value is not None else f"{side}_total"
    return ((META_TYPE, Literal(ValueType.TEXT, meta)), (label(field), value))
