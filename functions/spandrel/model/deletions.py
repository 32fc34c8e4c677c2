"""Deletions: spans that somebody wants gone, hidden from every answer at once and rewritten out of every block later.

A deletion covers what was received before it. Blocks carry the number of the last deletion that their spans were held
to, so it is known of each block whether a deletion is still about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .catalogue import Block


@dataclass(frozen=True, slots=True)
class Deletion:
    """All spans of a trace, or all spans with an attribute of that value, which came before `before_ns` (unix ns).

    An attribute is a key and its value as text (`spandrel.query.text_values`), wherever a span has it: its own, its
    resource's, its scope's, or of its events and links. Exactly one of `trace_id` and `attribute` is set. `number`
    counts a tenant's deletions, from 1.
    """

    tenant: str
    number: int
    before_ns: int
    trace_id: bytes | None = None
    attribute: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """What it is about, as 32 hex digits: to delete the same again is the same deletion, of later spans too."""
        about = ["trace", self.trace_id.hex()] if self.trace_id else ["attribute", *(self.attribute or ())]
        return hashlib.sha256("\0".join(about).encode()).hexdigest()[:32]

    def is_about(self, block: Block) -> bool:
        """Whether the block may hold spans of it that are not rewritten yet."""
        if block.deletions >= self.number or block.first_received_ns >= self.before_ns:
            return False
        return self.trace_id is None or block.min_trace_id <= self.trace_id <= block.max_trace_id

    def record(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        return asdict(self) | {"trace_id": self.trace_id and self.trace_id.hex()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Deletion:
        """The deletion that `record` gave; TypeError, ValueError or KeyError when it gave none."""
        trace_id, attribute = record["trace_id"], record["attribute"]
        told = {
            "trace_id": bytes.fromhex(trace_id) if trace_id else None,
            "attribute": tuple(attribute) if attribute else None,
        }
        return cls(**{**record, **told})


@dataclass(frozen=True, slots=True)
class Deletions:
    """A tenant's deletions that are not done with. `number` is that of the last one there ever was, 0 of none."""

    number: int = 0
    pending: tuple[Deletion, ...] = ()


def object_key(deletion: Deletion) -> str:
    """Where a deletion stands in the bucket."""
    return f"{deletion.tenant}/deletions/{deletion.number:020d}-{deletion.name}.json"


def name_in(key: str) -> str:
    """The name of the deletion whose object that is."""
    return key.rpartition("-")[2].removesuffix(".json")
