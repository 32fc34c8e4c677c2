"""What the catalogue says of a block, and the ports through which blocks and entries are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from .lifecycle import Passing
from .tally import PartName, TallyPart

if TYPE_CHECKING:
    from .deletions import Deletion, Deletions

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
    the block itself knows. `crc32` is of the whole object. `first_received_ns` is when the oldest arrived (0 where
    nobody knows), and `deletions` the number of the last of the tenant's deletions that its spans were held to.
    `quantiles` are trace ids that cut the spans of a merged block into sixteen about equal parts, fewer in a small one.
    `tally` is what was counted of the spans when they were merged; there is none of small blocks.
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
    first_received_ns: int = 0
    deletions: int = 0
    quantiles: tuple[bytes, ...] = ()
    tally: tuple[TallyPart, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all its objects: they come and go together."""
        return (self.key, *(self.part_key(part.name) for part in self.tally))

    def part_key(self, name: PartName) -> str:
        """The key of a part of its tally."""
        tenant, _, rest = self.key.split("/", 2)
        return f"{tenant}/tallies/{rest.removesuffix('.parquet')}.{name}.parquet"

    def part(self, name: PartName) -> Block | None:
        """A part of its tally as if it were a block, which is how it is fetched; None where there is none."""
        for part in self.tally:
            if part.name == name:
                return replace(
                    self,
                    block_id=f"{self.block_id}.{name}",
                    key=self.part_key(name),
                    size_bytes=part.size_bytes,
                    crc32=part.crc32,
                    operations=None,
                    tally=(),
                )
        return None

    def record(self) -> dict[str, Any]:
        """What JSON can hold of it: ids as hex."""
        ids = {"min_trace_id": self.min_trace_id.hex(), "max_trace_id": self.max_trace_id.hex()}
        return asdict(self) | ids | {"quantiles": [trace_id.hex() for trace_id in self.quantiles]}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Block:
        """The block that `record` gave; TypeError, ValueError or KeyError when it gave none."""
        operations = record["operations"]
        told = {
            "min_trace_id": bytes.fromhex(record["min_trace_id"]),
            "max_trace_id": bytes.fromhex(record["max_trace_id"]),
            "quantiles": tuple(bytes.fromhex(trace_id) for trace_id in record.get("quantiles", ())),
            "operations": None if operations is None else tuple((s, name, kind) for s, name, kind in operations),
            "tally": tuple(TallyPart(**part) for part in record.get("tally", ())),
        }
        return cls(**{**record, **told})


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

    def get_range(self, key: str, first_byte: int, length_bytes: int) -> bytes:
        """`length_bytes` of the object from `first_byte` on, fewer where it ends before; errors as of `get`."""

    def link(self, key: str, seconds: int) -> str:
        """An HTTPS address under which anybody can read the object for that long."""


class VersionedObjects(ObjectStore, Protocol):
    """Objects of which some change, by whoever read them before."""

    def get_version(self, key: str) -> tuple[bytes, str]:
        """An object and which version of it that is; errors as of `get`."""

    def put_over(self, key: str, body: bytes, version: str | None) -> None:
        """As `put`, in the place of that version, None: where there is no object. Conflict where there is another."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a list of the bucket has it; `written_ns` is unix time, by S3's clock."""

    key: str
    size_bytes: int
    written_ns: int


class Eraser(Protocol):
    """Who may remove objects: compaction alone."""

    def delete(self, keys: Sequence[str]) -> None:
        """All are gone when it returns, and those that were not there too; Overloaded when any may remain."""


class Catalogue(Protocol):
    """Which blocks are live. An entry comes only after its object: a reader sees a block wholly or not."""

    def add(self, block: Block) -> None:
        """Adding the same block again changes nothing."""

    def blocks(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        """All live blocks of the tenant with a span start in [start_ns, end_ns), newest first by latest start."""

    def near(self, tenant: str, hours_ns: Collection[int]) -> Sequence[Block]:
        """All live blocks of the tenant that arrived in these hours (unix ns) and are not far; in no order."""

    def far(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        """All live blocks of the tenant that are far and have a span start in [start_ns, end_ns); in no order."""

    def deletions(self, tenant: str) -> Sequence[Deletion]:
        """What nobody may be shown any more of the tenant's blocks. To be read before the blocks are chosen."""


class Ledger(Protocol):
    """The catalogue as compaction sees it: what is due, who works on it, and the one step that swaps blocks."""

    def due(self) -> Sequence[Due]:
        """The hours that have blocks which may have to be merged, of all tenants."""

    def done_with(self, due: Due) -> None:
        """Nothing is left to merge there, unless a block has come since `due` was read. The day is noted as kept."""

    def arrived(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        """All live blocks of the tenant that arrived in [start_ns, end_ns), far ones included."""

    def expired(self, tenant: str, start_ns: int, end_ns: int) -> Sequence[Block]:
        """Those of the tenant's entries that arrived then and are shown no more."""

    def taken(self, tenant: str) -> frozenset[str]:
        """The ids of blocks that somebody is merging at the moment."""

    def take(self, tenant: str, name: str, block_ids: Sequence[str], seconds: int) -> bool:
        """Whether the blocks are now ours to merge for so long; not when somebody has the job of that name."""

    def live(self, blocks: Sequence[Block]) -> bool:
        """Whether all of them still have their entries."""

    def deletions(self, tenant: str) -> Deletions:
        """What a merge has to leave out; its outputs carry the number."""

    def held_to(self, block: Block, deletions: int) -> None:
        """Notes that the block has no span of any deletion up to that number; nothing where it is gone."""

    def set_aside(self, block: Block) -> None:
        """Marks a block that does not read, so that it is merged no more; nothing where it is gone."""

    def swap(self, name: str, inputs: Sequence[Block], outputs: Sequence[Block]) -> None:
        """All inputs out and all outputs in, in one step, and the inputs' objects doomed; Conflict: nothing was
        done, because an input is gone or the tenant has had a deletion that the outputs were not held to.
        """

    def doomed(self) -> Sequence[Doomed]:
        """Objects that no entry names any more and no query reads any more."""

    def deletable(self, doomed: Doomed) -> Sequence[str]:
        """The keys of its objects, but for those that an entry names again (a batch that was delivered once more)."""

    def buried(self, doomed: Doomed) -> None:
        """What was deletable is deleted."""


@dataclass(frozen=True, slots=True)
class Due:
    """An hour of arrival of one tenant, unix ns; `touched_ns` is when the last block was noted there."""

    tenant: str
    hour_ns: int
    touched_ns: int


@dataclass(frozen=True, slots=True)
class Doomed:
    """The blocks that one swap replaced; `mark` names the record of them."""

    mark: str
    blocks: tuple[Block, ...]


class Queue(Protocol):
    """The way from `receive` to `store`."""

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        """Serialized ExportTraceServiceRequests; all durably queued when it returns, Overloaded when any may not be."""
