"""How far a rebuilding of the catalogue is, in the table that is rebuilt, so that it can be gone on with.

pk          sk                    what
#rebuilt    {tenant}#{day}        all blocks of that day are in the catalogue again
"""

from __future__ import annotations

from botocore.client import BaseClient

from .faults import told_apart
from .items import Item, items

REBUILT = "#rebuilt"


class Rebuilt:
    """The days that are done."""

    def __init__(self, dynamodb: BaseClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def has(self, tenant: str, day: str) -> bool:
        with told_apart("reading how far the rebuilding is"):
            return "Item" in self._dynamodb.get_item(TableName=self._table, Key=_key(f"{tenant}#{day}"))

    def note(self, tenant: str, day: str) -> None:
        with told_apart("noting how far the rebuilding is"):
            self._dynamodb.put_item(TableName=self._table, Item=_key(f"{tenant}#{day}"))

    def forget(self) -> None:
        """All of it is done."""
        found = items(
            self._dynamodb,
            "reading how far the rebuilding is",
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": REBUILT}},
        )
        for item in list(found):
            with told_apart("forgetting how far the rebuilding was"):
                self._dynamodb.delete_item(TableName=self._table, Key=_key(item["sk"]["S"]))


def _key(sk: str) -> Item:
    return {"pk": {"S": REBUILT}, "sk": {"S": sk}}
