"""The catalogue in DynamoDB: one item a live block, under the tenant and the UTC day of its latest span start.

A block's starts span at most SPREAD_NS unless it is `far`, so the blocks of a time range lie in a range of sort keys
that ends SPREAD_NS after it; those that are far stand in a partition of their own, which every question reads too.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from spandrel.model.catalogue import FAR_AFTER_NS, FAR_BEFORE_NS, Block
from spandrel.model.deletions import Deletion
from spandrel.model.errors import Corrupt
from spandrel.model.ids import TRACE_ID_BYTES
from spandrel.model.levels import HOUR_NS, hour_of
from spandrel.model.retention import DAY_NS, Retention, day_of
from spandrel.model.tally import TallyPart

from .deletions import deletions_of
from .faults import code_of, told_apart
from .items import Item, items

SPREAD_NS = FAR_BEFORE_NS + HOUR_NS + FAR_AFTER_NS  # of the starts in blocks of one hour of arrival
PARALLEL_QUERIES = 16
DUE = "#due"
_LAST_NS = 2**64 - 1

Range = tuple[str, int, int]
"""A partition, and the latest starts of blocks in it from and until which, unix ns."""


class DynamoCatalogue:
    """`spandrel.model.catalogue.Catalogue` over one table with keys `pk` and `sk`.

    What arrived longer ago than the tenant's retention is not shown, whether or not its entry is still there.
    """

    def __init__(
        self, dynamodb: BaseClient, table: str, retention: Retention, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._retention = retention
        self._clock_ns = clock_ns

    def add(self, block: Block) -> None:
        """First the note that there is something to merge: should we die in between, it is one for nothing."""
        with told_apart(f"cataloguing block {block.block_id}"):
            self._dynamodb.put_item(TableName=self._table, Item=due_item(block, self._clock_ns()))
            self._dynamodb.put_item(TableName=self._table, Item=item_of(block))

    def restore(self, block: Block) -> bool:
        """Adds a block unless it is there already; whether it was added."""
        with told_apart(f"cataloguing block {block.block_id}"):
            self._dynamodb.put_item(TableName=self._table, Item=due_item(block, self._clock_ns()))
            try:
                self._dynamodb.put_item(
                    TableName=self._table, Item=item_of(block), ConditionExpression="attribute_not_exists(pk)"
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def deletions(self, tenant: str) -> Sequence[Deletion]:
        return deletions_of(self._dynamodb, self._table, tenant)

    def blocks(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        if start_ns >= end_ns:
            return []
        alive_ns = self._alive_ns(tenant)
        values = {":end": {"N": str(end_ns)}, ":alive": {"N": str(alive_ns)}}
        days_ns = (max(start_ns, alive_ns - SPREAD_NS), end_ns)
        found = self._read(tenant, (start_ns, end_ns), days_ns, "min_start < :end AND received >= :alive", values)
        return sorted(found, key=lambda block: (block.max_start_ns, block.block_id), reverse=True)

    def near(self, tenant: str, hours_ns: Collection[int]) -> Sequence[Block]:
        alive_ns = self._alive_ns(tenant)
        hours = {hour_ns for hour_ns in hours_ns if hour_ns + HOUR_NS > alive_ns}
        ranges = [
            (f"{tenant}#blocks#{day}", first_ns, last_ns)
            for first_ns, last_ns in _starts(hours)
            for day in self._days(first_ns, last_ns - SPREAD_NS)
        ]
        found = self._all(ranges, "received >= :alive", {":alive": {"N": str(alive_ns)}})
        return [block for block in found if hour_of(block.received_ns) in hours]

    def far(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        values = {":end": {"N": str(min(end_ns, _LAST_NS))}, ":alive": {"N": str(self._alive_ns(tenant))}}
        ranges = [(f"{tenant}#blocks#far", start_ns, _LAST_NS)]
        return self._all(ranges, "min_start < :end AND received >= :alive", values)

    def arrived(self, tenant: str, start_ns: int, end_ns: int, *, expired: bool = False) -> Sequence[Block]:
        """All blocks of the tenant that arrived in [start_ns, end_ns), far ones included, oldest first: live ones, or
        those that have `expired`. As they are at this moment.
        """
        alive_ns = self._alive_ns(tenant)
        start_ns, end_ns = (start_ns, min(end_ns, alive_ns)) if expired else (max(start_ns, alive_ns), end_ns)
        if start_ns >= end_ns:
            return []
        values = {":arrived": {"N": str(start_ns)}, ":before": {"N": str(end_ns)}}
        first_ns = max(0, start_ns - SPREAD_NS)
        wanted = "received >= :arrived AND received < :before"
        range_ns = (first_ns, end_ns)
        found = self._read(tenant, range_ns, range_ns, wanted, values, far_from_ns=0, consistent=True)
        return sorted(found, key=lambda block: (block.received_ns, block.block_id))

    def _alive_ns(self, tenant: str) -> int:
        return self._retention.since_ns(tenant, self._clock_ns())

    def _read(
        self,
        tenant: str,
        starts_ns: tuple[int, int],
        days_ns: tuple[int, int],
        wanted: str,
        values: Item,
        far_from_ns: int | None = None,
        *,
        consistent: bool = False,
    ) -> list[Block]:
        """The blocks of all partitions that a range of starts can be in, in no order."""
        start_ns, end_ns = starts_ns
        far_from_ns = start_ns if far_from_ns is None else far_from_ns
        ranges = [(f"{tenant}#blocks#far", far_from_ns, _LAST_NS)]
        until_ns = min(end_ns + SPREAD_NS, _LAST_NS)
        ranges += [(f"{tenant}#blocks#{day}", start_ns, until_ns) for day in self._days(*days_ns)]
        return self._all(ranges, wanted, values, consistent=consistent)

    def _all(self, ranges: Sequence[Range], wanted: str, values: Item, *, consistent: bool = False) -> list[Block]:
        """The blocks of all these ranges, in no order."""
        if not ranges:
            return []
        with ThreadPoolExecutor(min(PARALLEL_QUERIES, len(ranges))) as pool:
            pages = pool.map(lambda each: list(self._query(each, wanted, values, consistent=consistent)), ranges)
            return [block for page in pages for block in page]

    def _days(self, start_ns: int, end_ns: int) -> Iterator[str]:
        """The days under which an ordinary block of the range can stand; none stands in the future."""
        last_ns = min(end_ns, self._clock_ns()) + SPREAD_NS
        for day in range(start_ns // DAY_NS, last_ns // DAY_NS + 1):
            yield day_of(day * DAY_NS)

    def _query(self, sk_range: Range, wanted: str, values: Item, *, consistent: bool) -> Iterator[Block]:
        """All pages of one partition's blocks whose latest start is in the range."""
        partition, from_ns, until_ns = sk_range
        found = items(
            self._dynamodb,
            "reading the catalogue",
            TableName=self._table,
            ConsistentRead=consistent,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :from AND :until",
            FilterExpression=wanted,
            ExpressionAttributeValues={
                ":pk": {"S": partition},
                ":from": {"S": f"{from_ns:020d}"},
                ":until": {"S": f"{until_ns:020d}~"},
                **values,
            },
        )
        yield from map(block_of, found)


