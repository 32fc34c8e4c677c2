"""Which service calls which, counted from spans. docs/dependencies.md has the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from spandrel.blocks.calls import calls_of
from spandrel.blocks.ends import columns_of_ends
from spandrel.model.links import VIAS, Link, Via

from .condition import ALWAYS, Condition
from .extents import MARGIN_NS
from .reading import Reading, check_range

_PART_SPANS = 1_000_000  # joined at once

_COUNTED = """
    SELECT parent, child, count(*), count(*) FILTER (failed) FROM calls
    WHERE start_ns BETWEEN ?::UBIGINT AND ?::UBIGINT AND via IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL
"""


def links(reading: Reading, start_ns: int, end_ns: int, vias: Collection[Via] = VIAS) -> list[Link]:
    """The links of the calls that start in [start_ns, end_ns) and are known in one of these ways, sorted."""
    check_range(start_ns, end_ns)
    blocks = reading.live(start_ns - MARGIN_NS, end_ns + MARGIN_NS)
    opened = reading.open(blocks)
    calls: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    columns = columns_of_ends(opened.columns)
    for part in _parts(sum(block.spans for block in blocks)):
        statement = calls_of(columns, part.sql) + _COUNTED
        for parent, child, called, failed in opened.select(
            statement, [*part.parameters, max(0, start_ns), end_ns - 1, list(vias)], columns=columns
        ):
            calls[parent, child] += called
            errors[parent, child] += failed
    return sorted(Link(*pair, calls[pair], errors[pair]) for pair in calls)


def _parts(spans: int) -> Iterator[Condition]:
    """Conditions that divide traces into parts of about _PART_SPANS spans."""
    parts = 1 + spans // _PART_SPANS
    if parts == 1:
        yield ALWAYS
        return
    for part in range(parts):
        yield Condition("hash(trace_id) % ? = ?", (parts, part))
