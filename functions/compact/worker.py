"""Merges the blocks of one job and swaps them for what came out.

Outputs and their tallies are written first, then a record of the merge, then one transaction takes the inputs out and
the outputs in. Whoever dies before it leaves objects that no entry names, which the keeper sweeps; whoever dies after
it is done. Of two that merge the same blocks one has its transaction refused. Deleted spans are left out of whatever is
merged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from spandrel.blocks.erasing import Erasure
from spandrel.blocks.merge import draft_of, merged
from spandrel.blocks.source import Source
from spandrel.blocks.tally import Tallied, tallied
from spandrel.blocks.writer import WrittenBlock, block_name
from spandrel.model.catalogue import Block, Ledger, ObjectStore
from spandrel.model.deletions import Deletion
from spandrel.model.errors import Conflict, Corrupt, NotFound, QueryTooBroad
from spandrel.model.levels import Job
from spandrel.model.lifecycle import BLOCK
from spandrel.model.merges import Merge, merge_key
from spandrel.query.text_values import typed_values

PARALLEL_READS = 8

_log = logging.getLogger("compact")


@dataclass(frozen=True, slots=True)
class Worker:
    """Knows no clock: what comes out depends on what goes in alone."""

    objects: ObjectStore
    ledger: Ledger

    def run(self, job: Job) -> None:
        """The job, unless its blocks are gone already. Overloaded when it can be done later."""
        if not self.ledger.live(job.inputs):
            return
        deletions = self.ledger.deletions(job.tenant)
        readable, sources = self._sources(job.inputs, deletions.pending)
        if not readable:
            return
        merge = replace(job, inputs=tuple(readable))
        name = output_name(job, deletions.number)
        outputs = list(self._written(merge, sources, name, deletions.number))
        record = Merge(tuple(block.key for block in readable), tuple(block.key for block in outputs))
        self.objects.put(merge_key(readable, name), record.as_json(), passing=BLOCK)
        try:
            self.ledger.swap(job.name, readable, outputs)
        except Conflict as lost:
            _log.info("somebody else was first: %s", lost)

    def rewrite(self, job: Job) -> None:
        """Holds each of the blocks to the tenant's deletions: one that has none of their spans is only noted so."""
        for block in job.inputs:
            deletions = self.ledger.deletions(job.tenant)
            if self._has_deleted(block, deletions.pending):
                self.run(Job(job.tenant, block.level, (block,)))
            else:
                self.ledger.held_to(block, deletions.number)

    def _has_deleted(self, block: Block, deletions: Sequence[Deletion]) -> bool:
        """Whether the block has deleted spans, or does not read: then `run` says so."""
        erasure = erasure_of(block, deletions)
        body = self._body(block) if erasure else b""
        try:
            return erasure is not None and (body is None or Source(block, body, erasure).has_erased())
        except Corrupt:
            return True

    def _written(self, job: Job, sources: Sequence[Source], name: str, deletions: int) -> Iterator[Block]:
        begun = partial(draft_of, job.inputs, job.level, name, deletions=deletions)
        for block in merged(sources, begun, job.cuts):
            self.objects.put(block.entry.key, block.body, passing=BLOCK)
            counted = _tallied(block)
            for part, body in counted.bodies:
                self.objects.put(counted.entry.part_key(part), body, passing=BLOCK)
            yield counted.entry

    def _sources(self, inputs: Sequence[Block], deletions: Sequence[Deletion]) -> tuple[list[Block], list[Source]]:
        """The blocks that can be swapped out, and those of them that have spans to give."""
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            bodies = list(pool.map(self._body, inputs))
        swapped, sources = [], []
        for block, body in zip(inputs, bodies, strict=True):
            try:
                sources += [Source(block, body, erasure_of(block, deletions))] if body is not None else []
                swapped.append(block)
            except Corrupt as why:
                _log.error("a block is set aside: %s", why)
                self.ledger.set_aside(block)
        return swapped, sources

    def _body(self, block: Block) -> bytes | None:
        try:
            return self.objects.get(block.key)
        except NotFound:
            _log.error("block %s has no object %s; its entry goes", block.block_id, block.key)
            return None


def _tallied(block: WrittenBlock) -> Tallied:
    """The block with its tally. One whose traces are too intricate to be counted has none, and is read instead."""
    try:
        return tallied(block)
    except QueryTooBroad as why:
        _log.warning("block %s goes without a tally: %s", block.entry.block_id, why)
        return Tallied(block.entry, ())


def output_name(job: Job, deletions: int) -> str:
    """What the outputs are called: after the job and, because they depend on it, the last deletion that was known."""
    return block_name([job.name, str(deletions)]) if deletions else job.name


def erasure_of(block: Block, deletions: Sequence[Deletion]) -> Erasure | None:
    """What a block's spans must not have any more; None where no deletion is about it."""
    about = [deletion for deletion in deletions if deletion.is_about(block)]
    if not about:
        return None
    attributes = [deletion.attribute for deletion in about if deletion.attribute]
    return Erasure(
        trace_ids=[deletion.trace_id for deletion in about if deletion.trace_id],
        attributes=[(key, typed_values(text)) for key, text in attributes],
    )