def _starts(hours_ns: Collection[int]) -> Iterator[tuple[int, int]]:
    """The starts that ordinary blocks of these hours of arrival can have: one range for hours that follow one
    another.
    """
    hours = sorted(hours_ns)
    for hour_ns in hours:
        if hour_ns - HOUR_NS not in hours_ns:
            first_ns = hour_ns
        if hour_ns + HOUR_NS not in hours_ns:
            yield max(0, first_ns - FAR_BEFORE_NS), hour_ns + HOUR_NS + FAR_AFTER_NS


def due_item(block: Block, now_ns: int) -> Item:
    """The note that there may be blocks to merge in the hour in which this one arrived (spandrel.aws.ledger)."""
    hour_ns = hour_of(block.received_ns)
    sk = f"{block.tenant}#{hour_ns:020d}"
    return {"pk": {"S": DUE}, "sk": {"S": sk}, "touched": {"N": str(now_ns)}}


def item_of(block: Block) -> Item:
    """A block -> its item. Without a time at which DynamoDB removes it: a retention that is made longer counts for
    what is there already.
    """
    day = "far" if block.far else day_of(block.max_start_ns)
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
        "first_received": {"N": str(block.first_received_ns)},
        "far": {"BOOL": block.far},
        "deletions": {"N": str(block.deletions)},
    }
    if block.quantiles:
        item["quantiles"] = {"B": b"".join(block.quantiles)}
    if block.operations is not None:
        text = json.dumps(block.operations, ensure_ascii=False, separators=(",", ":"))
        item["operations"] = {"B": zlib.compress(text.encode())}
    if block.tally:
        item["tally"] = {"S": json.dumps([[part.name, part.size_bytes, part.crc32] for part in block.tally])}
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
            quantiles=_quantiles(item),
            first_received_ns=int(item["first_received"]["N"]),
            deletions=int(item["deletions"]["N"]),
            tally=tuple(TallyPart(*part) for part in json.loads(item["tally"]["S"])) if "tally" in item else (),
        )
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise Corrupt(f"a catalogue entry does not read back: {error!r}", str(item.get("sk"))) from error


def _operations(item: Item) -> tuple[tuple[str, str, int], ...] | None:
    if "operations" not in item:
        return None
    rows = json.loads(zlib.decompress(item["operations"]["B"]))
    return tuple((service, name, kind) for service, name, kind in rows)


def _quantiles(item: Item) -> tuple[bytes, ...]:
    joined = bytes(item.get("quantiles", {"B": b""})["B"])
    return tuple(joined[at : at + TRACE_ID_BYTES] for at in range(0, len(joined), TRACE_ID_BYTES))
