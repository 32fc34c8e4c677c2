"""SQL conditions with their parameters. Values are only ever parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """`sql` is boolean and has one `?` for each of `parameters`, in their order. It may be null, which is not true."""

    sql: str
    parameters: tuple[object, ...] = ()


NEVER = Condition("false")
ALWAYS = Condition("true")


def every(conditions: Iterable[Condition]) -> Condition:
    """All of them; true of none."""
    return _joined(conditions, " AND ", ALWAYS)


def some(conditions: Iterable[Condition]) -> Condition:
    """At least one of them; false of none."""
    return _joined(conditions, " OR ", NEVER)


def one_of(expression: str, values: Iterable[object]) -> Condition:
    """The expression equals one of the values."""
    return some(Condition(f"{expression} = ?", (value,)) for value in values)


def starts_in(start_ns: int, end_ns: int) -> Condition:
    """The span starts in [start_ns, end_ns); both may lie outside of what a start can be."""
    first_ns, last_ns = max(start_ns, 0), min(end_ns, 2**64) - 1
    if first_ns > last_ns:
        return NEVER
    return Condition("start_time_unix_nano BETWEEN ?::UBIGINT AND ?::UBIGINT", (first_ns, last_ns))


def _joined(conditions: Iterable[Condition], word: str, empty: Condition) -> Condition:
    parts = list(conditions)
    if len(parts) < 2:
        return parts[0] if parts else empty
    parameters = tuple(parameter for part in parts for parameter in part.parameters)
    return Condition("(" + word.join(part.sql for part in parts) + ")", parameters)
