"""What only a whole trace tells of a span, as columns beside its copy that counts."""

from __future__ import annotations

from collections.abc import Collection

from spandrel.traceql.intrinsics import Intrinsic

from .fragment import Fragment
from .tables import Tables

COLUMNS = {
    Intrinsic.TRACE_DURATION: "fact_trace_duration",
    Intrinsic.ROOT_NAME: "fact_root_name",
    Intrinsic.ROOT_SERVICE: "fact_root_service",
    Intrinsic.CHILD_COUNT: "fact_child_count",
    Intrinsic.NESTED_SET_LEFT: "fact_nested_set_left",
    Intrinsic.NESTED_SET_RIGHT: "fact_nested_set_right",
    Intrinsic.NESTED_SET_PARENT: "fact_nested_set_parent",
}
_OF_TRACES = {Intrinsic.TRACE_DURATION, Intrinsic.ROOT_NAME, Intrinsic.ROOT_SERVICE}
_NESTED_SETS = {Intrinsic.NESTED_SET_LEFT, Intrinsic.NESTED_SET_RIGHT, Intrinsic.NESTED_SET_PARENT}

# The root is the one that starts first.
_TRACES = """
    SELECT trace_id,
        max(start_time_unix_nano::HUGEINT + duration_nano) - min(start_time_unix_nano) AS fact_trace_duration,
        min(row(start_time_unix_nano, span_id, name, service)) FILTER (parent_span_id IS NULL) AS root,
        root[3] AS fact_root_name, root[4] AS fact_root_service
    FROM copies GROUP BY trace_id
"""
_CHILDREN = "SELECT parent AS id, count(*) AS fact_child_count FROM edges GROUP BY parent"

# Depth first from the roots, siblings by start. The path of a span is the places of those above it and its own; of
# several paths (where spans share an id) the first one counts, at each depth alone so that they do not multiply.
_PATHS = """
    WITH RECURSIVE ordered AS (
        SELECT id, trace_id, parent_span_id, row_number() OVER (ORDER BY start_time_unix_nano, span_id, id) AS place
        FROM copies
    ), walk AS (
        SELECT id, trace_id, [place] AS path FROM ordered WHERE parent_span_id IS NULL
        UNION ALL
        SELECT ordered.id, ordered.trace_id, list_append(walk.path, ordered.place) AS longer
        FROM walk JOIN edges ON edges.parent = walk.id JOIN ordered ON ordered.id = edges.child
        WHERE NOT list_contains(walk.path, ordered.place)
        QUALIFY row_number() OVER (PARTITION BY ordered.id ORDER BY longer) = 1
    )
    SELECT id, trace_id, min(path) AS path FROM walk GROUP BY ALL
"""
# Before a span its predecessors were entered, and all of them left but those above it; each has two numbers.
_NUMBERED = """
    SELECT id, path[-1] AS place, path[-2] AS above, 2 * row_number() OVER (PARTITION BY trace_id ORDER BY path)
        - len(path) AS fact_nested_set_left
    FROM paths
"""
_SIZES = "SELECT place, count(*) AS size FROM (SELECT unnest(path) AS place FROM paths) GROUP BY place"
_SETS = """
    SELECT numbered.id, numbered.fact_nested_set_left,
        numbered.fact_nested_set_left + 2 * sizes.size - 1 AS fact_nested_set_right,
        CASE WHEN numbered.above IS NULL THEN -1 ELSE parents.fact_nested_set_left END AS fact_nested_set_parent
    FROM numbered JOIN sizes USING (place) LEFT JOIN numbered AS parents ON parents.place = numbered.above
"""
# None, one, or as many as share an id; nobody is his own.
_EDGES = """
    SELECT parents.id AS parent, children.id AS child FROM copies AS parents
    JOIN copies AS children ON children.trace_id = parents.trace_id AND children.parent_span_id = parents.span_id
    WHERE parents.id <> children.id
"""


def edges(tables: Tables) -> str:
    """The table of parents and their children, by the `id` of copies."""
    return tables.add(Fragment(_EDGES), name="edges")


def facts_about(wanted: Collection[Intrinsic], tables: Tables) -> Fragment:
    """A table expression of `copies` with the columns wanted."""
    joins, columns = [], []
    if not set(wanted) <= _OF_TRACES:
        edges(tables)
    if _OF_TRACES & set(wanted):
        tables.add(Fragment(_TRACES), name="traces")
        joins.append("JOIN traces USING (trace_id)")
        columns += ["fact_trace_duration", "fact_root_name", "fact_root_service"]
    if Intrinsic.CHILD_COUNT in wanted:
        tables.add(Fragment(_CHILDREN), name="children")
        joins.append("LEFT JOIN children USING (id)")
        columns.append("coalesce(fact_child_count, 0) AS fact_child_count")
    if _NESTED_SETS & set(wanted):
        for name, select in {"paths": _PATHS, "numbered": _NUMBERED, "sizes": _SIZES, "sets": _SETS}.items():
            tables.add(Fragment(select), name=name)
        joins.append("LEFT JOIN sets USING (id)")
        columns += [f"coalesce({COLUMNS[one]}, 0) AS {COLUMNS[one]}" for one in sorted(_NESTED_SETS, key=str)]
    return Fragment(f"(SELECT copies.*, {', '.join(columns)} FROM copies {' '.join(joins)})")
