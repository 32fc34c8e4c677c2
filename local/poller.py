"""Lambda's event source mapping for SQS: takes messages off the queue in batches and hands them to the function.

As "Using Lambda with Amazon SQS" has it: a batch closes when it is full, when it would outgrow Lambda's payload, or
when its window ends. What the function reports as failed stays in the queue until its visibility timeout ends, the rest
is deleted; the queue's own policy moves what was received too often to its dead-letter queue. All calls to SQS are made
under the function's role.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from .batches import Record, failed, record
from .deployed import QueueMapping
from .runtime_api import Outcome

# A span that was sent is to be found within two seconds, also by one who waits for it at a terminal. The template's
# window is there for cost: fewer and larger blocks. Nobody pays here, so a fifth of a second has to do, which still
# joins the requests of one burst.
WINDOW_MAX_S = 0.2
# New messages are announced; this is for those that come back by themselves, when their visibility timeout ends.
LOOK_AGAIN_S = 5.0
RETRY_S = 0.5
PAYLOAD_BYTES = 6 * 1024 * 1024
FRAME_BYTES = len('{"Records":[]}')
CALL_MAX = 10  # SQS gives and deletes at most ten messages a call
BATCHES_AT_ONCE = 2

log = logging.getLogger(__name__)


class Poller:
    """Feeds one function from one queue, while `run` runs. All methods belong to the thread of the event loop."""

    def __init__(self, mapping: QueueMapping, sqs: BaseClient, invoke: Callable[[bytes], Awaitable[Outcome]]) -> None:
        self.mapping = mapping
        self._sqs = sqs
        self._invoke = invoke
        self._announced = asyncio.Event()
        self._resting = asyncio.Event()
        self._left_over: list[Record] = []  # received, but the batch before had no room
        self._slots = asyncio.Semaphore(BATCHES_AT_ONCE)
        self._batches: set[asyncio.Task[None]] = set()

    def announce(self) -> None:
        """There may be messages that a look at the queue would find."""
        self._resting.clear()
        self._announced.set()

    async def settled(self) -> None:
        """Returns when a look finds no message in the queue and no batch is being worked on."""
        self.announce()
        await self._resting.wait()
        while self._batches:
            await asyncio.wait(self._batches)
            self.announce()
            await self._resting.wait()

    async def run(self) -> None:
        """Until it is cancelled; batches that are being worked on are then left to their visibility timeout."""
        try:
            while True:
                batch = await self._gather()
                await self._slots.acquire()
                task = asyncio.create_task(self._work_on(batch))
                self._batches.add(task)
                task.add_done_callback(self._worked_on)
        finally:
            for task in self._batches:
                task.cancel()

    async def _gather(self) -> list[Record]:
        """The next batch, of at least one record."""
        clock = asyncio.get_running_loop().time
        batch: list[Record] = []
        room_bytes = PAYLOAD_BYTES - FRAME_BYTES
        ends_s = 0.0
        while not batch or (len(batch) < self.mapping.batch_size and not self._left_over and clock() < ends_s):
            received = self._left_over or await self._look(self.mapping.batch_size - len(batch))
            self._left_over = []
            if received and not batch:
                ends_s = clock() + min(self.mapping.window_s, WINDOW_MAX_S)
            for position, each in enumerate(received):
                room_bytes -= len(json.dumps(each)) + 1
                if room_bytes < 0:
                    self._left_over = received[position:]
                    break
                batch.append(each)
            if not received:
                await self._announcement(ends_s - clock() if batch else LOOK_AGAIN_S, rests=not batch)
        return batch

    async def _look(self, wanted: int) -> list[Record]:
        """Up to ten messages that are visible now. A failing SQS is tried again until it gives an answer."""
        while True:
            self._announced.clear()
            try:
                answer = await asyncio.to_thread(
                    self._sqs.receive_message,
                    QueueUrl=self.mapping.queue_url,
                    MaxNumberOfMessages=min(wanted, CALL_MAX),
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
                return [record(message, self.mapping.queue_arn) for message in answer.get("Messages", [])]
            except (ClientError, BotoCoreError) as error:
                log.warning("receiving from %s: %s", self.mapping.queue_url, error)
                await asyncio.sleep(RETRY_S)

    async def _announcement(self, timeout_s: float, *, rests: bool) -> None:
        """Waits for news of the queue, and says so when there is nothing in hand meanwhile."""
        if self._announced.is_set():
            return
        if rests:
            self._resting.set()
        with suppress(TimeoutError):  # no news in that time: then the queue is looked at without any
            async with asyncio.timeout(max(timeout_s, 0)):
                await self._announced.wait()
        self._resting.clear()

    async def _work_on(self, batch: Sequence[Record]) -> None:
        event: dict[str, Any] = {"Records": batch}
        outcome = await self._invoke(json.dumps(event, separators=(",", ":")).encode())
        sent = {each["messageId"]: each for each in batch}
        stays = failed(outcome, sent.keys(), reports_failures=self.mapping.reports_failures)
        done = [each for identifier, each in sent.items() if identifier not in stays]
        for start in range(0, len(done), CALL_MAX):
            await self._delete(done[start : start + CALL_MAX])

    async def _delete(self, records: Sequence[Record]) -> None:
        """What cannot be deleted comes again, as in AWS: delivery is at least once."""
        entries = [
            {"Id": str(position), "ReceiptHandle": each["receiptHandle"]} for position, each in enumerate(records)
        ]
        try:
            await asyncio.to_thread(self._sqs.delete_message_batch, QueueUrl=self.mapping.queue_url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            log.warning("deleting from %s: %s", self.mapping.queue_url, error)

    def _worked_on(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._slots.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a batch for %s: %r", self.mapping.function, error)
