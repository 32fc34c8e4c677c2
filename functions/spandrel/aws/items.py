"""Items of DynamoDB as its API writes them, and all pages of a question for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.client import BaseClient

from .faults import told_apart

Item = dict[str, dict[str, Any]]


def items(dynamodb: BaseClient, what: str, **question: Any) -> Iterator[Item]:
    """The items of all pages of a Query; Overloaded("<what>: …") when the same question can be answered later."""
    while True:
        with told_apart(what):
            page = dynamodb.query(**question)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        question["ExclusiveStartKey"] = page["LastEvaluatedKey"]
