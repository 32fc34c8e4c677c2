"""Structural operators: which spans of a table stand to which in a relation.

A table has a row a span, by its `id`, in a `spanset`; `left` and `right` are columns that say which spans are on which
side. Relations follow the parent ids of the whole trace (`edges`), whatever spans are in the table.
"""

from __future__ import annotations

from spandrel.traceql.spansets import Relation, Side

from .facts import edges
from .fragment import Fragment
from .tables import Tables

# Pairs of spans on the left and on the right; a parent or an ancestor is the upper one.
_NEXT = "SELECT parent AS upper, child AS lower FROM edges"
_ALL_BELOW = """
    WITH RECURSIVE below AS (
        SELECT parent AS upper, child AS lower FROM edges
        WHERE parent IN (SELECT id FROM {table} WHERE {upper})
        UNION
        SELECT below.upper, edges.child FROM below JOIN edges ON edges.parent = below.lower
    )
    SELECT upper, lower FROM below WHERE upper <> lower
"""
_PAIRS = """
    SELECT {left_end} AS on_left, {right_end} AS on_right FROM ({related}) AS related
    JOIN {table} AS a ON a.id = {left_end} AND a.{left} JOIN {table} AS b ON b.id = {right_end} AND b.{right}
    WHERE a.spanset = b.spanset
"""
_MARKED = {
    Side.RIGHT: "{right} AND id IN (SELECT on_right FROM {pairs})",
    Side.NEITHER: "{right} AND id NOT IN (SELECT on_right FROM {pairs})",
    Side.BOTH: "id IN (SELECT on_right FROM {pairs}) OR id IN (SELECT on_left FROM {pairs})",
}

# Siblings are counted, not paired: a parent may have thousands of children.
_WITH_SIBLING = (
    "parent_span_id IS NOT NULL AND "
    "count(*) FILTER ({of}) OVER (PARTITION BY spanset, parent_span_id) > CASE WHEN {of} THEN 1 ELSE 0 END"
)
_MARKED_SIBLINGS = {
    Side.RIGHT: "{right} AND {left_sibling}",
    Side.NEITHER: "{right} AND NOT ({left_sibling})",
    Side.BOTH: "({right} AND {left_sibling}) OR ({left} AND {right_sibling})",
}


def related(relation: Relation, side: Side, sides: tuple[str, str, str], tables: Tables) -> Fragment:
    """The condition for the spans that the operator gives. `sides`: the table and its columns left and right."""
    table, left, right = sides
    if relation is Relation.SIBLING:
        left_sibling, right_sibling = (_WITH_SIBLING.format(of=of) for of in (left, right))
        names = {"left": left, "right": right, "left_sibling": left_sibling, "right_sibling": right_sibling}
        return Fragment(_MARKED_SIBLINGS[side].format(**names))
    edges(tables)
    upwards = relation in (Relation.PARENT, Relation.ANCESTOR)
    ends = ("lower", "upper") if upwards else ("upper", "lower")
    near = relation in (Relation.CHILD, Relation.PARENT)
    pairs = _PAIRS.format(
        related=_NEXT if near else _ALL_BELOW.format(table=table, upper=right if upwards else left),
        left_end=ends[0],
        right_end=ends[1],
        table=table,
        left=left,
        right=right,
    )
    return Fragment(_MARKED[side].format(right=right, pairs=tables.add(Fragment(pairs))))
