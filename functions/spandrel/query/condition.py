"""SQL conditions with their parameters. Values are only ever parameters."""

from __future__ import annotations

from collections.abc import Iterable

from .sql.fragment import Fragment, combined, joined


class Condition(Fragment):
    """A fragment that is boolean. It may be null, which is not true."""

    __slots__ = ()


_MANY = 4  # values, from which on a list of them is looked through faster than a chain of comparisons

NEVER = Condition("false")
ALWAYS = Condition("true")


def every(conditions: Iterable[Fragment]) -> Condition:
    """All of them; true of none."""
    found = [one for one in conditions if one != ALWAYS]
    return NEVER if NEVER in found else _together(found, " AND ", ALWAYS)


def some(conditions: Iterable[Fragment]) -> Condition:
    """At least one of them; false of none."""
    found = [one for one in conditions if one != NEVER]
    return ALWAYS if ALWAYS in found else _together(found, " OR ", NEVER)


def untrue(condition: Fragment) -> Condition:
    """It is false or null."""
    if condition in (ALWAYS, NEVER):
        return NEVER if condition == ALWAYS else ALWAYS
    return _as_condition(combined("(({}) IS NOT TRUE)", condition))


def one_of(expression: str, values: Iterable[object]) -> Condition:
    """The expression equals one of the values."""
    values = list(values)
    if len(values) > _MANY:
        return Condition(f"list_contains(?, {expression})", (values,))
    return some(Condition(f"{expression} = ?", (value,)) for value in values)


def starts_in(start_ns: int, end_ns: int) -> Condition:
    """The span starts in [start_ns, end_ns); both may lie outside of what a start can be."""
    first_ns, last_ns = max(start_ns, 0), min(end_ns, 2**64) - 1
    if first_ns > last_ns:
        return NEVER
    return Condition("start_time_unix_nano BETWEEN ?::UBIGINT AND ?::UBIGINT", (first_ns, last_ns))


def _together(conditions: list[Fragment], word: str, empty: Condition) -> Condition:
    if not conditions:
        return empty
    if len(conditions) == 1:
        return _as_condition(conditions[0])
    return _as_condition(combined("({})", joined(word, conditions)))


def _as_condition(fragment: Fragment) -> Condition:
    return Condition(fragment.sql, fragment.parameters)
