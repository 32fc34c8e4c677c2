"""The spans that a metrics query counts, as tables of SQL: each once, within the time range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from spandrel.blocks.reader import OpenBlocks
from spandrel.model.catalogue import Block
from spandrel.traceql.expressions import TRUE, Expression, Field
from spandrel.traceql.intrinsics import Intrinsic
from spandrel.traceql.spansets import Pipeline, Select

from .alone import condition_alone, with_plain_roots
from .condition import ALWAYS, Condition, every, some, starts_in
from .extents import MARGIN_NS
from .metrics_copies import once
from .metrics_series import Steps
from .necessary import may_come_out, needed
from .reading import Reading
from .sql.expressions import holds, needs_facts
from .sql.facts import COLUMNS
from .sql.first_table import Source
from .sql.fragment import Fragment, combined
from .sql.lists import known_lists, may_have_list, sources
from .sql.pipelines import asked_by, evaluated
from .sql.places import Place
from .sql.tables import Tables

PART_SPANS = 1_000_000  # whose traces are looked at together, which takes about half a GB

# What comes out of a pipeline is known by what makes spans one and the same; all else is read from the blocks.
_SPANS_THAT_CAME_OUT = """{{}}, came_out AS MATERIALIZED (
    SELECT trace_id, span_id, service, start_time_unix_nano, {kind} AS kind {facts} FROM {table} WHERE {{}}
) {{}}, counted AS (
    SELECT spans_once.* {of_came_out} FROM {once} AS spans_once JOIN came_out
    ON spans_once.trace_id = came_out.trace_id AND spans_once.span_id = came_out.span_id
    AND spans_once.start_time_unix_nano = came_out.start_time_unix_nano AND spans_once.kind = came_out.kind
    AND spans_once.service IS NOT DISTINCT FROM came_out.service
)"""


@dataclass(frozen=True, slots=True)
class Spans:
    """Rows of `table`, of which `condition` holds; `before` stands before the SELECT. Fields are found at `place`."""

    opened: OpenBlocks
    before: Fragment
    table: str
    condition: Condition
    place: Place


@dataclass(frozen=True)
class Range:
    """The spans of a request that start within its steps."""

    reading: Reading
    steps: Steps

    def spans(self, pipeline: Pipeline, fields: Iterable[Field], *, in_parts: bool = True) -> list[Spans]:
        """The spans that come out of the pipeline, in one part or, if they may, more; `fields` are those that are asked
        of them.

        Where a span by itself tells whether it comes out, only blocks of the range are read. Else traces are looked at
        whole, also where they reach out of it, by MARGIN_NS at most.
        """
        asked = list(dict.fromkeys(fields))
        facts = [field for field in asked if needs_facts(field)]
        lists = self._lists(self._opened, pipeline, asked)
        place = Place(self._opened.columns, with_lists=lists is not None)
        condition = None if facts else condition_alone(pipeline, place)
        if condition is None:
            return [self._of_traces(pipeline, asked, part) for part in (self._parts() if in_parts else [ALWAYS])]
        before, table = _beside(lists, once(self._blocks, self.steps.start_ns, self.steps.end_ns))
        return [Spans(self._opened, before, table, every([self._starts, condition]), place)]

    @property
    def spans_tallied(self) -> int:
        """How many spans of the range's blocks were counted when they were merged."""
        return sum(block.spans for block in self._blocks if block.tally)

    def _of_traces(self, pipeline: Pipeline, asked: Sequence[Field], part: Condition) -> Spans:
        facts = [field for field in asked if needs_facts(field)]
        lists = self._lists(self._opened_around, pipeline, asked)
        place, tables = Place(self._opened_around.columns, with_lists=lists is not None), Tables()
        with_kind = Pipeline((*with_plain_roots(pipeline).stages, Select((Intrinsic.KIND, *facts))))
        source = Source(place, self._traces(pipeline, part), lists)
        result = evaluated(with_kind, source, tables)
        (kind,) = result.columns[Intrinsic.KIND].names
        before, table = once(self._around, self.steps.start_ns, self.steps.end_ns, part)
        columns = [COLUMNS[field] for field in facts if isinstance(field, Intrinsic)]
        text = _SPANS_THAT_CAME_OUT.format(
            kind=kind,
            facts="".join(f", {column}" for column in columns),
            of_came_out="".join(f", came_out.{column}" for column in columns),
            table=result.table,
            once=table,
        )
        came_out = combined(text, tables.then(Fragment("")), self._starts, before)
        before, table = _beside(lists, (came_out, "counted"))
        return Spans(self._opened_around, before, table, self._starts, replace(place, with_facts=True))

    def _traces(self, pipeline: Pipeline, part: Condition) -> Condition:
        """The spans of traces of which something may come out."""
        conditions = [may_come_out(pipeline), *needed(pipeline)]
        chosen = [self._in_traces_with(condition, part) for condition in conditions if condition != TRUE]
        return every([self._near, part, *chosen])

    def _in_traces_with(self, condition: Expression, part: Condition) -> Condition:
        """Lists that no column has may decide about a span too; what they say is only known later."""
        columns = self._opened_around.columns
        may_hold = some([holds(condition, Place(columns)), may_have_list(sources([condition], columns))])
        found = combined("trace_id IN (SELECT trace_id FROM spans WHERE {})", every([self._near, part, may_hold]))
        return Condition(found.sql, found.parameters)

    def _lists(self, opened: OpenBlocks, pipeline: Pipeline, fields: Sequence[Field]) -> Fragment | None:
        named = asked_by(pipeline)
        return known_lists(sources([*named.conditions, *named.values, *fields], opened.columns), opened, self._near)

    def _parts(self) -> Iterator[Condition]:
        """Conditions that divide traces into parts of about PART_SPANS spans."""
        parts = 1 + sum(block.spans for block in self._around) // PART_SPANS
        for part in range(parts):
            yield Condition("hash(trace_id) % ? = ?", (parts, part)) if parts > 1 else ALWAYS

    @cached_property
    def _near(self) -> Condition:
        """A span is near enough to look at its trace."""
        return starts_in(self.steps.start_ns - MARGIN_NS, self.steps.end_ns + MARGIN_NS)

    @cached_property
    def _starts(self) -> Condition:
        return starts_in(self.steps.start_ns, self.steps.end_ns)

    @cached_property
    def _blocks(self) -> Sequence[Block]:
        return self.reading.live(self.steps.start_ns, self.steps.end_ns)

    @cached_property
    def _opened(self) -> OpenBlocks:
        return self.reading.open(self._blocks)

    @cached_property
    def _around(self) -> Sequence[Block]:
        return self.reading.live(self.steps.start_ns - MARGIN_NS, self.steps.end_ns + MARGIN_NS)

    @cached_property
    def _opened_around(self) -> OpenBlocks:
        return self.reading.open(self._around)


def _beside(lists: Fragment | None, spans: tuple[Fragment, str]) -> tuple[Fragment, str]:
    """The spans with the lists that are known, in each row."""
    before, table = spans
    if lists is None:
        return spans
    return combined(f"{{}}, listed AS (SELECT * FROM {table}, {{}})", before, lists), "listed"
