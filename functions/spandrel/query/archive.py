"""Archives traces: copies that are found by their ids when retention is over."""

from __future__ import annotations

import json
import zlib

from spandrel.blocks.naming import FORMAT_VERSION
from spandrel.blocks.reader import quoted
from spandrel.model.archive import block_key, entry_key
from spandrel.model.catalogue import Block
from spandrel.model.errors import NotFound, QueryTooBroad
from spandrel.model.limits import ANSWER_SPANS_MAX

from .copies import ONE_COPY
from .reading import Reading
from .trace import blocks_of

_RANGE = f"""
    SELECT count(*), min(start_time_unix_nano), max(start_time_unix_nano)
    FROM (SELECT start_time_unix_nano FROM spans WHERE trace_id = ? {ONE_COPY})
"""


def archive(reading: Reading, trace_id: bytes, now_ns: int) -> None:
    """Copies all spans of a trace, those of an earlier copy too. NotFound when there are none.

    `now_ns` (unix ns) is from before anything was read: what is deleted later is hidden from the copy as well.
    """
    opened = reading.open(blocks_of(reading, trace_id))
    ((spans, min_start_ns, max_start_ns),) = opened.select(_RANGE, [trace_id])
    if not spans:
        raise NotFound("trace not found")
    if spans > ANSWER_SPANS_MAX:
        raise QueryTooBroad(f"the trace has more than {ANSWER_SPANS_MAX} spans, the most that are archived of one")
    named = ", ".join(map(quoted, sorted(opened.columns)))
    body = opened.parquet(f"SELECT {named} FROM spans WHERE trace_id = ? {ONE_COPY}", [trace_id])
    crc32 = zlib.crc32(body)
    block = Block(
        tenant=reading.tenant,
        block_id=f"archive-{trace_id.hex()}",
        key=block_key(reading.tenant, trace_id, crc32),
        level=0,
        format_version=FORMAT_VERSION,
        spans=spans,
        size_bytes=len(body),
        crc32=crc32,
        min_start_ns=min_start_ns,
        max_start_ns=max_start_ns,
        min_trace_id=trace_id,
        max_trace_id=trace_id,
        received_ns=now_ns,
        far=True,
        operations=None,
        first_received_ns=now_ns,
    )
    reading.objects.put(block.key, body)
    reading.objects.put(entry_key(reading.tenant, trace_id), json.dumps(block.record()).encode())
