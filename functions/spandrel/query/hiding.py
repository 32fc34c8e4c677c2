"""What deletions hide from questions until the blocks are rewritten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spandrel.blocks.reader import Hidden
from spandrel.model.catalogue import Block
from spandrel.model.deletions import Deletion

from .sql.written import with_attribute

_Blocks = frozenset[str]


def hidden_in(blocks: Sequence[Block], deletions: Sequence[Deletion]) -> Iterator[Hidden]:
    """The rows of these blocks that nobody may see. Deletions that are about the same blocks are one: of all traces,
    and of all values of an attribute.
    """
    traces: dict[_Blocks, list[bytes]] = {}
    attributes: dict[tuple[_Blocks, str], list[str]] = {}
    for deletion in deletions:
        about = frozenset(block.block_id for block in blocks if deletion.is_about(block))
        if about and deletion.trace_id:
            traces.setdefault(about, []).append(deletion.trace_id)
        elif about and deletion.attribute:
            key, text = deletion.attribute
            attributes.setdefault((about, key), []).append(text)
    for about, trace_ids in traces.items():
        yield _of_traces(trace_ids, about)
    for (about, key), texts in attributes.items():
        yield _with_attribute(key, texts, about)


def _of_traces(trace_ids: Sequence[bytes], about: _Blocks) -> Hidden:
    return Hidden(lambda _columns: ("trace_id IN (SELECT unnest(?::BLOB[]))", [trace_ids]), about)


def _with_attribute(key: str, texts: Sequence[str], about: _Blocks) -> Hidden:
    def condition(columns: frozenset[str]) -> tuple[str, Sequence[object]]:
        found = with_attribute(key, texts, columns)
        return found.sql, found.parameters

    return Hidden(condition, about)
