"""What each catalogue has to do; on DynamoDB as moto plays it, and on the in-memory one that unit tests use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from spandrel.aws.catalogue import SPREAD_NS, DynamoCatalogue, block_of, item_of
from spandrel.aws.clients import client
from spandrel.model.errors import Corrupt, Overloaded
from spandrel.model.retention import DAY_NS, Retention
from tests.builders import RECEIVED_NS as NOW_NS
from tests.builders import block
from tests.tables import make_catalogue_table

HOUR_NS = 3600 * 10**9
TABLE = "catalogue"


@pytest.fixture
def catalogue(aws: None) -> Iterator[DynamoCatalogue]:
    dynamodb = client("dynamodb")
    make_catalogue_table(dynamodb, TABLE)
    yield DynamoCatalogue(dynamodb, TABLE, Retention(30), clock_ns=lambda: NOW_NS)


def names(catalogue: DynamoCatalogue, start_ns: int, end_ns: int, tenant: str = "shop") -> list[str]:
    return [found.block_id for found in catalogue.blocks(tenant, start_ns, end_ns)]


def test_a_block_comes_back_as_it_was_added(catalogue: DynamoCatalogue) -> None:
    added = block("a", NOW_NS - 10, NOW_NS)
    catalogue.add(added)
    assert list(catalogue.blocks("shop", NOW_NS - 10, NOW_NS + 1)) == [added]


def test_a_block_with_too_many_operations_says_none(catalogue: DynamoCatalogue) -> None:
    catalogue.add(block("a", NOW_NS, NOW_NS, operations=None))
    assert catalogue.blocks("shop", NOW_NS, NOW_NS + 1)[0].operations is None


def test_adding_a_block_again_changes_nothing(catalogue: DynamoCatalogue) -> None:
    for _ in range(3):
        catalogue.add(block("a", NOW_NS, NOW_NS))
    assert names(catalogue, NOW_NS, NOW_NS + 1) == ["a"]


def test_a_range_is_half_open_and_finds_every_block_that_overlaps_it(catalogue: DynamoCatalogue) -> None:
    catalogue.add(block("early", NOW_NS - 3 * HOUR_NS, NOW_NS - 2 * HOUR_NS))
    catalogue.add(block("wide", NOW_NS - 2 * HOUR_NS + 1, NOW_NS - 2 * HOUR_NS + SPREAD_NS, received_ns=NOW_NS + 1))
    catalogue.add(block("late", NOW_NS - HOUR_NS, NOW_NS))
    assert names(catalogue, NOW_NS - 2 * HOUR_NS, NOW_NS - 2 * HOUR_NS + 2) == ["wide", "early"]
    assert names(catalogue, NOW_NS - 4 * HOUR_NS, NOW_NS - 3 * HOUR_NS) == []
    assert names(catalogue, NOW_NS, NOW_NS + 1) == ["wide", "late"]
    assert names(catalogue, NOW_NS - 5 * HOUR_NS, NOW_NS + HOUR_NS) == ["wide", "late", "early"]
    assert names(catalogue, NOW_NS, NOW_NS) == []


def test_a_range_over_midnight_and_one_of_all_time_find_everything_there_is(catalogue: DynamoCatalogue) -> None:
    midnight_ns = NOW_NS // (24 * HOUR_NS) * 24 * HOUR_NS
    catalogue.add(block("before", midnight_ns - 10, midnight_ns - 1))
    catalogue.add(block("over", midnight_ns - 10, midnight_ns + 10))
    catalogue.add(block("after", midnight_ns, midnight_ns + 20))
    assert names(catalogue, midnight_ns - 5, midnight_ns + 5) == ["after", "over", "before"]
    assert names(catalogue, 0, 2**64) == ["after", "over", "before"]


def test_far_blocks_are_found_by_the_times_of_their_spans(catalogue: DynamoCatalogue) -> None:
    catalogue.add(block("replay", 1, 1_500_000_000 * 10**9, far=True))
    catalogue.add(block("future", 2**64 - 2, 2**64 - 1, far=True))
    assert names(catalogue, 1_400_000_000 * 10**9, 1_400_000_001 * 10**9) == ["replay"]
    assert names(catalogue, 2**64 - 1, 2**64) == ["future"]
    assert names(catalogue, 1_600_000_000 * 10**9, NOW_NS) == []


def test_two_tenants_never_see_each_other(catalogue: DynamoCatalogue) -> None:
    catalogue.add(block("ours", NOW_NS, NOW_NS))
    catalogue.add(block("theirs", NOW_NS, NOW_NS, tenant="shop-2"))
    assert names(catalogue, 0, 2**64, "shop") == ["ours"]
    assert names(catalogue, 0, 2**64, "shop-2") == ["theirs"]
    assert names(catalogue, 0, 2**64, "sho") == []


def test_what_arrived_before_retention_is_not_shown(catalogue: DynamoCatalogue) -> None:
    month_ns = 30 * 24 * HOUR_NS
    catalogue.add(block("kept", NOW_NS - month_ns, NOW_NS - month_ns, received_ns=NOW_NS - month_ns))
    catalogue.add(block("gone", NOW_NS - month_ns - 1, NOW_NS - month_ns - 1, received_ns=NOW_NS - month_ns - 1))
    assert names(catalogue, 0, 2**64) == ["kept"]


def test_an_entry_never_expires_by_itself_so_that_a_longer_retention_counts_for_it(aws: None) -> None:
    dynamodb = client("dynamodb")
    make_catalogue_table(dynamodb, TABLE)
    DynamoCatalogue(dynamodb, TABLE, Retention(1), lambda: NOW_NS).add(block("a", NOW_NS, NOW_NS))
    assert all("expires" not in item for item in dynamodb.scan(TableName=TABLE)["Items"])
    later_ns = NOW_NS + 20 * DAY_NS
    assert names(DynamoCatalogue(dynamodb, TABLE, Retention(1), lambda: later_ns), NOW_NS, NOW_NS + 1) == []
    assert names(DynamoCatalogue(dynamodb, TABLE, Retention(30), lambda: later_ns), NOW_NS, NOW_NS + 1) == ["a"]


def test_each_tenant_has_its_own_retention_to_the_nanosecond(aws: None) -> None:
    dynamodb, now_ns = client("dynamodb"), [NOW_NS]
    make_catalogue_table(dynamodb, TABLE)
    catalogue = DynamoCatalogue(dynamodb, TABLE, Retention(30, {"bank": 7}), lambda: now_ns[0])
    for tenant in ("bank", "shop"):
        for far in (False, True):
            catalogue.add(block(f"{tenant}{far}", NOW_NS, NOW_NS, tenant=tenant, far=far))
    for tenant, days in {"bank": 7, "shop": 30}.items():
        now_ns[0] = NOW_NS + days * DAY_NS
        assert len(names(catalogue, NOW_NS, NOW_NS + 1, tenant)) == 2
        now_ns[0] += 1
        assert names(catalogue, NOW_NS, NOW_NS + 1, tenant) == []
        assert len(catalogue.arrived(tenant, 0, 2**64, expired=True)) == 2


class PagedDynamo:
    """Answers one item a page, as DynamoDB may."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self._items = items

    def query(self, **question: Any) -> dict[str, Any]:
        items = [item for item in self._items if item["pk"] == question["ExpressionAttributeValues"][":pk"]]
        at = int(question.get("ExclusiveStartKey", {}).get("at", {}).get("N", 0))
        more = {"LastEvaluatedKey": {"at": {"N": str(at + 1)}}} if at + 1 < len(items) else {}
        return {"Items": items[at : at + 1], **more}


def test_every_page_is_read_until_the_last() -> None:
    paged = PagedDynamo(*(item_of(block(name, NOW_NS, NOW_NS)) for name in "abc"))
    assert names(DynamoCatalogue(paged, TABLE, Retention(30), lambda: NOW_NS), NOW_NS, NOW_NS + 1) == ["c", "b", "a"]


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalServerError"])
def test_a_table_that_cannot_answer_now_is_overloaded_not_empty(aws: None, code: str) -> None:
    dynamodb = client("dynamodb")
    with Stubber(dynamodb) as stubber:
        stubber.add_client_error("put_item", code, http_status_code=500)
        with pytest.raises(Overloaded):
            DynamoCatalogue(dynamodb, TABLE, Retention(30)).add(block("a", NOW_NS, NOW_NS))


def test_an_entry_that_does_not_read_back_is_named(catalogue: DynamoCatalogue) -> None:
    item = item_of(block("a", NOW_NS, NOW_NS))
    del item["crc32"]
    with pytest.raises(Corrupt, match="crc32") as raised:
        block_of(item)
    assert "a" in raised.value.where
