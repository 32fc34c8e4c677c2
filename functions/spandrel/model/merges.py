"""Records of merges in the bucket: which objects took the place of which, for who has the bucket alone.

A worker writes one when all outputs are there, right before the swap. So its outputs hold what its inputs held, whether
or not the swap came about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

from .catalogue import Block
from .errors import Corrupt

# A merge's output is called after the merge and its number; a batch's block has no number (docs/architecture.md).
_MERGED = re.compile(r"/blocks/[^/]+/[0-9a-f]+-[0-9]+\.parquet")


@dataclass(frozen=True, slots=True)
class Merge:
    """The keys of its inputs, and of its outputs: none, where all spans were deleted ones."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, body: bytes, key: str) -> Merge:
        """Corrupt names the object that is no record."""
        try:
            said = json.loads(body)
            return cls(tuple(said["inputs"]), tuple(said["outputs"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Corrupt(f"a record of a merge does not read back: {error!r}", key) from error


def merge_key(inputs: Collection[Block], name: str) -> str:
    """Where the record of a merge stands: under the day of its blocks."""
    newest = max(inputs, key=lambda block: block.received_ns)
    return f"{newest.tenant}/merges/{newest.key.split('/')[2]}/{name}.json"


def is_merged(key: str) -> bool:
    """Whether the object is the output of a merge, by its key."""
    return _MERGED.search(key) is not None


def replaced(present: Collection[str], merges: Iterable[Merge]) -> frozenset[str]:
    """The keys whose spans are in other objects too: inputs of merges whose outputs are all `present`, or replaced
    themselves. A merge that lost to another one and whose outputs were swept replaces nothing.
    """
    merges = list(merges)
    gone: set[str] = set()
    while True:
        known = gone.union(present)
        more = {key for merge in merges if known.issuperset(merge.outputs) for key in merge.inputs}
        if more <= gone:
            return frozenset(gone)
        gone |= more
