"""Traces that may be in an answer, from conditions on single copies of spans: a superset, the best first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from spandrel.blocks.naming import ALWAYS
from spandrel.model.catalogue import Block
from spandrel.traceql.expressions import Expression

from .condition import Condition, every, some, starts_in
from .extents import Extent
from .found import Order, Place
from .reading import Reading, Rounds
from .skipping import may_match
from .sql import places
from .sql.expressions import holds, reads_only
from .sql.fragment import Fragment, combined, parameter
from .sql.lists import may_have_list, sources
from .sql.prepared import Prepared
from .sql.tables import bounded

_ID = "lower(hex(trace_id))"
RANKS = {
    Order.NEWEST: "max(start_time_unix_nano)",
    Order.OLDEST: "min(start_time_unix_nano)",
    Order.SLOWEST: "max(duration_nano)",
    Order.QUICKEST: "min(duration_nano)",
    Order.NAMES: "min(name)",
    Order.NAMES_BACKWARDS: "max(name)",
    Order.IDS: f"min({_ID})",
    Order.IDS_BACKWARDS: f"max({_ID})",
}
"""What an order goes by, in SQL, of the rows of one trace."""

_HAVING_MAX = 100_000  # traces that a search is narrowed to; more would not narrow it


@dataclass(frozen=True, slots=True)
class Wanted:
    """Spans that start in [start_ns, end_ns) and fulfil the condition; the order is that of their traces."""

    condition: Expression
    start_ns: int
    end_ns: int
    order: Order


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trace of which some copy of a span may come out, from the first to the last such span. By the spans that do
    come out it stands at `place` or behind it. `block_ids` are blocks that hold such a span, not necessarily all.
    """

    trace_id: bytes
    extent: Extent
    place: Place
    block_ids: frozenset[str]

    def __or__(self, other: Candidate) -> Candidate:
        extent, block_ids = self.extent | other.extent, self.block_ids | other.block_ids
        return Candidate(self.trace_id, extent, min(self.place, other.place), block_ids)


class Candidates:
    """Candidates from some blocks, which come newest first. `read` are those that were read."""

    def __init__(self, reading: Reading, blocks: Sequence[Block], wanted: Wanted) -> None:
        self._reading = reading
        self._blocks = blocks
        self._wanted = wanted
        self.read: dict[str, Block] = {}

    def best(self, count: int, among: Collection[bytes] | None) -> list[Candidate]:
        """The `count` best of the traces, or of those `among` them.

        For the newest traces no more blocks are read than it takes to be sure; for any other order all.
        """
        found: dict[bytes, Candidate] = {}
        best: list[Candidate] = []
        rounds = Rounds([block for block in self._blocks if self._may_have(block)])
        for part in rounds:
            newest_suffice = self._wanted.order is Order.NEWEST and len(best) == count
            if newest_suffice and best[-1].extent.last_ns > part[0].max_start_ns:
                break
            for one in self._of_blocks(part, count, among):
                found[one.trace_id] = found[one.trace_id] | one if one.trace_id in found else one
            best = sorted(found.values(), key=lambda one: one.place)[:count]
            found = {one.trace_id: one for one in best}
            if self._wanted.order is Order.NEWEST:
                rounds.have(len(best) / count)
        return best

    def having_all(self, conditions: Sequence[Expression]) -> list[bytes] | None:
        """The traces that have, for each of the conditions, a copy of a span that fulfils it, wherever it starts; None:
        too many to tell.
        """
        blocks = [block for block in self._blocks if any(may_match(block, one) for one in conditions)]
        opened = self._reading.open(blocks)
        self.read |= {block.block_id: block for block in blocks}
        prepared = Prepared()
        compiled = [_may_hold(one, places.Place(opened.columns, prepared=prepared)) for one in conditions]
        statement = combined(
            "SELECT trace_id FROM ({}) WHERE {} GROUP BY trace_id HAVING {} LIMIT {}",
            prepared.added_to(Fragment("spans")),
            some(compiled),
            every(combined("bool_or(coalesce({}, false))", one) for one in compiled),
            parameter(_HAVING_MAX + 1),
        )
        bounded(statement)
        rows = opened.select(statement.sql, statement.parameters)
        return None if len(rows) > _HAVING_MAX else [trace_id for (trace_id,) in rows]

    def _may_have(self, block: Block) -> bool:
        in_range = block.min_start_ns < self._wanted.end_ns and block.max_start_ns >= self._wanted.start_ns
        return in_range and may_match(block, self._wanted.condition)

    def _of_blocks(self, blocks: Sequence[Block], count: int, among: Collection[bytes] | None) -> Iterator[Candidate]:
        opened = self._reading.open(blocks)
        self.read |= {block.block_id: block for block in blocks}
        wanted = self._wanted
        plain = reads_only(wanted.condition, ALWAYS)
        prepared = Prepared()
        holding = _may_hold(wanted.condition, places.Place(frozenset() if plain else opened.columns, prepared=prepared))
        chosen = [] if self._in_range(blocks) else [starts_in(wanted.start_ns, wanted.end_ns)]
        if among is not None:
            chosen.append(Condition("trace_id IN (SELECT unnest(?::BLOB[]))", (list(among),)))
        direction = "DESC" if wanted.order.descending else "ASC"
        statement = combined(
            f"""SELECT trace_id, min(start_time_unix_nano), max(start_time_unix_nano), {RANKS[wanted.order]} AS rank,
                any_value(filename)
            FROM ({{}}) WHERE {{}} GROUP BY trace_id ORDER BY rank {direction}, trace_id LIMIT {{}}""",
            prepared.added_to(combined("spans WHERE {}", every(chosen))),
            holding,
            parameter(count),
        )
        bounded(statement)
        rows = opened.select(statement.sql, statement.parameters, columns=ALWAYS if plain else None)
        for trace_id, first_ns, last_ns, rank, filename in rows:
            place, held_in = wanted.order.place(rank, trace_id), opened.block(filename).block_id
            yield Candidate(trace_id, Extent(first_ns, last_ns), place, frozenset({held_in}))

    def _in_range(self, blocks: Sequence[Block]) -> bool:
        """Whether every span of the blocks starts in the range, so that no start need be read to tell."""
        wanted = self._wanted
        return all(block.min_start_ns >= wanted.start_ns and block.max_start_ns < wanted.end_ns for block in blocks)


def _may_hold(condition: Expression, place: places.Place) -> Condition:
    return some([holds(condition, place), may_have_list(sources([condition], place.columns))])
