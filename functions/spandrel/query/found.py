"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from spandrel.model.catalogue import Block
from spandrel.model.search import TraceSummary
from spandrel.traceql.expressions import Field, Literal

FieldValue = Literal | tuple[Literal, ...]
"""A value with its type, or a list of values of one type."""


class Order(Enum):
    """How the traces of an answer follow each other; equal ones by their ids."""

    NEWEST = "newest"  # first the trace whose latest span that comes out starts last
    SLOWEST = "slowest"  # first the trace whose longest span that comes out lasts longest


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
    """A trace, and what of it came out. `rank`: what the order goes by (unix ns or ns), the more the earlier."""

    summary: TraceSummary
    spansets: tuple[Spanset, ...]
    rank: int


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
