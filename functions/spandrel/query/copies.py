"""One copy of each span.

Messages are delivered at least once, so a span may lie in several blocks, or first without its end and then with it. A
span is known by its trace, id, kind and service (ADR 0003: Zipkin's client and server share an id). Of its copies the
one that ended last counts, so one with an end rather than one without. Among equal ones any would do; it is always the
same one.
"""

from __future__ import annotations

END = (
    "((start_time_unix_nano::HUGEINT + duration_nano::HUGEINT + 18446744073709551616) % 18446744073709551616)::UBIGINT"
)
"""A span's end as it was sent: `duration_nano` is end minus start modulo 2^64."""

ONE_COPY = f"""
    QUALIFY row_number() OVER (
        PARTITION BY trace_id, span_id, kind, service
        ORDER BY {END} DESC, start_time_unix_nano DESC, filename, file_row_number
    ) = 1
"""
"""The end of a SELECT from `spans`: one row a span."""
