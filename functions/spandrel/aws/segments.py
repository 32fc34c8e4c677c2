"""Segments of the trace index in the catalogue's table.

    pk                      sk                                       what
    {tenant}#traces         {window start, unix ns, 20 digits}#{name}  a segment

An hour that is due (spandrel.aws.ledger) is one that segments need not know.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from spandrel.model.errors import Conflict, Corrupt
from spandrel.model.retention import Retention
from spandrel.model.trace_index import Rollup, Segment

from .catalogue import DUE
from .faults import code_of, told_apart
from .items import Item, items


class DynamoSegments:
    """`spandrel.model.trace_index.Segments`."""

    def __init__(
        self, dynamodb: BaseClient, table: str, retention: Retention, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._retention = retention
        self._clock_ns = clock_ns

    def listed(self, tenant: str) -> Sequence[Segment]:
        alive_ns = self._retention.since_ns(tenant, self._clock_ns())
        return [segment for segment in self._all(tenant) if segment.end_ns > alive_ns]

    def expired(self, tenant: str) -> Sequence[Segment]:
        alive_ns = self._retention.since_ns(tenant, self._clock_ns())
        return [segment for segment in self._all(tenant) if segment.end_ns <= alive_ns]

    def _all(self, tenant: str) -> list[Segment]:
        found = items(
            self._dynamodb,
            "reading the trace index",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": _partition(tenant)}},
        )
        return [_segment_of(tenant, item) for item in found]

    def unsettled(self, tenant: str) -> frozenset[int]:
        found = items(
            self._dynamodb,
            "reading what is due",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :tenant)",
            ExpressionAttributeValues={":pk": {"S": DUE}, ":tenant": {"S": f"{tenant}#"}},
        )
        return frozenset(int(item["sk"]["S"].rpartition("#")[2]) for item in found)

    def add(self, segment: Segment, job: str) -> None:
        put = {"Put": {"TableName": self._table, "Item": segment_item(segment)}}
        with told_apart("adding to the trace index"):
            self._dynamodb.transact_write_items(TransactItems=[put, self._done(segment.tenant, job)])

    def swap(self, rollup: Rollup, output: Segment) -> None:
        gone: list[dict[str, Any]] = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": _key(segment),
                    "ConditionExpression": "attribute_exists(pk)",
                }
            }
            for segment in rollup.inputs
        ]
        put = {"Put": {"TableName": self._table, "Item": segment_item(output)}}
        with told_apart("swapping segments"):
            try:
                steps = [*gone, put, self._done(rollup.tenant, rollup.name)]
                self._dynamodb.transact_write_items(TransactItems=steps)
            except ClientError as error:
                if code_of(error) != "TransactionCanceledException":
                    raise
                raise Conflict(f"rollup {rollup.name}: {error}") from error

    def remove(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            with told_apart("removing from the trace index"):
                self._dynamodb.delete_item(TableName=self._table, Key=_key(segment))

    def _done(self, tenant: str, job: str) -> dict[str, Any]:
        """What `Ledger.take` wrote goes."""
        return {"Delete": {"TableName": self._table, "Key": {"pk": {"S": f"{tenant}#jobs"}, "sk": {"S": job}}}}


def _partition(tenant: str) -> str:
    return f"{tenant}#traces"


def _key(segment: Segment) -> Item:
    return {"pk": {"S": _partition(segment.tenant)}, "sk": {"S": f"{segment.start_ns:020d}#{segment.name}"}}


def segment_item(segment: Segment) -> Item:
    """A segment -> its item."""
    item: Item = {
        **_key(segment),
        "hours": {"N": str(segment.hours)},
        "shard_bits": {"N": str(segment.shard_bits)},
        "traces": {"N": str(segment.traces)},
        "size": {"N": str(segment.size_bytes)},
        "min_trace": {"B": segment.min_trace_id},
        "max_trace": {"B": segment.max_trace_id},
    }
    if segment.block_ids:
        item["blocks"] = {"SS": list(segment.block_ids)}
    return item


def _segment_of(tenant: str, item: Item) -> Segment:
    """An item -> its segment; Corrupt names the item that does not read back."""
    try:
        start_ns, _, name = item["sk"]["S"].partition("#")
        return Segment(
            tenant=tenant,
            name=name,
            start_ns=int(start_ns),
            hours=int(item["hours"]["N"]),
            shard_bits=int(item["shard_bits"]["N"]),
            traces=int(item["traces"]["N"]),
            size_bytes=int(item["size"]["N"]),
            min_trace_id=bytes(item["min_trace"]["B"]),
            max_trace_id=bytes(item["max_trace"]["B"]),
            block_ids=tuple(sorted(item["blocks"]["SS"])) if "blocks" in item else (),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise Corrupt(f"an entry of the trace index does not read back: {error!r}", str(item.get("sk"))) from error
