"""Deletions in the catalogue's table and, so that the table can be made again, in the bucket.

    pk                      sk                    what
    {tenant}#deletions      #number               how many deletions the tenant has had
    {tenant}#deletions      {name}                a deletion that may still be about some block
    #deletions              {tenant}              the tenant has some; when to look again whether they are done with

The number goes up with each deletion, in one transaction with it, and each swap of blocks is on condition that it has
not: so what a merge did not know of never gets lost in its output (`spandrel.aws.ledger`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from spandrel.model.catalogue import ObjectStore
from spandrel.model.deletions import Deletion, Deletions, object_key
from spandrel.model.errors import Conflict, Corrupt

from .faults import code_of, told_apart
from .items import Item, items

NUMBER = "#number"
DELETING = "#deletions"
_ATTEMPTS = 8  # against others who delete at the same moment


def deletions_of(dynamodb: BaseClient, table: str, tenant: str) -> list[Deletion]:
    """All deletions of a tenant that are not done with, as they are at this moment, oldest first."""
    of_tenant = {":pk": {"S": _partition(tenant)}, ":number": {"S": "0"}}
    found = items(
        dynamodb,
        "reading deletions",
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk AND sk >= :number",  # the names, which are hex digits
        ExpressionAttributeValues=of_tenant,
    )
    return sorted((_deletion_of(item, tenant) for item in found), key=lambda deletion: deletion.number)


def known_deletions(dynamodb: BaseClient, table: str, tenant: str) -> Deletions:
    """The number is read first: so a deletion may be known that is not counted yet, but none is counted and unknown."""
    number = number_of(dynamodb, table, tenant)
    return Deletions(number, tuple(deletions_of(dynamodb, table, tenant)))


def number_of(dynamodb: BaseClient, table: str, tenant: str) -> int:
    """How many deletions the tenant has had."""
    with told_apart("reading deletions"):
        found = dynamodb.get_item(TableName=table, Key=number_key(tenant), ConsistentRead=True)
    return int(found["Item"]["number"]["N"]) if "Item" in found else 0


def number_key(tenant: str) -> Item:
    return {"pk": {"S": _partition(tenant)}, "sk": {"S": NUMBER}}


def no_later_than(table: str, tenant: str, number: int) -> dict[str, Any]:
    """The step of a transaction that fails when the tenant has had a deletion after that number."""
    check = {"TableName": table, "Key": number_key(tenant)}
    if number == 0:
        return {"ConditionCheck": {**check, "ConditionExpression": "attribute_not_exists(pk)"}}
    known = {":number": {"N": str(number)}}
    names = {"#number": "number"}
    condition = {"ConditionExpression": "#number = :number", "ExpressionAttributeNames": names}
    return {"ConditionCheck": {**check, **condition, "ExpressionAttributeValues": known}}


class DeletionBook:
    """Where deletions are written down. The object comes before the items: should we die in between, nothing is deleted
    yet, and to delete again is the same deletion.
    """

    def __init__(
        self, dynamodb: BaseClient, table: str, objects: ObjectStore, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._objects = objects
        self._clock_ns = clock_ns

    def deletions(self, tenant: str) -> Deletions:
        return known_deletions(self._dynamodb, self._table, tenant)

    def delete(self, wanted: Deletion) -> Deletion:
        """Hides what `wanted` is about from now on; its number is the next one. Conflict when too many do this now."""
        for _ in range(_ATTEMPTS):
            last = number_of(self._dynamodb, self._table, wanted.tenant)
            deletion = replace(wanted, number=last + 1)
            self._objects.put(object_key(deletion), json.dumps(deletion.record()).encode())
            if self._written(deletion, [{"Put": self._put(_number_item(deletion.tenant, last + 1), last)}]):
                return deletion
        raise Conflict("others delete at the same moment; try again")

    def restore(self, tenant: str, deletions: Sequence[Deletion]) -> None:
        """Deletions that stand in the bucket, into a table that lacks them. Conflict when somebody deletes meanwhile.

        Numbers go on from the unix time in seconds: above every number that a block carries, unless somebody deletes
        more often than once a second.
        """
        known = self.deletions(tenant)
        names = {deletion.name for deletion in known.pending}
        newest = {one.name: one for one in sorted(deletions, key=lambda one: one.number) if one.name not in names}
        number = self._clock_ns() // 10**9
        if number > known.number:
            self._swap_number(tenant, known.number, number)
        for deletion in newest.values():
            self._written(deletion, [])

    def _swap_number(self, tenant: str, last: int, number: int) -> None:
        with told_apart("restoring deletions"):
            try:
                self._dynamodb.put_item(**self._put(_number_item(tenant, number), last))
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                raise Conflict("somebody deletes meanwhile; try again") from error

    def tenants(self) -> Sequence[str]:
        """The tenants whose deletions are to be looked at now."""
        now = {"N": str(self._clock_ns() // 10**9)}
        found = items(
            self._dynamodb,
            "reading who deletes",
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            FilterExpression="#again <= :now",
            ExpressionAttributeNames={"#again": "again"},
            ExpressionAttributeValues={":pk": {"S": DELETING}, ":now": now},
        )
        return [item["sk"]["S"] for item in found]

    def look_again(self, tenant: str, known: Deletions, seconds: int) -> None:
        """Not before so long, unless the tenant deletes something meanwhile; never where nothing is pending."""
        key = {"pk": {"S": DELETING}, "sk": {"S": tenant}}
        last = {":number": {"N": str(known.number)}}
        if not known.pending:
            self._if_nothing_came(self._dynamodb.delete_item, Key=key, ExpressionAttributeValues=last)
            return
        at_s = self._clock_ns() // 10**9 + seconds
        again = {**key, "number": {"N": str(known.number)}, "again": {"N": str(at_s)}}
        self._if_nothing_came(self._dynamodb.put_item, Item=again, ExpressionAttributeValues=last)

    def done_with(self, deletion: Deletion) -> None:
        """No block can hold any of it any more. Where it was asked for again meanwhile, that one stays."""
        key = {"pk": {"S": _partition(deletion.tenant)}, "sk": {"S": deletion.name}}
        number = {":number": {"N": str(deletion.number)}}
        self._if_nothing_came(self._dynamodb.delete_item, Key=key, ExpressionAttributeValues=number)

    def _if_nothing_came(self, call: Callable[..., Any], **given: Any) -> None:
        condition = {"ConditionExpression": "#number = :number", "ExpressionAttributeNames": {"#number": "number"}}
        with told_apart("noting how far deletions are"):
            try:
                call(TableName=self._table, **condition, **given)
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise

    def _written(self, deletion: Deletion, steps: list[dict[str, Any]]) -> bool:
        """Whether the deletion and what belongs to it now stands; not when somebody else was faster."""
        due: Item = {"pk": {"S": DELETING}, "sk": {"S": deletion.tenant}, "again": {"N": "0"}}
        due["number"] = {"N": str(deletion.number)}
        puts = [{"Put": {"TableName": self._table, "Item": item}} for item in (_item_of(deletion), due)]
        with told_apart("deleting"):
            try:
                self._dynamodb.transact_write_items(TransactItems=[*steps, *puts])
            except ClientError as error:
                if code_of(error) != "TransactionCanceledException":
                    raise
                return False
        return True

    def _put(self, item: Item, last: int) -> dict[str, Any]:
        """The tenant's number where it is still `last`."""
        check = no_later_than(self._table, item["pk"]["S"].partition("#")[0], last)["ConditionCheck"]
        return {**{name: given for name, given in check.items() if name != "Key"}, "Item": item}


def _partition(tenant: str) -> str:
    return f"{tenant}#deletions"


def _number_item(tenant: str, number: int) -> Item:
    return number_key(tenant) | {"number": {"N": str(number)}}


def _item_of(deletion: Deletion) -> Item:
    item: Item = {
        "pk": {"S": _partition(deletion.tenant)},
        "sk": {"S": deletion.name},
        "number": {"N": str(deletion.number)},
        "before": {"N": str(deletion.before_ns)},
    }
    if deletion.trace_id:
        item["trace"] = {"B": deletion.trace_id}
    if deletion.attribute:
        item["attribute"] = {"L": [{"S": text} for text in deletion.attribute]}
    return item


def _deletion_of(item: Item, tenant: str) -> Deletion:
    """Corrupt names an item that does not read back: better no answer than one that shows what is deleted."""
    try:
        key, value = (one["S"] for one in item["attribute"]["L"]) if "attribute" in item else (None, None)
        return Deletion(
            tenant,
            int(item["number"]["N"]),
            int(item["before"]["N"]),
            bytes(item["trace"]["B"]) if "trace" in item else None,
            (key, value) if key is not None and value is not None else None,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise Corrupt(f"a deletion does not read back: {error!r}", str(item.get("sk"))) from error
