"""Each span counted once, without looking at more spans than can have copies.

What counts as one span, and which copy of it, is told in `copies.py`. A merge leaves one copy of each. So copies lie in
a block that was not merged yet, or where two blocks have starts and trace ids in common: of all other spans nothing
needs to be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spandrel.model.catalogue import Block
from spandrel.model.levels import SET_ASIDE

from .condition import ALWAYS, Condition, every, some, starts_in
from .sql.fragment import Fragment, combined

_STRETCHES_MAX = 16  # conditions in one statement; more become one

# The hash is of what copies have in common and hardly any others: those it tells apart need no sorting.
_HASH = "hash(span_id, start_time_unix_nano)"
_ONCE = f"""
, shared AS (
    SELECT {_HASH} AS h FROM spans WHERE {{}} GROUP BY h HAVING count(*) > 1
), ranked AS (
    SELECT filename, file_row_number, row_number() OVER (
        PARTITION BY trace_id, span_id, kind, service, start_time_unix_nano
        ORDER BY duration_nano DESC, filename, file_row_number
    ) AS place
    FROM spans WHERE {{}} AND {_HASH} IN (FROM shared)
), further AS (
    SELECT filename, file_row_number FROM ranked WHERE place > 1
), once AS (
    SELECT * FROM spans ANTI JOIN further USING (filename, file_row_number)
)
"""

Stretch = tuple[int, int]
"""Starts from the first to the second, both inclusive, unix nanoseconds."""


def once(blocks: Sequence[Block], start_ns: int, end_ns: int, among: Condition = ALWAYS) -> tuple[Fragment, str]:
    """What to put before a SELECT, and the table of spans from which it then reads each span once.

    It holds of spans that start in [start_ns, end_ns), `among` those of a condition that all copies of a span fulfil
    alike; who selects from it asks for them alone.
    """
    stretches = [(first, last) for first, last in crowded(blocks) if first < end_ns and last >= start_ns]
    if not stretches:
        return Fragment(""), "spans"
    shared = every([starts_in(start_ns, end_ns), _in_any(stretches), among])
    return combined(_ONCE, shared, shared), "once"


def crowded(blocks: Iterable[Block]) -> list[Stretch]:
    """The starts of spans that may have copies, disjoint and in order."""
    found: list[Stretch] = []
    for first, last in sorted(_crowded(blocks)):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def _crowded(blocks: Iterable[Block]) -> Iterator[Stretch]:
    earlier: list[Block] = []
    for block in sorted(blocks, key=lambda block: block.min_start_ns):
        earlier = [other for other in earlier if other.max_start_ns >= block.min_start_ns]
        if not 0 < block.level < SET_ASIDE:
            yield block.min_start_ns, block.max_start_ns
        for other in earlier:
            if other.min_trace_id <= block.max_trace_id and other.max_trace_id >= block.min_trace_id:
                yield block.min_start_ns, min(block.max_start_ns, other.max_start_ns)
        earlier.append(block)


def _in_any(stretches: Sequence[Stretch]) -> Condition:
    if len(stretches) > _STRETCHES_MAX:
        stretches = [(stretches[0][0], stretches[-1][1])]
    return some(starts_in(first, last + 1) for first, last in stretches)
