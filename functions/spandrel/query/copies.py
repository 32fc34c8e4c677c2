"""One copy of each span.

Messages are delivered at least once, so a span may lie in several blocks, or first without its end and then with it. A
span is known by its trace, id, kind, service and start (ADR 0003: Zipkin's client and server share an id, and parts of
a span come without a start). Of its copies the one that lasts longest counts, so one with an end rather than one
without, whose `duration_nano` is far below zero.
Among equal ones it is the first of the first block; `blocks/merge.py` chooses in the same way.
"""

from __future__ import annotations

ONE_COPY = """
    QUALIFY row_number() OVER (
        PARTITION BY trace_id, span_id, kind, service, start_time_unix_nano
        ORDER BY duration_nano DESC, filename, file_row_number
    ) = 1
"""
"""The end of a SELECT from `spans`: one row a span."""

END = (
    "((start_time_unix_nano::HUGEINT + duration_nano::HUGEINT + 18446744073709551616) % 18446744073709551616)::UBIGINT"
)
"""A span's end as it was sent: `duration_nano` is end minus start modulo 2^64."""
