"""Calls, errors and latencies of operations over time (rate, errors, duration), of all spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from spandrel.blocks.buckets import BUCKET, FAILED
from spandrel.blocks.database import Row
from spandrel.blocks.naming import ALWAYS
from spandrel.model.errors import QueryTooBroad
from spandrel.model.traffic import MINUTE_NS, Latency, Traffic

from .condition import Condition, every, one_of, starts_in
from .copies import ONE_COPY
from .reading import Reading, check_range

Side = Literal["service", "operation", "kind"]
SIDES: tuple[Side, ...] = get_args(Side)
"""What traffic can be told apart by."""

ROWS_MAX = 500_000  # of one answer: each is a bucket of an operation in a step
_APART = {"service": "coalesce(service, '')", "operation": "name", "kind": "coalesce(kind, 0)"}
_TOGETHER = {"service": "''", "operation": "''", "kind": "-1"}

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
_COUNTED = f"""
    SELECT (start_time_unix_nano // {{step}}::UBIGINT) * {{step}}::UBIGINT, {{sides}}, {BUCKET} AS bucket,
        count(*), count(*) FILTER ({FAILED})
    FROM once GROUP BY ALL LIMIT {ROWS_MAX + 1}
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
    opened = reading.open(reading.live(start_ns, end_ns))
    condition = every([starts_in(start_ns, end_ns), _condition(chosen)])
    sides = ", ".join((_APART if side in apart else _TOGETHER)[side] for side in SIDES)
    statement = _ONCE.format(chosen=condition.sql) + _COUNTED.format(step=step_ns, sides=sides)
    return _traffic(opened.select(statement, condition.parameters, columns=[*ALWAYS, "status_code"]))


def _condition(chosen: Chosen) -> Condition:
    conditions = []
    if chosen.services is not None:
        conditions.append(one_of(_APART["service"], chosen.services))
    if chosen.kinds is not None:
        conditions.append(one_of(_APART["kind"], chosen.kinds))
    return every(conditions)


def _traffic(rows: Iterable[Row]) -> list[Traffic]:
    """(step, service, operation, kind, bucket, spans, errors), in any order and number -> what they add up to."""
    calls: defaultdict[_Cell, int] = defaultdict(int)
    errors: defaultdict[_Cell, int] = defaultdict(int)
    buckets: defaultdict[_Cell, dict[int, int]] = defaultdict(dict)
    for number, (step, service, operation, kind, bucket, spans, failed) in enumerate(rows):
        if number == ROWS_MAX:
            raise QueryTooBroad("this is more traffic than one answer holds: ask for fewer services or longer steps")
        key = (step, service, operation, kind)
        calls[key] += spans
        errors[key] += failed
        if bucket is not None:
            buckets[key][bucket] = buckets[key].get(bucket, 0) + spans
    return [Traffic(*key, calls[key], errors[key], Latency(buckets[key])) for key in sorted(calls) if calls[key]]
