"""What blocks' tallies say of a window, and what has to be counted beside them so that the sum is exact.

A tally counts the spans of its block alone. That is right for a trace which only this block holds. Of a trace that
other blocks hold spans of too (copies, a child far from its parent), what the tallies say is taken out again, and the
trace's spans are counted together, whichever blocks they lie in. Which traces these are, the tallies say themselves
(`traces`, `loose`); of most of them the spans lie in `loose`, and only for others a block has to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spandrel.blocks.reader import OpenBlocks
from spandrel.model.catalogue import Block
from spandrel.model.tally import TRACE_TAIL_BYTES, PartName
from spandrel.model.traffic import MINUTE_NS

from .condition import ALWAYS, NEVER, Condition, every, some
from .reading import Reading

_TAIL = f"trace_id[-{TRACE_TAIL_BYTES}:]"
_SHARED = f"""
    SELECT {_TAIL} AS tail, list(DISTINCT filename) FROM spans
    GROUP BY tail HAVING min(filename) <> max(filename)
"""


@dataclass(frozen=True, slots=True)
class Window:
    """Starts of spans in [start_ns, end_ns). Tallies can be asked about one of whole minutes only."""

    start_ns: int
    end_ns: int
    tallied: bool

    def touches(self, block: Block, margin_ns: int = 0) -> bool:
        """Whether spans of the block may start in the window, or no further than the margin from it."""
        return block.min_start_ns < self.end_ns + margin_ns and block.max_start_ns >= self.start_ns - margin_ns

    @property
    def minutes(self) -> tuple[int, int]:
        """The first minute and the one after the last, counted from 1970 on."""
        return self.start_ns // MINUTE_NS, self.end_ns // MINUTE_NS


@dataclass(frozen=True, slots=True)
class Counted:
    """`counts`: a part of the tallies of those blocks whose tally counts, None where there are none. `beside`: what
    holds the spans that are counted one by one. `added` chooses those of them that are to be added to the counts,
    `taken_out` those that the counts have in them and should not; both choose whole traces.
    """

    counts: OpenBlocks | None
    beside: OpenBlocks
    added: Condition
    taken_out: Condition
    spans: int


def windows(start_ns: int, end_ns: int, blocks: Sequence[Block]) -> Iterator[Window]:
    """[start_ns, end_ns) in up to three windows: whole minutes, for which tallies of the blocks count, and the rest."""
    first_ns, last_ns = start_ns + -start_ns % MINUTE_NS, end_ns - end_ns % MINUTE_NS
    if first_ns >= last_ns or not any(block.tally for block in blocks):
        yield Window(start_ns, end_ns, tallied=False)
        return
    yield Window(first_ns, last_ns, tallied=True)
    for edge in (Window(start_ns, first_ns, tallied=False), Window(last_ns, end_ns, tallied=False)):
        if any(edge.touches(block) for block in blocks):
            yield edge


def counted(reading: Reading, blocks: Sequence[Block], part: PartName, *, tallied: bool) -> Counted:
    """How these blocks are counted, by a part of their tallies where they have one and `tallied` allows it."""
    with_tally = [block for block in blocks if tallied and block.tally and not reading.hides_of(block)]
    while with_tally:
        counts = reading.open_beside([], _parts(with_tally, part))
        others = _without(blocks, with_tally)
        held = reading.open_beside(others, _parts(with_tally, "traces", "loose"))
        lost = {one.block.block_id.rpartition(".")[0] for one in (*counts.unread, *held.unread)}
        if not any(block.block_id in lost for block in with_tally):
            return _counted(reading, others, with_tally, counts, held)
        with_tally = [block for block in with_tally if block.block_id not in lost]
    return Counted(None, reading.open(blocks), ALWAYS, NEVER, sum(block.spans for block in blocks))


def _counted(
    reading: Reading, others: Sequence[Block], with_tally: Sequence[Block], counts: OpenBlocks, held: OpenBlocks
) -> Counted:
    tails: list[bytes] = []
    holders: set[str] = set()
    for tail, filenames in held.select(_SHARED, columns=["trace_id"]):
        tails.append(tail)
        holders.update(held.block(filename).block_id for filename in filenames)
    # A shared trace whose spans are not loose there: the block itself has to be read.
    opened = [block for block in with_tally if f"{block.block_id}.traces" in holders]
    beside = reading.open_beside([*others, *opened], _parts(_without(with_tally, opened), "loose"))
    of_others = Condition("filename IN (SELECT unnest(?::VARCHAR[]))", (beside.files_of(others),))
    shared = Condition(f"{_TAIL} IN (SELECT unnest(?::BLOB[]))", (tails,)) if tails else NEVER
    return Counted(
        counts,
        beside,
        added=some([of_others, shared]),
        taken_out=every([Condition(f"NOT {of_others.sql}", of_others.parameters), shared]) if tails else NEVER,
        spans=sum(block.spans for block in (*others, *opened)),
    )


def _parts(blocks: Sequence[Block], *names: PartName) -> list[Block]:
    return [part for block in blocks for name in names if (part := block.part(name))]


def _without(blocks: Sequence[Block], these: Sequence[Block]) -> list[Block]:
    ids = {block.block_id for block in these}
    return [block for block in blocks if block.block_id not in ids]
