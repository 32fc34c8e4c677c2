"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from spandrel.model.catalogue import Block
from spandrel.model.search import TraceSummary
from spandrel.traceql.expressions import Field, Literal

FieldValue = Literal | tuple[Literal, ...]
"""A value with its type, or a list of values of one type."""


Rank = int | str
"""What an order goes by, of one trace: a time (unix ns), a duration (ns), a name or an id."""

Place = tuple[tuple[int, ...], bytes]
"""Where a trace stands in an order: smaller ones come first, and no two traces have the same."""


class Order(Enum):
    """How the traces of an answer follow each other, by the spans that come out; equal ones by their ids."""

    NEWEST = "newest"  # the latest start, the last one first
    OLDEST = "oldest"  # the earliest start, the first one first
    SLOWEST = "slowest"  # the longest duration, the longest first
    QUICKEST = "quickest"  # the shortest duration, the shortest first
    NAMES = "names"  # the first of the names, by code points
    NAMES_BACKWARDS = "names backwards"  # the last of the names, the last one first
    IDS = "ids"  # of the traces
    IDS_BACKWARDS = "ids backwards"

    @property
    def descending(self) -> bool:
        return self in (Order.NEWEST, Order.SLOWEST, Order.NAMES_BACKWARDS, Order.IDS_BACKWARDS)

    @property
    def by_text(self) -> bool:
        """Whether ranks are texts, not numbers."""
        return self in (Order.NAMES, Order.NAMES_BACKWARDS, Order.IDS, Order.IDS_BACKWARDS)

    def place(self, rank: Rank, trace_id: bytes) -> Place:
        """The place of the trace of that id."""
        if isinstance(rank, int):
            return (-rank if self.descending else rank,), trace_id
        points = map(ord, rank)
        # Backwards a text comes before its beginnings: the last number is above all that stand for characters.
        return (*(-point for point in points), 1) if self.descending else tuple(points), trace_id


@dataclass(frozen=True, slots=True)
class Page:
    """Which traces an answer tells of, `limit` of them, and of how many spans of each set.

    `after`: rank and id of a trace that stood last on the page before, so that the next ones come. A trace that stays
    as it is comes on one page and once, whatever arrives in between. One that changes keeps its place or moves ahead
    as long as no span of it stops coming out, so hardly any is told of twice.
    """

    order: Order
    limit: int
    spans_per_spanset: int
    after: tuple[Rank, bytes] | None = None


@dataclass(frozen=True, slots=True)
class MatchedSpan:
    """A span that came out of the query. `attributes`: those fields that the query names and the span has."""

    span_id: bytes
    name: str
    service: str
    start_ns: int
    duration_ns: int
    attributes: tuple[tuple[Field, FieldValue], ...]


@dataclass(frozen=True, slots=True)
class Spanset:
    """Spans of one trace that came out together: `matched` of them, the earliest of which are `spans`.

    `values`: what `by` and aggregates found out about the set, by their text (`by(name)`, `count()`); None: no value.
    """

    matched: int
    spans: tuple[MatchedSpan, ...]
    values: tuple[tuple[str, FieldValue | None], ...]


@dataclass(frozen=True, slots=True)
class FoundTrace:
    """A trace, and what of it came out."""

    summary: TraceSummary
    spansets: tuple[Spanset, ...]
    rank: Rank


@dataclass(frozen=True, slots=True)
class Inspected:
    """What it took: blocks that were opened, their bytes as stored, and the spans in them."""

    blocks: int
    size_bytes: int
    spans: int


@dataclass(frozen=True, slots=True)
class Found:
    """Traces in their order, the blocks that hold them, and what it took to find them."""

    traces: list[FoundTrace]
    blocks: list[Block]
    inspected: Inspected

    @property
    def summaries(self) -> list[TraceSummary]:
        return [one.summary for one in self.traces]
