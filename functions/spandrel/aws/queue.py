"""The queue between `receive` and `store`, in SQS. `spandrel.aws.queued` has the form of its messages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from botocore.client import BaseClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.model.catalogue import ObjectStore
from spandrel.model.errors import TooLarge
from spandrel.model.lifecycle import INCOMING
from spandrel.model.limits import DECODED_BODY_BYTES, MESSAGE_BODY_BYTES

from .faults import all_pass
from .halves import halves
from .queued import IN_OBJECT, as_text, attributes, packed

REPEATED_MAX = 1.25  # how much longer two parts may be than the whole: both carry their resource and scope


class SqsQueue:
    """`spandrel.model.catalogue.Queue` over one SQS queue, and the bucket for what no message can hold.

    `objects` is asked for the bucket when it is first needed: few processes need it, and a client of S3
    takes a quarter of a cold start.
    """

    def __init__(self, sqs: BaseClient, queue_url: str, objects: Callable[[], ObjectStore]) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._objects = objects

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        """TooLarge for a body over DECODED_BODY_BYTES; Overloaded for every failure of AWS.

        When some messages are sent and others fail, the sender repeats all: spans that come twice are one (ADR 0003).
        """
        for body in bodies:
            with all_pass("queueing spans"):
                self._send_body(tenant, body, received_ns)

    def _send_body(self, tenant: str, body: bytes, received_ns: int) -> None:
        """As one message if it fits, which it nearly always does."""
        if len(body) > DECODED_BODY_BYTES:
            raise TooLarge(f"the spans take {len(body):,} bytes; {DECODED_BODY_BYTES:,} is the limit")
        compressed = packed(body)
        if _text_bytes(compressed) <= MESSAGE_BODY_BYTES:
            self._send_message(tenant, as_text(compressed), received_ns)
            return
        parts = _parts(body)
        if not parts:
            self._send_through_object(tenant, compressed, received_ns)
        for part in parts:
            self._send_body(tenant, part, received_ns)

    def _send_through_object(self, tenant: str, compressed: bytes, received_ns: int) -> None:
        """The object is named by what it holds: a sender's repetition makes no second one."""
        day = datetime.fromtimestamp(received_ns // 10**9, UTC).date().isoformat()
        key = f"{tenant}/incoming/{day}/{hashlib.sha256(compressed).hexdigest()}"
        self._objects().put(key, compressed, passing=INCOMING)
        self._send_message(tenant, IN_OBJECT, received_ns, key)

    def _send_message(self, tenant: str, text: str, received_ns: int, key: str | None = None) -> None:
        self._sqs.send_message(
            QueueUrl=self._queue_url, MessageBody=text, MessageAttributes=attributes(tenant, received_ns, key)
        )


def _parts(body: bytes) -> list[bytes]:
    """The request in two, or nothing where that is no help: one span, or a resource so large that parts repeat it."""
    parts = [part.SerializeToString() for part in halves(ExportTraceServiceRequest.FromString(body)) or ()]
    return parts if sum(map(len, parts)) < len(body) * REPEATED_MAX else []


def _text_bytes(compressed: bytes) -> int:
    """How long it is as base64."""
    return (len(compressed) + 2) // 3 * 4
