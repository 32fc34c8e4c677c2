"""API keys in DynamoDB, one item a key under its hash, and what is remembered of them between requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from spandrel.model.errors import Conflict, Corrupt, NotFound
from spandrel.model.keys import ApiKey, KeyStore
from spandrel.model.routes import SCOPES

from .faults import all_pass, code_of, told_apart

REMEMBERED_S = 30
REMEMBERED_MAX = 10_000

Item = dict[str, Any]


class KeyTable:
    """`spandrel.model.keys.KeyStore` over one table, and what `./spandrel key` does with it."""

    def __init__(self, dynamodb: BaseClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def find(self, digest: str) -> ApiKey | None:
        """Read consistently, so that a key counts from the moment at which it was made."""
        with all_pass("looking up an API key"):
            answer = self._dynamodb.get_item(TableName=self._table, Key={"pk": {"S": digest}}, ConsistentRead=True)
        return _key_of(answer["Item"]) if "Item" in answer else None

    def add(self, key: ApiKey) -> None:
        """Conflict when there is a key of that digest."""
        with told_apart("keeping an API key"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table, Item=_item_of(key), ConditionExpression="attribute_not_exists(pk)"
                )
            except ClientError as error:
                if code_of(error) == "ConditionalCheckFailedException":
                    raise Conflict(f"there is a key {key.key_id} already") from error
                raise

    def all(self) -> list[ApiKey]:
        """Every key there ever was, oldest first."""
        keys: list[ApiKey] = []
        question: Item = {"TableName": self._table, "ConsistentRead": True}
        while True:
            with told_apart("listing API keys"):
                page = self._dynamodb.scan(**question)
            keys += map(_key_of, page["Items"])
            if "LastEvaluatedKey" not in page:
                return sorted(keys, key=lambda key: (key.created, key.digest))
            question["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def revoke(self, digest: str, at: str) -> None:
        """From then on the key counts as unknown. Revoking twice keeps the first time; NotFound without such a key."""
        with told_apart("revoking an API key"):
            try:
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": digest}},
                    UpdateExpression="SET revoked = if_not_exists(revoked, :at)",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues={":at": {"S": at}},
                )
            except ClientError as error:
                if code_of(error) == "ConditionalCheckFailedException":
                    raise NotFound("there is no such key") from error
                raise


class RememberedKeys:
    """A KeyStore that asks another one, and for REMEMBERED_S not again: so long may a revoked key go on.

    Only keys in use are remembered: what nobody knows could be endless, and a new key is to count at once.
    """

    def __init__(self, keys: KeyStore, clock_s: Callable[[], float]) -> None:
        self._keys = keys
        self._clock_s = clock_s
        self._remembered: dict[str, tuple[float, ApiKey]] = {}

    def find(self, digest: str) -> ApiKey | None:
        now_s = self._clock_s()
        until_s, key = self._remembered.get(digest, (now_s, None))
        return key if key and now_s < until_s else self._asked(digest, now_s)

    def _asked(self, digest: str, now_s: float) -> ApiKey | None:
        self._remembered.pop(digest, None)
        key = self._keys.find(digest)
        if key and not key.revoked:
            if len(self._remembered) >= REMEMBERED_MAX:
                del self._remembered[next(iter(self._remembered))]  # the one asked for longest ago
            self._remembered[digest] = now_s + REMEMBERED_S, key
        return key


def _item_of(key: ApiKey) -> Item:
    texts = {"pk": key.digest, "tenant": key.tenant, "name": key.name, "created": key.created}
    optional = {name: text for name, text in (("revoked", key.revoked), ("seed", key.seed)) if text}
    return {name: {"S": text} for name, text in (texts | optional).items()} | {"scopes": {"SS": list(key.scopes)}}


def _key_of(item: Item) -> ApiKey:
    """Scopes that this version does not know are left out: they open nothing."""
    try:
        seed = item.get("seed", {}).get("S", "")
        bytes.fromhex(seed)
        return ApiKey(
            digest=item["pk"]["S"],
            tenant=item["tenant"]["S"],
            scopes=tuple(scope for scope in SCOPES if scope in item["scopes"]["SS"]),
            name=item["name"]["S"],
            created=item["created"]["S"],
            revoked=item.get("revoked", {}).get("S", ""),
            seed=seed,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Corrupt(f"an API key does not read back: {error!r}", str(item.get("pk"))) from error
