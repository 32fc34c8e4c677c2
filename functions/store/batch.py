"""What `store` does with one batch of messages: each tenant's requests become a block, and what cannot be stored is
told apart.

    stored                     the message is done with
    Undecodable, not OTLP      it can never be stored: to the dead-letter queue with the reason, and done with
    Overloaded                 it can be stored later: the message fails, and SQS gives it back

A block exists before its entry, and an entry before its messages are done with. So dying at any point loses nothing; a
message that comes again makes a second copy of its spans at most, which reading and compaction see as one (ADR 0003).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.aws.queued import Queued, unpacked
from spandrel.blocks.writer import WrittenBlock, block_name, write_blocks
from spandrel.model.catalogue import Block, ObjectStore
from spandrel.model.errors import Overloaded, Undecodable
from spandrel.model.lifecycle import BLOCK
from spandrel.model.limits import MIB

# Of OTLP in one block, and in memory at once, because few messages can decode to far more than `store` has. Spans take
# ten times as much while they become a block, empty attributes 90 times: 1.4 GB of the 1769 MiB that it has by default.
BLOCK_SOURCE_BYTES = 16 * MIB

Record = Mapping[str, Any]


class Entries(Protocol):
    """The catalogue, for whoever only adds to it."""

    def add(self, block: Block) -> None:
        """Adding the same block again changes nothing; Overloaded when the same call can succeed later."""


class DeadLetters(Protocol):
    """Where messages go that can never be stored."""

    def send(self, record: Record, reason: str) -> None:
        """Durable when it returns; Overloaded when the same call can succeed later."""


@dataclass(slots=True)
class Outcome:
    """What became of a batch: the ids of messages to deliver again, and of those given up, with why."""

    again: dict[str, str] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """One invocation's messages and the ports through which they are stored."""

    objects: ObjectStore
    catalogue: Entries
    dead_letters: DeadLetters

    def store(self, records: Sequence[Record]) -> Outcome:
        """Stores what can be stored of an SQS event's records."""
        outcome = Outcome()
        by_id = {record["messageId"]: record for record in records}
        for part in _parts(self._queued(records, outcome)):
            self._store_part(part, by_id, outcome)
        return outcome

    def _queued(self, records: Iterable[Record], outcome: Outcome) -> Iterator[Queued]:
        """Tenant after tenant, each request unpacked when it is asked for."""
        for record in sorted(records, key=_tenant_said):
            yield from self._unpacked(record, outcome)

    def _unpacked(self, record: Record, outcome: Outcome) -> Iterator[Queued]:
        try:
            yield unpacked(record, self.objects)
        except Undecodable as why:
            self._give_up(record, str(why), outcome)
        except Overloaded as why:
            outcome.again[record["messageId"]] = str(why)

    def _store_part(self, part: Sequence[Queued], by_id: Mapping[str, Record], outcome: Outcome) -> None:
        try:
            blocks = _blocks(part)
        except Exception:  # noqa: BLE001 - whatever a message does to the writer, it must not hold up the others
            blocks = None
        if blocks is None:  # not above: until there, the exception holds on to all that the writer had in memory
            blocks = self._without_the_bad(part, by_id, outcome)
        try:
            for block in blocks:  # object first, entry second: an entry never names what is not there
                self.objects.put(block.entry.key, block.body, passing=BLOCK)
                self.catalogue.add(block.entry)
        except Overloaded as why:
            stored_later = (request.message_id for request in part if request.message_id not in outcome.given_up)
            outcome.again |= dict.fromkeys(stored_later, str(why))

    def _without_the_bad(
        self, part: Sequence[Queued], by_id: Mapping[str, Record], outcome: Outcome
    ) -> list[WrittenBlock]:
        """Tries each message alone and gives up those that fail; if none does, the fault is ours and is raised."""
        reasons = {request.message_id: why for request in part for why in _faults(request)}
        for message_id, why in reasons.items():
            self._give_up(by_id[message_id], why, outcome)
        return _blocks([request for request in part if request.message_id not in reasons])

    def _give_up(self, record: Record, reason: str, outcome: Outcome) -> None:
        try:
            self.dead_letters.send(record, reason)
        except Overloaded as why:
            outcome.again[record["messageId"]] = f"{reason}; the dead-letter queue: {why}"
        else:
            outcome.given_up[record["messageId"]] = reason


def _tenant_said(record: Record) -> str:
    """As the message says it, not checked yet."""
    return str(record.get("messageAttributes", {}).get("tenant", {}).get("stringValue", ""))


def _parts(queued: Iterable[Queued]) -> Iterator[list[Queued]]:
    """Requests of one tenant each, in parts of at most BLOCK_SOURCE_BYTES (or one request); takes them as it goes."""
    for _tenant, requests in groupby(queued, key=lambda one: one.tenant):
        part: list[Queued] = []
        size_bytes = 0
        for request in requests:
            if part and size_bytes + len(request.body) > BLOCK_SOURCE_BYTES:
                yield part
                part, size_bytes = [], 0
            part.append(request)
            size_bytes += len(request.body)
        yield part


def _blocks(part: Sequence[Queued]) -> list[WrittenBlock]:
    if not part:
        return []
    name = block_name([request.message_id for request in part])
    received_ns = [request.received_ns for request in part]
    bodies = [request.body for request in part]
    return list(write_blocks(part[0].tenant, bodies, max(received_ns), name, min(received_ns)))


def _faults(request: Queued) -> Iterator[str]:
    """Why a request alone cannot be a block, if it cannot."""
    try:
        ExportTraceServiceRequest.FromString(request.body)
        _blocks([request])
    except Exception as error:  # noqa: BLE001 - as above
        yield f"cannot be stored: {type(error).__name__}: {error}"
