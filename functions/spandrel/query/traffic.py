"""Calls, errors and latencies of operations over time (rate, errors, duration), of all spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from spandrel.blocks.buckets import BUCKET, FAILED
from spandrel.blocks.database import Row
from spandrel.blocks.naming import ALWAYS
from spandrel.model.catalogue import Block
from spandrel.model.errors import QueryTooBroad
from spandrel.model.traffic import MINUTE_NS, Latency, Traffic

from .condition import NEVER, Condition, every, one_of, starts_in
from .copies import ONE_COPY
from .reading import Reading, check_range
from .tallies import Window, counted, windows

Side = Literal["service", "operation", "kind"]
SIDES: tuple[Side, ...] = get_args(Side)
"""What traffic can be told apart by."""

ROWS_MAX = 500_000  # of one answer: each is a bucket of an operation in a step
_APART: Mapping[Side, str] = {"service": "coalesce(service, '')", "operation": "name", "kind": "coalesce(kind, 0)"}
_TOGETHER: Mapping[Side, str] = {"service": "''", "operation": "''", "kind": "-1"}
_TALLIED: Mapping[Side, str] = {side: side for side in SIDES}
_TALLIED_COLUMNS = ("minute", *SIDES, "bucket", "calls", "errors")

# An id that is there several times stands for copies of a span, or for a client and its server.
_ONCE = f"""
    , chosen AS MATERIALIZED (SELECT * FROM spans WHERE {{chosen}}),
    repeated AS MATERIALIZED (SELECT trace_id, span_id FROM chosen GROUP BY ALL HAVING count(*) > 1),
    once AS (
        SELECT chosen.* FROM chosen ANTI JOIN repeated USING (trace_id, span_id)
        UNION ALL
        SELECT * FROM (SELECT chosen.* FROM chosen SEMI JOIN repeated USING (trace_id, span_id) {ONE_COPY})
    )
"""
_AS_THEY_ARE = ", once AS (SELECT * FROM spans WHERE {chosen})"
_COUNTED = f"""
    SELECT (start_time_unix_nano // {{step}}::UBIGINT) * {{step}}::UBIGINT, {{sides}}, {BUCKET} AS bucket,
        count(*), count(*) FILTER ({FAILED})
    FROM once GROUP BY ALL LIMIT {ROWS_MAX + 1}
"""
_FROM_TALLIES = f"""
    SELECT (minute * {MINUTE_NS}::UBIGINT // {{step}}::UBIGINT) * {{step}}::UBIGINT, {{sides}}, bucket,
        sum(calls)::BIGINT, sum(errors)::BIGINT
    FROM spans WHERE {{chosen}} GROUP BY ALL LIMIT {ROWS_MAX + 1}
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whose traffic: None is everybody's, and every kind (OTLP's numbers)."""

    services: Collection[str] | None = None
    kinds: Collection[int] | None = None


EVERYBODY = Chosen()

_Cell = tuple[int, str, str, int]
"""Start, service, operation and kind of one Traffic."""


def traffic(
    reading: Reading,
    start_ns: int,
    end_ns: int,
    *,
    step_ns: int = MINUTE_NS,
    apart: Collection[Side] = SIDES,
    chosen: Chosen = EVERYBODY,
) -> list[Traffic]:
    """Traffic in steps that begin at multiples of `step_ns`, of the spans that start in [start_ns, end_ns).

    Told apart by the sides that `apart` names, the others added up; in the order of start, service, operation, kind.
    A step in which nothing starts is left out. `step_ns` is a multiple of a minute (ValueError if not). QueryTooBroad
    when the answer is more than ROWS_MAX buckets.
    """
    check_range(start_ns, end_ns)
    if step_ns < MINUTE_NS or step_ns % MINUTE_NS:
        raise ValueError(f"a step is a multiple of a minute, not {step_ns} ns")
    blocks = reading.live(start_ns, end_ns)
    asked = _Asked(step_ns, tuple(side in apart for side in SIDES), chosen)
    return _traffic(
        change
        for window in windows(start_ns, end_ns, blocks)
        for change in _changes(reading, [block for block in blocks if window.touches(block)], window, asked)
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    step_ns: int
    apart: tuple[bool, ...]
    chosen: Chosen

    def sides(self, names: Mapping[Side, str]) -> str:
        """The columns of a row's service, operation and kind, which are called by these names."""
        return ", ".join(
            names[side] if apart else _TOGETHER[side] for side, apart in zip(SIDES, self.apart, strict=True)
        )

    def condition(self, names: Mapping[Side, str]) -> Condition:
        conditions = []
        if self.chosen.services is not None:
            conditions.append(one_of(names["service"], self.chosen.services))
        if self.chosen.kinds is not None:
            conditions.append(one_of(names["kind"], self.chosen.kinds))
        return every(conditions)


def _changes(reading: Reading, blocks: Sequence[Block], window: Window, asked: _Asked) -> Iterator[tuple[int, Row]]:
    """Rows of traffic that are to be added (1) or taken away (-1)."""
    found = counted(reading, blocks, "traffic", tallied=window.tallied)
    if found.counts:
        of_minutes = Condition("minute >= ? AND minute < ?", window.minutes)
        chosen = every([of_minutes, asked.condition(_TALLIED)])
        statement = _FROM_TALLIES.format(step=asked.step_ns, sides=asked.sides(_TALLIED), chosen=chosen.sql)
        for row in found.counts.select(statement, chosen.parameters, columns=_TALLIED_COLUMNS):
            yield 1, row
    starts = starts_in(window.start_ns, window.end_ns)
    for sign, spans, once in ((1, found.added, _ONCE), (-1, found.taken_out, _AS_THEY_ARE)):
        if spans is not NEVER:
            chosen = every([starts, spans, asked.condition(_APART)])
            statement = once.format(chosen=chosen.sql) + _COUNTED.format(step=asked.step_ns, sides=asked.sides(_APART))
            for row in found.beside.select(statement, chosen.parameters, columns=[*ALWAYS, "status_code"]):
                yield sign, row


def _traffic(changes: Iterable[tuple[int, Row]]) -> list[Traffic]:
    """(step, service, operation, kind, bucket, spans, errors), in any order and number -> what they add up to."""
    calls: defaultdict[_Cell, int] = defaultdict(int)
    errors: defaultdict[_Cell, int] = defaultdict(int)
    buckets: defaultdict[_Cell, dict[int, int]] = defaultdict(dict)
    for number, (sign, (step, service, operation, kind, bucket, spans, failed)) in enumerate(changes):
        if number == ROWS_MAX:
            raise QueryTooBroad("this is more traffic than one answer holds: ask for fewer services or longer steps")
        key = (step, service, operation, kind)
        calls[key] += sign * spans
        errors[key] += sign * failed
        if bucket is not None:
            buckets[key][bucket] = buckets[key].get(bucket, 0) + sign * spans
    latencies = {key: Latency({bucket: spans for bucket, spans in buckets[key].items() if spans}) for key in calls}
    return [Traffic(*key, calls[key], errors[key], latencies[key]) for key in sorted(calls) if calls[key]]
