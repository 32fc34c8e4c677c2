"""The catalogue in DynamoDB: one item a live block, under the tenant and the UTC day of its latest span start.

A block's starts span at most SPREAD_NS unless it is `far`, so the blocks of a time range lie in a range of sort keys
that ends SPREAD_NS after it; those that are far stand in a partition of their own, which every question reads too.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.client import BaseClient

from spandrel.model.catalogue import FAR_AFTER_NS, FAR_BEFORE_NS, Block
from spandrel.model.errors import Corrupt
from spandrel.model.levels import HOUR_NS, hour_of
from spandrel.model.lifecycle import EXPIRES

from .faults import told_apart

SPREAD_NS = FAR_BEFORE_NS + HOUR_NS + FAR_AFTER_NS  # of the starts in blocks of one hour of arrival
PARALLEL_QUERIES = 16
DUE = "#due"
_DAY_NS = 86_400 * 10**9
_LAST_NS = 2**64 - 1

Item = dict[str, dict[str, Any]]


class DynamoCatalogue:
    """`spandrel.model.catalogue.Catalogue` over one table with keys `pk` and `sk`.

    What arrived more than `retention_days` ago is not shown, whether or not DynamoDB has removed it yet.
    """

    def __init__(
        self, dynamodb: BaseClient, table: str, retention_days: int, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._retention_ns = retention_days * _DAY_NS
        self._clock_ns = clock_ns

    def add(self, block: Block) -> None:
        """First the note that there is something to merge: should we die in between, it is one for nothing."""
        with told_apart(f"cataloguing block {block.block_id}"):
            self._dynamodb.put_item(TableName=self._table, Item=due_item(block))
            self._dynamodb.put_item(TableName=self._table, Item=self.item_of(block))

    def item_of(self, block: Block) -> Item:
        """A block's item, with the time from which on DynamoDB may remove it."""
        expires_s = (block.received_ns + self._retention_ns) // 10**9
        return item_of(block) | {EXPIRES: {"N": str(expires_s)}}

    def blocks(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        if start_ns >= end_ns:
            return []
        found = self._read(tenant, start_ns, end_ns, "min_start < :end", {":end": {"N": str(end_ns)}})
        return sorted(found, key=lambda block: (block.max_start_ns, block.block_id), reverse=True)

    def arrived(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        """All live blocks of the tenant that arrived in [start_ns, end_ns), far ones included, oldest first."""
        within = {":arrived": {"N": str(start_ns)}, ":before": {"N": str(end_ns)}}
        wanted = "received >= :arrived AND received < :before"
        found = self._read(tenant, max(0, start_ns - SPREAD_NS), end_ns, wanted, within, far_from_ns=0)
        return sorted(found, key=lambda block: (block.received_ns, block.block_id))

    def _read(
        self,
        tenant: str,
        start_ns: int,
        end_ns: int,
        wanted: str,
        values: Item,
        far_from_ns: int | None = None,
    ) -> list[Block]:
        """The blocks of all partitions that a range of starts can be in, in no order."""
        far_from_ns = start_ns if far_from_ns is None else far_from_ns
        ranges = [(f"{tenant}#blocks#far", far_from_ns, _LAST_NS)]
        until_ns = min(end_ns + SPREAD_NS, _LAST_NS)
        ranges += [(f"{tenant}#blocks#{day}", start_ns, until_ns) for day in self._days(start_ns, end_ns)]
        with ThreadPoolExecutor(min(PARALLEL_QUERIES, len(ranges))) as pool:
            pages = pool.map(lambda each: list(self._query(each, wanted, values)), ranges)
            return [block for page in pages for block in page]

    def _days(self, start_ns: int, end_ns: int) -> Iterator[str]:
        """The days under which an ordinary block of the range can stand, within what retention leaves."""
        now_ns = self._clock_ns()
        first_ns = max(start_ns, now_ns - self._retention_ns - SPREAD_NS)
        last_ns = min(end_ns + SPREAD_NS, now_ns + SPREAD_NS)
        for day in range(first_ns // _DAY_NS, last_ns // _DAY_NS + 1):
            yield _day(day * _DAY_NS)

    def _query(self, sk_range: tuple[str, int, int], wanted: str, values: Item) -> Iterator[Block]:
        """All pages of one partition's blocks whose latest start is in the range: (partition, from, until), ns."""
        partition, from_ns, until_ns = sk_range
        alive_ns = self._clock_ns() - self._retention_ns
        question: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :until",
            "FilterExpression": f"{wanted} AND received >= :alive",
            "ExpressionAttributeValues": {
                ":pk": {"S": partition},
                ":from": {"S": f"{from_ns:020d}"},
                ":until": {"S": f"{until_ns:020d}~"},
                ":alive": {"N": str(alive_ns)},
                **values,
            },
        }
        while True:
            with told_apart("reading the catalogue"):
                page = self._dynamodb.query(**question)
            yield from map(block_of, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            question["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def due_item(block: Block) -> Item:
    """The note that there may be blocks to merge in the hour in which this one arrived (spandrel.aws.ledger)."""
    hour_ns = hour_of(block.received_ns)
    sk = f"{block.tenant}#{hour_ns:020d}"
    return {"pk": {"S": DUE}, "sk": {"S": sk}, "touched": {"N": str(block.received_ns)}}


def item_of(block: Block) -> Item:
    """A block -> its item, without the time at which DynamoDB removes it."""
    day = "far" if block.far else _day(block.max_start_ns)
    item: Item = {
        "pk": {"S": f"{block.tenant}#blocks#{day}"},
        "sk": {"S": f"{block.max_start_ns:020d}#{block.block_id}"},
        "tenant": {"S": block.tenant},
        "key": {"S": block.key},
        "level": {"N": str(block.level)},
        "format": {"N": str(block.format_version)},
        "spans": {"N": str(block.spans)},
        "size": {"N": str(block.size_bytes)},
        "crc32": {"N": str(block.crc32)},
        "min_start": {"N": str(block.min_start_ns)},
        "min_trace": {"B": block.min_trace_id},
        "max_trace": {"B": block.max_trace_id},
        "received": {"N": str(block.received_ns)},
        "far": {"BOOL": block.far},
    }
    if block.operations is not None:
        text = json.dumps(block.operations, ensure_ascii=False, separators=(",", ":"))
        item["operations"] = {"B": zlib.compress(text.encode())}
    return item


def block_of(item: Item) -> Block:
    """An item -> its block; Corrupt names the item that does not read back."""
    try:
        max_start, _, block_id = item["sk"]["S"].partition("#")
        return Block(
            tenant=item["tenant"]["S"],
            block_id=block_id,
            key=item["key"]["S"],
            level=int(item["level"]["N"]),
            format_version=int(item["format"]["N"]),
            spans=int(item["spans"]["N"]),
            size_bytes=int(item["size"]["N"]),
            crc32=int(item["crc32"]["N"]),
            min_start_ns=int(item["min_start"]["N"]),
            max_start_ns=int(max_start),
            min_trace_id=bytes(item["min_trace"]["B"]),
            max_trace_id=bytes(item["max_trace"]["B"]),
            received_ns=int(item["received"]["N"]),
            far=item["far"]["BOOL"],
            operations=_operations(item),
        )
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise Corrupt(f"a catalogue entry does not read back: {error!r}", str(item.get("sk"))) from error


def _operations(item: Item) -> tuple[tuple[str, str, int], ...] | None:
    if "operations" not in item:
        return None
    rows = json.loads(zlib.decompress(item["operations"]["B"]))
    return tuple((service, name, kind) for service, name, kind in rows)


def _day(at_ns: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_ns // 10**9)).date().isoformat()
