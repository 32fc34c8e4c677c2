"""Pieces of SQL with their parameters, put together without ever splicing a value into the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fragment:
    """`sql` has one `?` for each of `parameters`, in their order."""

    sql: str
    parameters: tuple[object, ...] = ()


def parameter(value: object) -> Fragment:
    """A value."""
    return Fragment("?", (value,))


def combined(template: str, *parts: Fragment) -> Fragment:
    """The template with a part in the place of each `{}`, in their order."""
    parameters = tuple(parameter for part in parts for parameter in part.parameters)
    return Fragment(template.format(*(part.sql for part in parts)), parameters)


def joined(separator: str, parts: Iterable[Fragment]) -> Fragment:
    """One part or more with the separator between them."""
    found = list(parts)
    return combined(separator.join(["{}"] * len(found)), *found)


def first_of(parts: Iterable[Fragment]) -> Fragment | None:
    """The first of the parts that is not null; None without parts."""
    found = list(parts)
    if len(found) < 2:
        return found[0] if found else None
    return combined("coalesce({})", joined(", ", found))
