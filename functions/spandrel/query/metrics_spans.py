"""The spans that a metrics query counts, as a table of SQL: each once, within the time range."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spandrel.blocks.reader import OpenBlocks
from spandrel.model.catalogue import Block
from spandrel.traceql.errors import UnsupportedQuery, quote
from spandrel.traceql.expressions import Field, Logic
from spandrel.traceql.printing import pipeline as text
from spandrel.traceql.spansets import Coalesce, Filter, GroupBy, Pipeline, Select, SpansetJunction, Spansets, Stage

from .condition import ALWAYS, Condition, every, some, starts_in
from .metrics_copies import once
from .metrics_series import Steps
from .sql.expressions import holds, needs_facts
from .sql.fragment import Fragment
from .sql.places import Place


@dataclass(frozen=True, slots=True)
class Spans:
    """Rows of `table`, of which `condition` holds; `before` stands before the SELECT. Fields are found at `place`."""

    before: Fragment
    table: str
    condition: Condition
    place: Place


def spans_of(
    pipeline: Pipeline, fields: Iterable[Field], opened: OpenBlocks, blocks: Sequence[Block], steps: Steps
) -> Spans:
    """The spans that come out of the pipeline and start within the steps; `fields` are those that are asked of them."""
    place = Place(opened.columns)
    condition = None if any(map(needs_facts, fields)) else _condition(pipeline, place)
    if condition is None:
        raise UnsupportedQuery(f"{quote(text(pipeline))}: metrics of what only a whole trace tells are not counted yet")
    before, table = once(blocks, steps.start_ns, steps.end_ns)
    return Spans(before, table, every([starts_in(steps.start_ns, steps.end_ns), condition]), place)


def _condition(one: Spansets | Stage, place: Place) -> Condition | None:
    """What holds of a span that comes out; None where it takes a whole trace to tell.

    Groups and selected fields do not matter here: in the end all spans of a pipeline count alike.
    """
    match one:
        case Filter(condition):
            return None if needs_facts(condition) else holds(condition, place)
        case Pipeline(stages):
            known = _conditions(stages, place)
            return None if known is None else every(known)
        case SpansetJunction(Logic.OR, operands):
            known = _conditions(operands, place)
            return None if known is None else some(known)
        case GroupBy() | Select() | Coalesce():
            return ALWAYS
    return None


def _conditions(parts: Iterable[Spansets | Stage], place: Place) -> list[Condition] | None:
    found = [_condition(part, place) for part in parts]
    known = [condition for condition in found if condition is not None]
    return known if len(known) == len(found) else None
