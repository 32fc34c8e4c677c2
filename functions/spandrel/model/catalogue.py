"""What the catalogue says of a block, and the ports through which blocks and entries are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .lifecycle import Passing

FAR_BEFORE_NS = 3600 * 10**9
FAR_AFTER_NS = 600 * 10**9

Operation = tuple[str, str, int]
"""(service, span name, span kind as OTLP's number). A span without a service has the empty text."""


@dataclass(frozen=True, slots=True)
class Block:
    """One immutable object of spans. Times are unix nanoseconds of span starts, both inclusive; ids are of traces.

    `received_ns` is when the newest of them arrived; retention counts from there. `far`: their starts are far from
    their arrival (a replay, a bad clock), so they are kept apart from ordinary blocks, whose starts lie within
    FAR_BEFORE_NS and FAR_AFTER_NS of `received_ns`. `operations` is None where there were too many to list; then only
    the block itself knows. `crc32` is of the whole object.
    """

    tenant: str
    block_id: str
    key: str
    level: int
    format_version: int
    spans: int
    size_bytes: int
    crc32: int
    min_start_ns: int
    max_start_ns: int
    min_trace_id: bytes
    max_trace_id: bytes
    received_ns: int
    far: bool
    operations: tuple[Operation, ...] | None


class ObjectStore(Protocol):
    """Objects of one bucket. Keys begin with the tenant."""

    def put(
        self, key: str, body: bytes, *, passing: Passing | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Durable when it returns; Overloaded when the same call can succeed later.

        `passing` tags an object that the bucket removes by itself. `headers` (Content-Type, Content-Encoding) come
        back with the object when it is read through a link.
        """

    def get(self, key: str) -> bytes:
        """NotFound when there is no such object; Overloaded when the same call can succeed later."""

    def link(self, key: str, seconds: int) -> str:
        """An HTTPS address under which anybody can read the object for that long."""


class Catalogue(Protocol):
    """Which blocks are live. An entry comes only after its object: a reader sees a block wholly or not."""

    def add(self, block: Block) -> None:
        """Adding the same block again changes nothing."""

    def blocks(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        """All live blocks of the tenant with a span start in [start_ns, end_ns), newest first by latest start."""


class Queue(Protocol):
    """The way from `receive` to `store`."""

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        """Serialized ExportTraceServiceRequests; all durably queued when it returns, Overloaded when any may not be."""
