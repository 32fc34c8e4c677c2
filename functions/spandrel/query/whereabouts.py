"""In which blocks one trace may be, by the trace index where it knows, by the catalogue alone where it does not."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from spandrel.blocks.block_cache import PARALLEL_FETCHES
from spandrel.blocks.trace_shards import FAR, places_of
from spandrel.model.catalogue import FAR_AFTER_NS, FAR_BEFORE_NS, Block, Catalogue, ObjectStore
from spandrel.model.errors import Corrupt, NotFound
from spandrel.model.levels import HOUR_NS, hour_of
from spandrel.model.trace_index import Segment, Segments, trace_hash

Place = tuple[int, bool]
"""An hour of arrival, unix ns, and whether it is about blocks that are far from it."""

_log = logging.getLogger("query")


class Whereabouts:
    """Where one trace of a tenant may be. What is asked once is remembered."""

    def __init__(
        self, catalogue: Catalogue, segments: Segments, objects: ObjectStore, tenant: str, trace_id: bytes
    ) -> None:
        self._catalogue = catalogue
        self._index = segments
        self._objects = objects
        self._tenant = tenant
        self._trace_id = trace_id
        self._hash = trace_hash(trace_id)
        self._unsettled = segments.unsettled(tenant)  # before what is listed: see Segments
        self._segments = segments.listed(tenant)
        self._places: dict[str, frozenset[Place]] = {}
        self._blocks: dict[int, Sequence[Block]] = {}

    @property
    def newest_indexed_ns(self) -> int:
        """The end of what is indexed, unix ns: 0 where nothing is."""
        return max((segment.end_ns for segment in self._segments), default=0)

    def near(self, start_ns: int, end_ns: int, arrived_ns: int = 0) -> list[Block]:
        """Ordinary blocks with starts in [start_ns, end_ns) that arrived from `arrived_ns` on and may hold the trace,
        newest first.
        """
        first_ns = max(arrived_ns, start_ns - FAR_AFTER_NS - HOUR_NS + 1)
        hours = self._hours(first_ns, end_ns + FAR_BEFORE_NS, far=False)
        self._read(hours - self._blocks.keys())
        found = [block for hour_ns in hours for block in self._blocks[hour_ns]]
        within = [block for block in found if block.min_start_ns < end_ns and block.max_start_ns >= start_ns]
        return sorted(within, key=lambda block: (block.max_start_ns, block.block_id), reverse=True)

    def far(self, start_ns: int, end_ns: int) -> list[Block]:
        """Blocks far from their arrival with starts in [start_ns, end_ns) that may hold the trace."""
        blocks = [block for block in self._catalogue.far(self._tenant, start_ns, end_ns) if self._is_in_range(block)]
        if not blocks:
            return []
        arrived = {hour_of(block.received_ns) for block in blocks}
        hours = self._hours(min(arrived), max(arrived) + HOUR_NS, far=True)
        return [block for block in blocks if hour_of(block.received_ns) in hours]

    def _read(self, hours: Collection[int]) -> None:
        """Brings the entries of these hours here."""
        if not hours:
            return
        self._blocks |= dict.fromkeys(hours, ())
        for block in filter(self._is_in_range, self._catalogue.near(self._tenant, hours)):
            hour_ns = hour_of(block.received_ns)
            self._blocks[hour_ns] = (*self._blocks[hour_ns], block)

    def _is_in_range(self, block: Block) -> bool:
        return block.min_trace_id <= self._trace_id <= block.max_trace_id

    def _hours(self, start_ns: int, end_ns: int, *, far: bool) -> set[int]:
        """The hours of arrival in [start_ns, end_ns) whose blocks may hold the trace."""
        for last in (False, True):
            lost = self._look(self._chosen(start_ns, end_ns), last=last)
            if not lost:
                break
            self._segments = self._index.listed(self._tenant)  # a segment that went is in a larger one
        places = {place for one in self._chosen(start_ns, end_ns) for place in self._places[one.name]}
        hours = {hour_ns for hour_ns, is_far in places if is_far is far} | self._unsettled
        return {hour_ns for hour_ns in hours if start_ns <= hour_ns < end_ns}

    def _chosen(self, start_ns: int, end_ns: int) -> list[Segment]:
        within = [one for one in self._segments if one.start_ns < end_ns and one.end_ns > start_ns]
        return [one for one in within if one.may_hold(self._trace_id)]

    def _look(self, segments: Sequence[Segment], *, last: bool) -> bool:
        """Reads what these segments say of the trace; whether one is not there. At the last try, such a one is taken
        for one that may hold it everywhere.
        """
        new = [segment for segment in segments if segment.name not in self._places]
        if not new:
            return False
        with ThreadPoolExecutor(min(PARALLEL_FETCHES, len(new))) as pool:
            read = dict(zip([segment.name for segment in new], pool.map(self._places_in, new), strict=True))
        lost = [segment for segment in new if read[segment.name] is None]
        self._places |= {name: places for name, places in read.items() if places is not None}
        if last:
            for segment in lost:
                self._places[segment.name] = _everywhere(segment, "missing")
        return bool(lost)

    def _places_in(self, segment: Segment) -> frozenset[Place] | None:
        key = segment.key(segment.shard_of(self._hash))
        try:
            places = places_of(self._hash, self._objects.get(key), key)
        except NotFound:
            return None
        except Corrupt as why:
            return _everywhere(segment, str(why))
        return frozenset((segment.start_ns + place % FAR * HOUR_NS, place >= FAR) for place in places)


def _everywhere(segment: Segment, reason: str) -> frozenset[Place]:
    """The places of a trace about which a segment says nothing: all. It is answered, but with more work."""
    key = f"{segment.tenant}/{segment.name}"
    _log.error(json.dumps({"message": "the trace index does not read", "segment": key, "reason": reason}))
    hours = range(segment.start_ns, segment.end_ns, HOUR_NS)
    return frozenset((hour_ns, far) for hour_ns in hours for far in (False, True))
