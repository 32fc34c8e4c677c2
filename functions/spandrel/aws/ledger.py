"""Compaction's side of the catalogue table.

    pk                      sk                                what
    #due                    {tenant}#{hour}                   blocks of that hour of arrival may have to be merged
    {tenant}#jobs           {job}                             who merges which blocks, until when
    #doomed                 {unix ns, 20 digits}#{job}        objects that a swap replaced, and from when they may go

`#due` and `#doomed` are the two lists that are not one tenant's, because the planner has to find the tenants. No
tenant's name begins with `#`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from spandrel.model.catalogue import Block, Doomed, Due
from spandrel.model.deletions import Deletions
from spandrel.model.errors import Conflict
from spandrel.model.levels import SET_ASIDE
from spandrel.model.lifecycle import EXPIRES

from .catalogue import DUE, DynamoCatalogue, block_of, item_of
from .deletions import known_deletions, no_later_than
from .faults import code_of, told_apart
from .items import Item
from .kept_days import KeptDays

DOOMED = "#doomed"
GRACE_S = 900  # Lambda's longest run: a query that began before a swap may still read what was swapped out
DOOMED_PAGE = 100  # records of doomed objects that one planner takes


class DynamoLedger:
    """`spandrel.model.catalogue.Ledger` over the catalogue's table."""

    def __init__(
        self,
        dynamodb: BaseClient,
        table: str,
        catalogue: DynamoCatalogue,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._catalogue = catalogue
        self._kept = KeptDays(dynamodb, table, clock_ns)
        self._clock_ns = clock_ns

    def due(self) -> Sequence[Due]:
        found = []
        for item in self._items("pk = :pk", {":pk": {"S": DUE}}):
            tenant, _, hour_ns = item["sk"]["S"].rpartition("#")
            found.append(Due(tenant, int(hour_ns), int(item["touched"]["N"])))
        return found

    def done_with(self, due: Due) -> None:
        self._kept.note(due.tenant, due.hour_ns)
        key = {"pk": {"S": DUE}, "sk": {"S": f"{due.tenant}#{due.hour_ns:020d}"}}
        with told_apart("closing an hour"):
            try:
                self._dynamodb.delete_item(
                    TableName=self._table,
                    Key=key,
                    ConditionExpression="touched = :touched",
                    ExpressionAttributeValues={":touched": {"N": str(due.touched_ns)}},
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise

    def arrived(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        return self._catalogue.arrived(tenant, start_ns, end_ns)

    def expired(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        return self._catalogue.arrived(tenant, start_ns, end_ns, expired=True)

    def taken(self, tenant: str) -> frozenset[str]:
        now_s = self._clock_ns() // 10**9
        items = self._items("pk = :pk", {":pk": {"S": f"{tenant}#jobs"}})
        return frozenset(block for item in items if int(item["until"]["N"]) > now_s for block in item["blocks"]["SS"])

    def take(self, tenant: str, name: str, block_ids: Sequence[str], seconds: int) -> bool:
        now_s = self._clock_ns() // 10**9
        until = {"N": str(now_s + seconds)}
        # DynamoDB clears away what a dead worker left
        item = {**_job_key(tenant, name), "until": until, EXPIRES: until, "blocks": {"SS": list(block_ids)}}
        with told_apart("taking a merge"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk) OR #until <= :now",
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues={":now": {"N": str(now_s)}},
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def live(self, blocks: Sequence[Block]) -> bool:
        return len(self._entries(blocks)) == len(blocks)

    def deletions(self, tenant: str) -> Deletions:
        return known_deletions(self._dynamodb, self._table, tenant)

    def held_to(self, block: Block, deletions: int) -> None:
        self._mark(block, "deletions", deletions)

    def set_aside(self, block: Block) -> None:
        self._mark(block, "level", SET_ASIDE)

    def swap(self, name: str, inputs: Sequence[Block], outputs: Sequence[Block]) -> None:
        tenant = inputs[0].tenant
        steps: list[dict[str, Any]] = [{"Delete": self._only_if("attribute_exists(pk)", Key=_key(b))} for b in inputs]
        steps += [{"Put": self._only_if("attribute_not_exists(pk)", Item=item_of(b))} for b in outputs]
        steps += [no_later_than(self._table, tenant, block.deletions) for block in outputs[:1]]
        steps.append({"Put": {"TableName": self._table, "Item": self._doomed_item(name, inputs)}})
        steps.append({"Delete": {"TableName": self._table, "Key": _job_key(tenant, name)}})
        with told_apart("swapping blocks"):
            try:
                self._dynamodb.transact_write_items(TransactItems=steps)
            except ClientError as error:
                if code_of(error) != "TransactionCanceledException":
                    raise
                raise Conflict(f"merge {name}: {error}") from error

    def doomed(self) -> Sequence[Doomed]:
        now = {":pk": {"S": DOOMED}, ":now": {"S": f"{self._clock_ns():020d}"}}
        items = self._items("pk = :pk AND sk <= :now", now, DOOMED_PAGE)
        return [Doomed(item["sk"]["S"], tuple(block_of(one["M"]) for one in item["blocks"]["L"])) for item in items]

    def deletable(self, doomed: Doomed) -> Sequence[str]:
        named_again = {item["key"]["S"] for item in self._entries(doomed.blocks)}
        return [key for block in doomed.blocks if block.key not in named_again for key in block.keys]

    def buried(self, doomed: Doomed) -> None:
        with told_apart("forgetting deleted objects"):
            self._dynamodb.delete_item(TableName=self._table, Key={"pk": {"S": DOOMED}, "sk": {"S": doomed.mark}})

    def _mark(self, block: Block, attribute: str, number: int) -> None:
        """Sets a number of a block's entry; nothing where the block is gone."""
        with told_apart("marking a block"):
            try:
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key=_key(block),
                    UpdateExpression="SET #attribute = :number",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeNames={"#attribute": attribute},
                    ExpressionAttributeValues={":number": {"N": str(number)}},
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise

    def _doomed_item(self, name: str, inputs: Sequence[Block]) -> Item:
        from_ns = self._clock_ns() + GRACE_S * 10**9
        blocks = [{"M": item_of(replace(block, operations=None, quantiles=()))} for block in inputs]
        return {"pk": {"S": DOOMED}, "sk": {"S": f"{from_ns:020d}#{name}"}, "blocks": {"L": blocks}}

    def _entries(self, blocks: Sequence[Block]) -> list[Item]:
        """The items of those blocks that have one now."""
        wanted: dict[str, Any] = {self._table: {"Keys": [_key(block) for block in blocks], "ConsistentRead": True}}
        found: list[Item] = []
        while wanted:
            with told_apart("reading entries"):
                page = self._dynamodb.batch_get_item(RequestItems=wanted)
            found += page["Responses"].get(self._table, [])
            wanted = page.get("UnprocessedKeys", {})
        return found

    def _only_if(self, condition: str, **what: Any) -> dict[str, Any]:
        return {"TableName": self._table, "ConditionExpression": condition, **what}

    def _items(self, condition: str, values: dict[str, Any], most: int | None = None) -> Iterator[Item]:
        question: dict[str, Any] = {"TableName": self._table, "ConsistentRead": True}
        question |= {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
        if most is not None:
            question["Limit"] = most
        while True:
            with told_apart("reading what is due"):
                page = self._dynamodb.query(**question)
            yield from page["Items"]
            if most is not None or "LastEvaluatedKey" not in page:
                return
            question["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _key(block: Block) -> Item:
    item = item_of(block)
    return {"pk": item["pk"], "sk": item["sk"]}


def _job_key(tenant: str, name: str) -> Item:
    return {"pk": {"S": f"{tenant}#jobs"}, "sk": {"S": name}}
