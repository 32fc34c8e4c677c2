"""The spans that a metrics query counts, as a table of SQL: each once, within the time range."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spandrel.blocks.reader import OpenBlocks
from spandrel.model.catalogue import Block
from spandrel.traceql.errors import UnsupportedQuery, quote
from spandrel.traceql.expressions import Field
from spandrel.traceql.printing import pipeline as text
from spandrel.traceql.spansets import Pipeline

from .alone import condition_alone
from .condition import Condition, every, starts_in
from .metrics_copies import once
from .metrics_series import Steps
from .sql.expressions import needs_facts
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
    condition = None if any(map(needs_facts, fields)) else condition_alone(pipeline, place)
    if condition is None:
        raise UnsupportedQuery(f"{quote(text(pipeline))}: metrics of what only a whole trace tells are not counted yet")
    before, table = once(blocks, steps.start_ns, steps.end_ns)
    return Spans(before, table, every([starts_in(steps.start_ns, steps.end_ns), condition]), place)
