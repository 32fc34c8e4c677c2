"""What `store` does with one batch of messages: each tenant's requests become a block, and what cannot be stored is
told apart.

    stored                     the message is done with
    Undecodable, not OTLP      it can never be stored: to the dead-letter queue with the reason, and done with
    Overloaded                 it can be stored later: the message fails, and SQS gives it back

A block exists before its entry, and an entry before its messages are done with. So dying at any point loses nothing; a
message that comes again makes a second copy of its spans at most, which reading and compaction see as one (ADR 0003).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.aws.queued import Queued, unpacked
from spandrel.blocks.writer import WrittenBlock, block_name, write_blocks
from spandrel.model.catalogue import Catalogue, ObjectStore
from spandrel.model.errors import Overloaded, Undecodable

BLOCK_SOURCE_BYTES = 64 * 1024 * 1024  # of OTLP in one block; writing it takes about four times that in memory

Record = Mapping[str, Any]


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
    catalogue: Catalogue
    dead_letters: DeadLetters

    def store(self, records: Sequence[Record]) -> Outcome:
        """Stores what can be stored of an SQS event's records."""
        outcome = Outcome()
        by_id = {record["messageId"]: record for record in records}
        queued = [request for record in records for request in self._unpacked(record, outcome)]
        for part in _parts(queued):
            self._store_part(part, by_id, outcome)
        return outcome

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
            blocks = self._without_the_bad(part, by_id, outcome)
        try:
            for block in blocks:  # object first, entry second: an entry never names what is not there
                self.objects.put(block.entry.key, block.body)
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


def _parts(queued: Sequence[Queued]) -> Iterator[list[Queued]]:
    """Requests of one tenant each, in parts of at most BLOCK_SOURCE_BYTES (or one request)."""
    for _tenant, requests in groupby(sorted(queued, key=lambda one: one.tenant), key=lambda one: one.tenant):
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
    received_ns = max(request.received_ns for request in part)
    return list(write_blocks(part[0].tenant, [request.body for request in part], received_ns, name))


def _faults(request: Queued) -> Iterator[str]:
    """Why a request alone cannot be a block, if it cannot."""
    try:
        ExportTraceServiceRequest.FromString(request.body)
        _blocks([request])
    except Exception as error:  # noqa: BLE001 - as above
        yield f"cannot be stored: {type(error).__name__}: {error}"
