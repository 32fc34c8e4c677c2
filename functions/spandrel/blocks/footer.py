"""The end of a block, from which its catalogue entry can be read without the rest."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq

from spandrel.model.catalogue import Block
from spandrel.model.errors import Corrupt

from .writer import FOOTER_KEY

TAIL_BYTES = 64 * 1024  # which hold the footer of most blocks
_MAGIC = b"PAR1"
_ENDING_BYTES = 8  # Parquet: the footer's length, four bytes, and the magic number


def tail_bytes(tail: bytes, key: str) -> int:
    """How many bytes at the end of a block its footer takes, by the last of them. Corrupt where that is no Parquet."""
    if len(tail) < _ENDING_BYTES or not tail.endswith(_MAGIC):
        raise Corrupt("the object is no Parquet file", key)
    return int.from_bytes(tail[-_ENDING_BYTES:-4], "little") + _ENDING_BYTES


def entry_in(tail: bytes, key: str, size_bytes: int, crc32: int) -> Block:
    """The entry of a block by its end, at least `tail_bytes` of it; size and checksum are those of the object.

    Corrupt where there is none, or that of an object of another name.
    """
    footer = tail[-tail_bytes(tail, key) :]
    try:
        metadata = pq.read_metadata(pa.BufferReader(_MAGIC + footer)).metadata or {}
        record = json.loads(metadata[FOOTER_KEY])
        block = Block.from_record({**record, "size_bytes": size_bytes, "crc32": crc32})
    except (pa.ArrowInvalid, OSError, KeyError, ValueError, TypeError) as error:
        raise Corrupt(f"the object has no entry of a block in its footer: {error!r}", key) from error
    if block.key != key:
        raise Corrupt(f"the footer is that of {block.key}", key)
    return block
