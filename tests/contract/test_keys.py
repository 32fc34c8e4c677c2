"""API keys in DynamoDB, and what is remembered of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from spandrel.aws.clients import client
from spandrel.aws.keys import REMEMBERED_MAX, REMEMBERED_S, KeyTable, RememberedKeys
from spandrel.model.errors import Conflict, Corrupt, NotFound, Overloaded
from spandrel.model.keys import ApiKey, digest_of, looks_like_key, new_key, new_pair, secret_of

TABLE = "keys"
KEY = new_key()
KEPT = ApiKey(digest_of(KEY), "shop", ("ingest", "query"), "collector", "2026-11-05T10:15:30+00:00")


@pytest.fixture
def dynamodb(aws: None) -> BaseClient:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return dynamodb


@pytest.fixture
def keys(dynamodb: BaseClient) -> KeyTable:
    return KeyTable(dynamodb, TABLE)


def test_a_key_is_found_by_its_hash_as_it_was_added(keys: KeyTable) -> None:
    keys.add(KEPT)
    assert keys.find(KEPT.digest) == KEPT
    assert keys.find(digest_of("another")) is None


def test_the_key_itself_is_nowhere_in_the_table(keys: KeyTable, dynamodb: BaseClient) -> None:
    keys.add(KEPT)
    kept = json.dumps(dynamodb.scan(TableName=TABLE)["Items"])
    assert KEY not in kept
    assert KEY.removeprefix("sp_") not in kept


def test_of_a_key_pair_neither_id_nor_secret_is_in_the_table(keys: KeyTable, dynamodb: BaseClient) -> None:
    pair_id, seed = new_pair()
    pair = replace(KEPT, digest=digest_of(pair_id), seed=seed)
    keys.add(pair)
    assert keys.find(digest_of(pair_id)) == pair
    kept = json.dumps(dynamodb.scan(TableName=TABLE)["Items"])
    assert pair_id not in kept
    assert secret_of(pair_id, seed) not in kept


def test_a_seed_that_does_not_read_back_is_reported(keys: KeyTable) -> None:
    keys.add(replace(KEPT, seed="not hex"))
    with pytest.raises(Corrupt, match="hex"):
        keys.find(KEPT.digest)


def test_keys_are_random_long_and_told_from_other_text() -> None:
    assert len({new_key() for _ in range(100)}) == 100
    assert len(bytes.fromhex(KEY.removeprefix("sp_"))) == 32
    assert looks_like_key(KEY)
    for other in ("", "sp_", KEY[:-1], KEY + "0", KEY.upper(), KEY + "\n", "x" + KEY):
        assert not looks_like_key(other)


def test_two_keys_never_share_a_hash(keys: KeyTable) -> None:
    keys.add(KEPT)
    with pytest.raises(Conflict):
        keys.add(replace(KEPT, tenant="other"))
    assert keys.find(KEPT.digest) == KEPT


def test_a_revoked_key_stays_listed_with_the_time_of_its_first_revocation(keys: KeyTable) -> None:
    keys.add(KEPT)
    keys.revoke(KEPT.digest, "2026-11-06")
    keys.revoke(KEPT.digest, "2026-11-07")
    assert keys.find(KEPT.digest) == replace(KEPT, revoked="2026-11-06")
    assert [key.revoked for key in keys.all()] == ["2026-11-06"]


def test_a_key_that_is_not_there_cannot_be_revoked(keys: KeyTable) -> None:
    with pytest.raises(NotFound):
        keys.revoke(KEPT.digest, "2026-11-06")
    assert keys.all() == []


def test_all_keys_are_listed_oldest_first_whatever_the_page(keys: KeyTable, dynamodb: BaseClient) -> None:
    for day in ("03", "01", "02"):
        keys.add(replace(KEPT, digest=digest_of(day), created=f"2026-11-{day}"))
    assert [key.created for key in keys.all()] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    items = dynamodb.scan(TableName=TABLE)["Items"]
    with Stubber(dynamodb) as stub:
        stub.add_response("scan", {"Items": items[:1], "LastEvaluatedKey": {"pk": items[0]["pk"]}})
        stub.add_response("scan", {"Items": items[1:]})
        assert len(keys.all()) == 3


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ProvisionedThroughputExceededException", 400),
        ("InternalServerError", 500),
        ("AccessDeniedException", 400),
        ("ResourceNotFoundException", 400),
    ],
)
def test_a_look_up_that_fails_is_never_an_unknown_key(
    keys: KeyTable, dynamodb: BaseClient, code: str, status: int
) -> None:
    with Stubber(dynamodb) as stub, pytest.raises(Overloaded, match=code):
        stub.add_client_error("get_item", code, http_status_code=status)
        keys.find(KEPT.digest)


def test_a_key_that_does_not_read_back_is_reported(keys: KeyTable, dynamodb: BaseClient) -> None:
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": KEPT.digest}, "tenant": {"S": "shop"}})
    with pytest.raises(Corrupt, match="scopes"):
        keys.find(KEPT.digest)


def test_a_scope_that_this_version_does_not_know_opens_nothing(keys: KeyTable, dynamodb: BaseClient) -> None:
    keys.add(KEPT)
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": KEPT.digest}},
        UpdateExpression="SET scopes = :scopes",
        ExpressionAttributeValues={":scopes": {"SS": ["ingest", "everything"]}},
    )
    found = keys.find(KEPT.digest)
    assert found is not None
    assert found.scopes == ("ingest",)


class Counting:
    """A KeyStore in memory that counts how often it is asked."""

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = {key.digest: key for key in keys}
        self.asked = 0

    def find(self, digest: str) -> ApiKey | None:
        self.asked += 1
        if digest not in self.keys:
            return None
        return self.keys[digest]


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_known_key_is_remembered_for_a_while_and_not_longer() -> None:
    clock, asked = Clock(), Counting(KEPT)
    remembered = RememberedKeys(asked, clock)
    assert [remembered.find(KEPT.digest) for _ in range(3)] == [KEPT] * 3
    assert asked.asked == 1
    clock.now_s += REMEMBERED_S - 0.1
    remembered.find(KEPT.digest)
    assert asked.asked == 1
    clock.now_s += 0.1
    remembered.find(KEPT.digest)
    assert asked.asked == 2


def test_a_revocation_counts_as_soon_as_the_key_is_forgotten() -> None:
    clock, asked = Clock(), Counting(KEPT)
    remembered = RememberedKeys(asked, clock)
    remembered.find(KEPT.digest)
    asked.keys[KEPT.digest] = replace(KEPT, revoked="2026-11-06")
    clock.now_s += REMEMBERED_S
    found = remembered.find(KEPT.digest)
    assert found is not None
    assert found.revoked


def test_a_new_key_counts_at_once_because_nothing_unknown_is_remembered() -> None:
    asked = Counting()
    remembered = RememberedKeys(asked, Clock())
    assert remembered.find(KEPT.digest) is None
    asked.keys[KEPT.digest] = KEPT
    assert remembered.find(KEPT.digest) == KEPT


def test_what_is_remembered_is_bounded() -> None:
    asked = Counting(*(replace(KEPT, digest=str(n)) for n in range(REMEMBERED_MAX + 1)))
    remembered = RememberedKeys(asked, Clock())
    for n in range(REMEMBERED_MAX + 1):
        remembered.find(str(n))
    remembered.find(str(REMEMBERED_MAX))
    assert asked.asked == REMEMBERED_MAX + 1
    remembered.find("0")
    assert asked.asked == REMEMBERED_MAX + 2


def test_a_look_up_that_fails_after_a_key_was_forgotten_does_not_bring_it_back(
    keys: KeyTable, dynamodb: BaseClient
) -> None:
    keys.add(KEPT)
    clock = Clock()
    remembered = RememberedKeys(keys, clock)
    remembered.find(KEPT.digest)
    clock.now_s += REMEMBERED_S

    def no_answer(**_call: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    dynamodb.meta.events.register("before-call.dynamodb.GetItem", no_answer)
    for _ in range(2):
        with pytest.raises(Overloaded):
            remembered.find(KEPT.digest)
