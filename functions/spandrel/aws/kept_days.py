"""The days of arrival from which tenants have blocks, each with the time at which the keeper looks at it next.

    pk       sk                                          what
    #kept    {unix s, 20 digits}#{tenant}#{YYYY-MM-DD}   blocks of that day of arrival, not before that time

The next time is always a midnight, so however often a day is noted it is one item.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from botocore.client import BaseClient

from spandrel.model.retention import DAY_NS, KeptDay, day_of, day_start_ns

from .faults import told_apart
from .items import Item, items

KEPT = "#kept"


class KeptDays:
    """The notes."""

    def __init__(self, dynamodb: BaseClient, table: str, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._clock_ns = clock_ns

    def note(self, tenant: str, received_ns: int) -> None:
        """There are blocks of that day; they are looked at when the day after is over."""
        self._put(tenant, day_of(received_ns), day_start_ns(day_of(received_ns)) + 2 * DAY_NS)

    def now(self, most: int) -> Sequence[KeptDay]:
        """So many days, at most, that are to be looked at now."""
        found = items(
            self._dynamodb,
            "reading which days are kept",
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk <= :now",
            ExpressionAttributeValues={":pk": {"S": KEPT}, ":now": {"S": f"{self._clock_ns() // 10**9:020d}~"}},
            Limit=most,
        )
        return [day for day, _ in zip(map(_kept_day, found), range(most), strict=False)]

    def later(self, day: KeptDay) -> None:
        """Not before the next midnight."""
        self._put(day.tenant, day.day, day_start_ns(day_of(self._clock_ns())) + DAY_NS)
        self.forget(day)

    def forget(self, day: KeptDay) -> None:
        """Nothing is left of it."""
        with told_apart("forgetting a day"):
            self._dynamodb.delete_item(TableName=self._table, Key={"pk": {"S": KEPT}, "sk": {"S": day.mark}})

    def _put(self, tenant: str, day: str, at_ns: int) -> None:
        item = {"pk": {"S": KEPT}, "sk": {"S": f"{at_ns // 10**9:020d}#{tenant}#{day}"}}
        with told_apart("noting a day"):
            self._dynamodb.put_item(TableName=self._table, Item=item)


def _kept_day(item: Item) -> KeptDay:
    mark = item["sk"]["S"]
    _, tenant, day = mark.split("#")
    return KeptDay(tenant, day_start_ns(day), mark)
