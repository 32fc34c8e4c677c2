"""Tables of DynamoDB for tests, as the template makes them."""

from __future__ import annotations

from botocore.client import BaseClient


def make_catalogue_table(dynamodb: BaseClient, name: str) -> None:
    """The catalogue's table, empty."""
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
