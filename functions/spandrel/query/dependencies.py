"""Which service calls which: what tallies say, and what is counted from spans. docs/dependencies.md has the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from spandrel.blocks.calls import calls_of
from spandrel.blocks.database import Row
from spandrel.blocks.ends import columns_of_ends
from spandrel.model.catalogue import Block
from spandrel.model.links import VIAS, Link, Via

from .condition import ALWAYS, NEVER, Condition, every
from .extents import MARGIN_NS
from .reading import Reading, check_range
from .tallies import Counted, Window, counted, windows

_PART_SPANS = 1_000_000  # joined at once

_FROM_CALLS = """
    SELECT parent, child, count(*), count(*) FILTER (failed) FROM calls
    WHERE start_ns BETWEEN ?::UBIGINT AND ?::UBIGINT AND via IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL
"""
_FROM_TALLIES = """
    SELECT parent, child, sum(calls)::BIGINT, sum(errors)::BIGINT FROM spans
    WHERE minute >= ? AND minute < ? AND via IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL
"""
_TALLIED_COLUMNS = ("minute", "parent", "child", "via", "calls", "errors")


def links(reading: Reading, start_ns: int, end_ns: int, vias: Collection[Via] = VIAS) -> list[Link]:
    """The links of the calls that start in [start_ns, end_ns) and are known in one of these ways, sorted."""
    check_range(start_ns, end_ns)
    blocks = reading.live(start_ns - MARGIN_NS, end_ns + MARGIN_NS)
    calls: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    for window in windows(start_ns, end_ns, blocks):
        near = [block for block in blocks if window.touches(block, MARGIN_NS)]
        for sign, (parent, child, called, failed) in _changes(reading, near, window, list(vias)):
            calls[parent, child] += sign * called
            errors[parent, child] += sign * failed
    return sorted(Link(*pair, count, errors[pair]) for pair, count in calls.items() if count)


def _changes(reading: Reading, blocks: Sequence[Block], window: Window, vias: list[Via]) -> Iterator[tuple[int, Row]]:
    """(parent, child, calls, errors) that are to be added (1) or taken away (-1); a pair may come often."""
    found = counted(reading, blocks, "calls", tallied=window.tallied)
    if found.counts:
        for row in found.counts.select(_FROM_TALLIES, [*window.minutes, vias], columns=_TALLIED_COLUMNS):
            yield 1, row
    for sign, chosen, scope in ((1, found.added, "0"), (-1, found.taken_out, "filename")):
        for part in _parts(found) if chosen is not NEVER else ():
            for row in _from_calls(found, every([part, chosen]), scope, window, vias):
                yield sign, row


def _from_calls(found: Counted, chosen: Condition, scope: str, window: Window, vias: list[Via]) -> list[Row]:
    columns = columns_of_ends(found.beside.columns)
    starts = (max(0, window.start_ns), min(window.end_ns, 2**64) - 1)
    statement = calls_of(columns, chosen.sql, scope) + _FROM_CALLS
    return found.beside.select(statement, [*chosen.parameters, *starts, vias], columns=columns)


def _parts(found: Counted) -> Iterator[Condition]:
    """Conditions that divide traces into parts of about _PART_SPANS spans."""
    parts = 1 + found.spans // _PART_SPANS
    if parts == 1:
        yield ALWAYS
        return
    for part in range(parts):
        yield Condition("hash(trace_id) % ? = ?", (parts, part))
