"""Which service calls which: what tallies say, and what is counted from spans. docs/dependencies.md has the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spandrel.blocks.calls import calls_of
from spandrel.blocks.database import Row
from spandrel.blocks.ends import columns_of_ends
from spandrel.model.catalogue import Block
from spandrel.model.links import VIAS, Calls, Link, Via
from spandrel.model.traffic import MINUTE_NS

from .condition import ALWAYS, NEVER, Condition, every
from .extents import MARGIN_NS
from .reading import Reading, check_range
from .tallies import Counted, Window, counted, windows

_PART_SPANS = 1_000_000  # joined at once

_ALWAYS_NS = 2**63  # a step that begins in 1970 and does not end
_FROM_CALLS = """
    SELECT start_ns - start_ns % ?::UBIGINT AS step, via, parent, child, count(*), count(*) FILTER (failed) FROM calls
    WHERE start_ns BETWEEN ?::UBIGINT AND ?::UBIGINT AND via IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL
"""
_FROM_TALLIES = f"""
    SELECT minute * {MINUTE_NS}::UBIGINT - minute * {MINUTE_NS}::UBIGINT % ?::UBIGINT AS step, via, parent, child,
        sum(calls)::BIGINT, sum(errors)::BIGINT
    FROM spans WHERE minute >= ? AND minute < ? AND via IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL
"""
_TALLIED_COLUMNS = ("minute", "parent", "child", "via", "calls", "errors")


_Cell = tuple[Any, ...]
"""Step, via, parent and child."""


@dataclass(frozen=True, slots=True)
class _Asked:
    window: Window
    vias: list[Via]
    step_ns: int


def links(reading: Reading, start_ns: int, end_ns: int, vias: Collection[Via] = VIAS) -> list[Link]:
    """The links of the calls that start in [start_ns, end_ns) and are known in one of these ways, sorted."""
    count: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    for found in calls(reading, start_ns, end_ns, vias):
        count[found.link.parent, found.link.child] += found.link.calls
        errors[found.link.parent, found.link.child] += found.link.errors
    return sorted(Link(*pair, called, errors[pair]) for pair, called in count.items())


def calls(
    reading: Reading, start_ns: int, end_ns: int, vias: Collection[Via] = VIAS, *, step_ns: int = _ALWAYS_NS
) -> list[Calls]:
    """The same, told apart by how they are known, and by steps that begin at multiples of `step_ns`, whole minutes."""
    check_range(start_ns, end_ns)
    blocks = reading.live(start_ns - MARGIN_NS, end_ns + MARGIN_NS)
    count: Counter[_Cell] = Counter()
    errors: Counter[_Cell] = Counter()
    for window in windows(start_ns, end_ns, blocks):
        near = [block for block in blocks if window.touches(block, MARGIN_NS)]
        for sign, (*cell, called, failed) in _changes(reading, near, _Asked(window, list(vias), step_ns)):
            count[tuple(cell)] += sign * called
            errors[tuple(cell)] += sign * failed
    return sorted(
        Calls(step, via, Link(parent, child, called, errors[step, via, parent, child]))
        for (step, via, parent, child), called in count.items()
        if called
    )


def _changes(reading: Reading, blocks: Sequence[Block], asked: _Asked) -> Iterator[tuple[int, Row]]:
    """Rows of calls and errors that are to be added (1) or taken away (-1); a cell may come often."""
    window = asked.window
    found = counted(reading, blocks, "calls", tallied=window.tallied)
    if found.counts:
        parameters = [asked.step_ns, *window.minutes, asked.vias]
        for row in found.counts.select(_FROM_TALLIES, parameters, columns=_TALLIED_COLUMNS):
            yield 1, row
    for sign, chosen, scope in ((1, found.added, "0"), (-1, found.taken_out, "filename")):
        for part in _parts(found) if chosen is not NEVER else ():
            for row in _from_calls(found, every([part, chosen]), scope, asked):
                yield sign, row


def _from_calls(found: Counted, chosen: Condition, scope: str, asked: _Asked) -> list[Row]:
    columns = columns_of_ends(found.beside.columns)
    starts = (max(0, asked.window.start_ns), min(asked.window.end_ns, 2**64) - 1)
    statement = calls_of(columns, chosen.sql, scope) + _FROM_CALLS
    return found.beside.select(statement, [*chosen.parameters, asked.step_ns, *starts, asked.vias], columns=columns)


def _parts(found: Counted) -> Iterator[Condition]:
    """Conditions that divide traces into parts of about _PART_SPANS spans."""
    parts = 1 + found.spans // _PART_SPANS
    if parts == 1:
        yield ALWAYS
        return
    for part in range(parts):
        yield Condition("hash(trace_id) % ? = ?", (parts, part))
