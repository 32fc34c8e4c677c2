from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.aws import ROOTS
from benchmarks.counting import Bill, sqs_units, units, write_units


def called(bill: Bill, service: str, operation: str, **params: Any) -> None:
    model = SimpleNamespace(service_model=SimpleNamespace(service_name=service), name=operation)
    bill._called(params, model)


def test_a_put_of_three_kilobytes_is_three_write_units_and_a_transaction_doubles_them() -> None:
    item = {"pk": {"S": "x" * 3000}}
    assert write_units(item) == 3
    bill = Bill()
    called(bill, "dynamodb", "PutItem", Item=item)
    called(bill, "dynamodb", "TransactWriteItems", TransactItems=[{"Put": {"Item": item}}, {"Delete": {"Key": {}}}])
    assert bill.units["DYNAMODB_WRITE"] == 3 + 2 * 3 + 2


def test_a_message_of_65_kilobytes_is_two_units_with_its_attributes() -> None:
    assert sqs_units({"MessageBody": "x" * 65_536}) == 1
    told = {"tenant": {"DataType": "String", "StringValue": "shop"}}
    assert sqs_units({"MessageBody": "x" * 65_536, "MessageAttributes": told}) == 2


def test_what_is_begun_is_billed_and_nothing_is_free() -> None:
    assert [units(size, 10) for size in (0, 1, 10, 11)] == [1, 1, 1, 2]


def test_a_call_whose_price_nobody_has_said_is_an_error() -> None:
    with pytest.raises(LookupError, match="s3:ListObjectsV2"):
        called(Bill(), "s3", "ListObjectsV2")


@pytest.mark.parametrize(("function", "roots"), ROOTS.items(), ids=list(ROOTS))
def test_a_benchmark_can_forget_what_a_function_remembers(function: str, roots: tuple[str, ...]) -> None:
    handler = import_module(f"{function}.handler")
    assert all(callable(getattr(handler, root).cache_clear) for root in roots)
