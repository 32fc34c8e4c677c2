"""The catalogue from the bucket alone: every answer is what it was, and nothing that was merged or deleted is back."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from commands.rebuilding import Rebuilding
from query import handler
from spandrel.aws.clients import client
from spandrel.aws.deletions import DeletionBook
from spandrel.aws.object_store import S3ObjectStore
from spandrel.aws.rebuilding import Rebuilt
from spandrel.blocks import footer, tally
from spandrel.blocks.writer import write_blocks
from spandrel.model.deletions import Deletion
from spandrel.model.errors import Overloaded
from spandrel.model.levels import HOUR_NS, MERGE_FROM
from tests.asking import Asking
from tests.builders import request_of, span
from tests.contract.compacting import Killed, Life, World
from tests.contract.conftest import BUCKET, REGION, TABLE

NOW_NS = time.time_ns()
QUERY = Asking(lambda event: handler.handle(event, None))


class Tidy(S3ObjectStore):
    """The bucket; `kept` are its keys."""

    def __init__(self) -> None:
        super().__init__(client("s3"), BUCKET)

    @property
    def kept(self) -> list[str]:
        return [listed.key for listed in self.listed("")]


class Stored(World):
    """The same world with its objects in S3, and a query function over it."""

    def __post_init__(self) -> None:
        self.now_ns = NOW_NS - 3 * HOUR_NS
        super().__post_init__()
        client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.bucket = Tidy()
        self.objects = self.bucket  # type: ignore[assignment]
        self.book = DeletionBook(client("dynamodb"), TABLE, self.bucket)

    def add(self, name: str, number: int, *, tenant: str = "shop", start_ns: int | None = None) -> None:
        """A block of two services, one of which calls the other in the trace of that number."""
        trace_id = bytes(15) + bytes([number])
        start = start_ns or self.now_ns
        call = span(name, trace_id=trace_id, span_id=b"\1" * 8, kind=Span.SPAN_KIND_CLIENT, start_ns=start)
        serve = span(f"{name} served", trace_id=trace_id, parent=b"\1" * 8, start_ns=start + 1)
        bodies = [request_of(call, service="cart"), request_of(serve, service="stock")]
        for written in write_blocks(tenant, [b.SerializeToString() for b in bodies], self.now_ns, f"{tenant}{name}"):
            self.bucket.put(written.entry.key, written.body)
            self.catalogue.add(written.entry)

    def lose_the_table(self) -> None:
        dynamodb = client("dynamodb")
        for item in dynamodb.scan(TableName=TABLE)["Items"]:
            dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})

    def rebuild(self) -> list[Any]:
        rebuilt = Rebuilt(client("dynamodb"), TABLE)
        return list(Rebuilding(self.bucket, self.catalogue, self.book, rebuilt).run())

    def live(self) -> dict[str, Any]:
        """The live blocks of all tenants, without what only they themselves say."""
        return {block.key: block for tenant in ("bank", "shop") for block in self.blocks(tenant)}


@pytest.fixture
def world(query_function: None) -> Stored:
    return Stored()


def answers() -> dict[str, Any]:
    """What is answered to every kind of question, for two tenants."""
    window = {"query.startTimeMin": text(NOW_NS - 30 * HOUR_NS), "query.startTimeMax": text(NOW_NS + HOUR_NS)}
    questions: list[tuple[str, dict[str, str]]] = [
        ("/api/v3/services", {}),
        ("/api/v3/operations", {"service": "cart"}),
        ("/api/v3/traces", window),
        ("/api/v3/trace-summaries", window),
        ("/api/dependencies", {"endTs": str(NOW_NS // 10**6), "lookback": str(30 * 3_600_000)}),
        *((f"/api/v3/traces/{number:x}", {}) for number in (1, 2, 10, 11, 12)),
    ]
    return {
        f"{tenant} {path}": json.dumps(QUERY.get(path, query, tenant=tenant).json, sort_keys=True)
        for tenant in ("shop", "bank")
        for path, query in questions
    }


def text(at_ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ns // 10**9))


def some_of_everything(world: Stored) -> None:
    """Merged blocks and their inputs, fresh ones, far ones, those of a second tenant, and deleted spans."""
    for number in range(MERGE_FROM):
        world.now_ns += 10**9
        world.add(f"merged{number}", number + 1)
    world.settle()
    world.add("far", 10, start_ns=NOW_NS - 20 * HOUR_NS)
    world.now_ns = NOW_NS - HOUR_NS // 2
    world.add("fresh", 11)
    world.add("other", 12, tenant="bank")
    world.book.delete(Deletion("shop", 0, NOW_NS, trace_id=bytes(15) + b"\2"))
    world.book.delete(Deletion("shop", 0, NOW_NS, attribute=("service.name", "nobody")))


def test_every_answer_is_what_it_was_and_what_was_merged_or_deleted_is_not_back(world: Stored) -> None:
    some_of_everything(world)
    before, live = answers(), world.live()
    assert len([key for key in world.bucket.kept if "/blocks/" in key]) == len(live) + MERGE_FROM
    world.lose_the_table()
    assert answers() != before
    world.rebuild()
    assert world.live() == live
    assert answers() == before
    assert "merged1" not in str(QUERY.get("/api/v3/traces/2").json)


def test_what_is_there_already_stays_as_it_is_and_a_second_run_adds_nothing(world: Stored) -> None:
    some_of_everything(world)
    live = world.live()
    assert {day.added for day in world.rebuild()} == {0}
    assert world.live() == live


def test_a_merge_that_died_before_its_record_replaces_nothing(world: Stored) -> None:
    for number in range(MERGE_FROM):
        world.now_ns += 10**9
        world.add(f"merged{number}", number + 1)
    world.plan()
    (job,) = world.jobs
    with pytest.raises(Killed):
        world.work(job, Life(MERGE_FROM + 3, after=True))  # its output is written, its record is not
    before = answers()
    world.lose_the_table()
    world.rebuild()
    assert answers() == before
    world.now_ns += 2 * HOUR_NS
    world.settle()
    assert sum(block.spans for block in world.blocks()) == 2 * MERGE_FROM


def test_tallies_are_beside_their_blocks_again(world: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "TALLIED_SPANS", 1)
    for number in range(MERGE_FROM):
        world.now_ns += 10**9
        world.add(f"a{number}", number + 1)
    world.settle()
    before = world.live()
    assert [part.name for block in before.values() for part in block.tally][-1] == "calls"
    world.lose_the_table()
    world.rebuild()
    assert world.live() == before


def test_what_compaction_still_had_to_do_is_done_after_it(world: Stored) -> None:
    for number in range(3):
        world.add(f"small{number}", number + 1)
    world.lose_the_table()
    world.rebuild()
    world.now_ns += 2 * HOUR_NS
    world.settle()
    assert [block.spans for block in world.blocks()] == [6]
    assert [item for item in client("dynamodb").scan(TableName=TABLE)["Items"] if item["pk"]["S"] == "#kept"]


def test_a_deletion_after_it_is_about_blocks_that_knew_of_more_deletions_than_are_left(world: Stored) -> None:
    for number in (7, 8):
        world.book.delete(Deletion("shop", 0, world.now_ns, trace_id=bytes(15) + bytes([number])))
    for number in range(MERGE_FROM):
        world.now_ns += 10**9
        world.add(f"merged{number}", number + 1)
    world.settle()
    assert [block.deletions for block in world.blocks()] == [2]
    world.bucket.delete([key for key in world.bucket.kept if "/deletions/" in key])  # they were done with long ago
    world.lose_the_table()
    world.rebuild()
    world.book.delete(Deletion("shop", 0, NOW_NS, trace_id=bytes(15) + b"\3"))
    assert QUERY.get("/api/v3/traces/3").status == 404


def test_who_dies_goes_on_with_the_day_after_the_last_one_that_was_finished(
    world: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_of_everything(world)
    live = world.live()
    world.lose_the_table()
    listed = S3ObjectStore.listed

    def until_shop(store: S3ObjectStore, prefix: str) -> Any:
        if prefix.startswith("shop/blocks"):
            raise Overloaded("S3: SlowDown")
        return listed(store, prefix)

    with monkeypatch.context() as broken, pytest.raises(Overloaded):
        broken.setattr(S3ObjectStore, "listed", until_shop)
        world.rebuild()
    assert {day.tenant for day in world.rebuild()} == {"shop"}
    assert world.live() == live


def test_an_object_that_is_no_block_is_named_and_holds_nobody_up(world: Stored) -> None:
    some_of_everything(world)
    live = world.live()
    (day,) = {key.split("/")[2] for key in live if key.startswith("bank")}
    strange = [f"bank/blocks/{day}/{name}.parquet" for name in ("empty", "text", "moved")]
    world.bucket.put(strange[0], b"")
    world.bucket.put(strange[1], b"PAR1" * 5)
    world.bucket.put(strange[2], world.bucket.get(next(key for key in live if key.startswith("bank"))))
    world.lose_the_table()
    told = [why for each in world.rebuild() for why in each.unreadable]
    assert [why.partition(":")[0] for why in told] == sorted(strange)
    assert world.live() == live


def test_a_footer_longer_than_what_is_read_first_is_read_in_a_second_request(
    world: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_of_everything(world)
    live = world.live()
    world.lose_the_table()
    monkeypatch.setattr("commands.rebuilding.TAIL_BYTES", 64)
    world.rebuild()
    assert world.live() == live


def test_a_block_that_was_copied_without_its_checksum_is_read_whole(world: Stored) -> None:
    some_of_everything(world)
    live = world.live()
    for key in live:
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=world.bucket.get(key))
    world.lose_the_table()
    world.rebuild()
    assert world.live() == live


def test_the_end_of_a_block_is_enough_to_know_its_entry() -> None:
    (written,) = write_blocks("shop", [request_of(span("one")).SerializeToString()], NOW_NS, "a")
    entry, body = written.entry, written.body
    tail = body[-footer.tail_bytes(body[-8:], entry.key) :]
    assert len(tail) < len(body)
    assert footer.entry_in(tail, entry.key, len(body), entry.crc32) == entry
