"""A block's tally: what was counted of its spans when they were merged, kept in objects of its own beside the block.

It says nothing that the block does not say, so whatever lacks one is read instead. docs/dependencies.md has the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

PartName = Literal["loose", "traces", "traffic", "calls"]
"""`calls` and `traffic` are the counts, by the minute. `traces` and `loose` say which traces they are of, so that what
other blocks hold of the same traces can be put right: the spans of those that probably go on in other blocks are
`loose`, of the others there are only the ends of their ids.
"""
PARTS: tuple[PartName, ...] = get_args(PartName)
"""In the order in which they are written: where `calls` is, the others are that the block has."""

TRACE_TAIL_BYTES = 6
"""How much of a trace id's end `traces` keeps. Two traces with one end only cost a look into the blocks."""


@dataclass(frozen=True, slots=True)
class TallyPart:
    """One object of a tally; `crc32` is of the whole object."""

    name: PartName
    size_bytes: int
    crc32: int
