"""`store` through its batch: what is stored, delivered again or given up, whatever fails in between."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow.parquet as pq
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.aws.queued import IN_OBJECT, as_text, packed
from spandrel.blocks.otlp import to_otlp
from spandrel.model.catalogue import Block
from spandrel.model.errors import NotFound, Overloaded
from spandrel.model.lifecycle import Passing
from store.batch import Batch, Outcome
from tests.builders import RECEIVED_NS, request_of, span

HOUR_NS = 3600 * 10**9


class Killed(Exception):
    """The function dies here."""


@dataclass
class Objects:
    """An object store in memory that fails where it is told to."""

    kept: dict[str, bytes] = field(default_factory=dict)
    fault: Exception | None = None
    fault_for: str = ""

    def put(
        self, key: str, body: bytes, *, passing: Passing | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        if self.fault and key.startswith(self.fault_for):
            raise self.fault
        self.kept[key] = body

    def get(self, key: str) -> bytes:
        if key not in self.kept:
            raise NotFound(f"there is no object {key}")
        return self.kept[key]

    def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
        raise AssertionError("store reads whole objects")

    def link(self, key: str, seconds: int) -> str:
        raise AssertionError("store makes no links")


@dataclass
class Entries:
    """A catalogue in memory that fails where it is told to."""

    kept: dict[str, Block] = field(default_factory=dict)
    fault: Exception | None = None

    def add(self, block: Block) -> None:
        if self.fault:
            raise self.fault
        self.kept[block.key] = block

    def blocks(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        raise AssertionError("store reads no entries")


@dataclass
class DeadLetters:
    """A dead-letter queue in memory."""

    reasons: dict[str, str] = field(default_factory=dict)
    fault: Exception | None = None

    def send(self, record: Mapping[str, Any], reason: str) -> None:
        if self.fault:
            raise self.fault
        self.reasons[record["messageId"]] = reason


@dataclass
class Stack:
    """A batch with its ports."""

    objects: Objects = field(default_factory=Objects)
    entries: Entries = field(default_factory=Entries)
    dead: DeadLetters = field(default_factory=DeadLetters)

    def store(self, *records: dict[str, Any]) -> Outcome:
        return Batch(self.objects, self.entries, self.dead).store(records)

    def spans(self, tenant: str = "shop") -> Counter[str]:
        """Names of the spans that a reader would find: those of catalogued objects."""
        found: Counter[str] = Counter()
        for key, entry in self.entries.kept.items():
            if entry.tenant == tenant:
                table = pq.read_table(io.BytesIO(self.objects.kept[key]))
                for resource in to_otlp(table).resource_spans:
                    found.update(one.name for scope in resource.scope_spans for one in scope.spans)
        return found


def record(
    message_id: str, request: ExportTraceServiceRequest | bytes, tenant: str = "shop", received_ns: int = RECEIVED_NS
) -> dict[str, Any]:
    body = request if isinstance(request, bytes) else request.SerializeToString()
    said = {"tenant": tenant, "received": str(received_ns)}
    return {
        "messageId": message_id,
        "body": as_text(packed(body)),
        "messageAttributes": {name: {"stringValue": value, "dataType": "String"} for name, value in said.items()},
    }


@pytest.fixture
def stack() -> Stack:
    return Stack()


def test_a_batch_becomes_one_block_a_tenant(stack: Stack) -> None:
    outcome = stack.store(
        record("1", request_of(span("a"), span("b"))),
        record("2", request_of(span("c"))),
        record("3", request_of(span("d")), tenant="bank"),
    )
    assert outcome == Outcome()
    assert sorted(entry.tenant for entry in stack.entries.kept.values()) == ["bank", "shop"]
    assert stack.spans("shop") == Counter("abc")
    assert stack.spans("bank") == Counter("d")
    assert all(key.startswith(f"{entry.tenant}/blocks/") for key, entry in stack.entries.kept.items())


def test_the_same_batch_again_changes_nothing(stack: Stack) -> None:
    records = [record("1", request_of(span("a"))), record("2", request_of(span("b")))]
    stack.store(*records)
    objects, entries = dict(stack.objects.kept), dict(stack.entries.kept)
    stack.store(*reversed(records))
    assert stack.entries.kept.keys() == entries.keys()
    assert stack.objects.kept.keys() == objects.keys()
    assert stack.spans() == Counter("ab")


def test_an_entry_says_what_is_in_its_block(stack: Stack) -> None:
    first, last = RECEIVED_NS - 30 * 10**9, RECEIVED_NS
    stack.store(record("1", request_of(span("a", start_ns=first), span("b", start_ns=last), service="cart")))
    (entry,) = stack.entries.kept.values()
    assert (entry.min_start_ns, entry.max_start_ns, entry.spans, entry.level) == (first, last, 2, 0)
    assert entry.operations == (("cart", "a", 1), ("cart", "b", 1))
    assert entry.size_bytes == len(stack.objects.kept[entry.key])
    assert not entry.far


@pytest.mark.parametrize("start_ns", [0, 1, RECEIVED_NS - HOUR_NS - 1, RECEIVED_NS + HOUR_NS, 2**64 - 1])
def test_a_span_far_from_its_arrival_goes_into_a_block_of_such_spans(stack: Stack, start_ns: int) -> None:
    stack.store(record("1", request_of(span("now"), span("far", start_ns=start_ns))))
    ranges = {entry.far: (entry.min_start_ns, entry.max_start_ns) for entry in stack.entries.kept.values()}
    assert ranges == {False: (RECEIVED_NS, RECEIVED_NS), True: (start_ns, start_ns)}
    assert stack.spans() == Counter(["now", "far"])


def test_a_request_that_went_through_s3_is_stored(stack: Stack) -> None:
    stack.objects.kept["shop/incoming/x"] = packed(request_of(span("a")).SerializeToString())
    pointer = record("1", b"")
    pointer["body"] = IN_OBJECT
    pointer["messageAttributes"]["object"] = {"stringValue": "shop/incoming/x"}
    assert stack.store(pointer) == Outcome()
    assert stack.spans() == Counter("a")


def test_a_message_cannot_point_at_another_tenants_object(stack: Stack) -> None:
    stack.objects.kept["bank/incoming/x"] = packed(request_of(span("a")).SerializeToString())
    pointer = record("1", b"")
    pointer["body"] = IN_OBJECT
    pointer["messageAttributes"]["object"] = {"stringValue": "bank/incoming/x"}
    assert "points to" in stack.store(pointer).given_up["1"]
    assert stack.spans("bank") == stack.spans("shop") == Counter()


def truncated() -> dict[str, Any]:
    return record("bad", request_of(span("a")).SerializeToString()[:-3])


def not_base64() -> dict[str, Any]:
    return record("bad", b"") | {"body": "\N{SNOWMAN}"}


def not_zstd() -> dict[str, Any]:
    return record("bad", b"") | {"body": "AAAA"}


def nobodys() -> dict[str, Any]:
    return record("bad", b"") | {"messageAttributes": {}}


def of_a_tenant_that_cannot_be() -> dict[str, Any]:
    return record("bad", request_of(span("a")), tenant="../bank")


def without_its_object() -> dict[str, Any]:
    pointer = record("bad", b"") | {"body": IN_OBJECT}
    pointer["messageAttributes"]["object"] = {"stringValue": "shop/incoming/gone"}
    return pointer


def with_an_id_of_wrong_width() -> dict[str, Any]:
    return record("bad", request_of(span("a", trace_id=b"short")))


POISON = [truncated, not_base64, not_zstd, nobodys, of_a_tenant_that_cannot_be, without_its_object]


@pytest.mark.parametrize("poison", [*POISON, with_an_id_of_wrong_width], ids=lambda make: make.__name__)
def test_a_poison_message_goes_to_the_dead_letters_with_a_reason_and_holds_nobody_up(stack: Stack, poison: Any) -> None:
    outcome = stack.store(record("1", request_of(span("b"))), poison(), record("2", request_of(span("c"))))
    assert outcome.again == {}
    assert set(outcome.given_up) == {"bad"}
    assert stack.dead.reasons == outcome.given_up
    assert len(stack.dead.reasons["bad"]) > 10
    assert stack.spans() == Counter("bc")


def test_poison_that_the_dead_letter_queue_cannot_take_now_comes_again(stack: Stack) -> None:
    stack.dead.fault = Overloaded("slow down")
    outcome = stack.store(truncated(), record("1", request_of(span("b"))))
    assert set(outcome.again) == {"bad"}
    assert stack.spans() == Counter("b")


def test_a_store_that_cannot_write_now_gives_the_messages_back_and_loses_nothing(stack: Stack) -> None:
    records = [record("1", request_of(span("a"))), record("2", request_of(span("b")))]
    stack.objects.fault = Overloaded("S3: SlowDown")
    assert set(stack.store(*records).again) == {"1", "2"}
    stack.objects.fault = None
    stack.entries.fault = Overloaded("DynamoDB: throttled")
    assert set(stack.store(*records).again) == {"1", "2"}
    assert stack.spans() == Counter()
    stack.entries.fault = None
    assert stack.store(*records) == Outcome()
    assert stack.spans() == Counter("ab")


def test_one_tenants_trouble_is_not_anothers(stack: Stack) -> None:
    stack.objects.fault, stack.objects.fault_for = Overloaded("S3: SlowDown"), "bank/"
    outcome = stack.store(record("1", request_of(span("a")), tenant="bank"), record("2", request_of(span("b"))))
    assert set(outcome.again) == {"1"}
    assert stack.spans("shop") == Counter("b")


def test_dying_between_the_object_and_its_entry_loses_and_doubles_nothing(stack: Stack) -> None:
    records = [record("1", request_of(span("a"))), record("2", request_of(span("b")))]
    stack.entries.fault = Killed()
    with pytest.raises(Killed):
        stack.store(*records)
    assert stack.objects.kept
    assert stack.spans() == Counter()
    stack.entries.fault = None
    stack.store(*records)
    assert stack.spans() == Counter("ab")


def test_a_fault_that_does_not_pass_is_raised_so_that_somebody_is_told(stack: Stack) -> None:
    stack.objects.fault = PermissionError("AccessDenied")
    with pytest.raises(PermissionError):
        stack.store(record("1", request_of(span("a"))))
    assert stack.dead.reasons == {}


def test_an_empty_request_is_stored_as_nothing(stack: Stack) -> None:
    assert stack.store(record("1", b"")) == Outcome()
    assert stack.entries.kept == {}


def test_a_large_batch_is_cut_into_blocks_of_bounded_source(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.batch.BLOCK_SOURCE_BYTES", 500)
    stack.store(*(record(str(number), request_of(span(f"s{number}"))) for number in range(10)))
    assert len(stack.entries.kept) > 1
    assert stack.spans().total() == 10
