"""Jobs on their way from `plan` to `compact`: one asynchronous invocation a job.

Lambda keeps a queue of its own for these, which costs nothing while it is empty (ADR 0004).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from botocore.client import BaseClient

from spandrel.model.catalogue import Block
from spandrel.model.errors import Undecodable
from spandrel.model.levels import Job
from spandrel.model.trace_index import Indexing, Rollup, Segment

from .faults import told_apart


class LambdaJobs:
    """Hands jobs to one function; `function` is its name or the ARN of its alias."""

    def __init__(self, lambda_client: BaseClient, function: str) -> None:
        self._lambda = lambda_client
        self._function = function

    def send(self, job: Job | Indexing | Rollup) -> None:
        self._hand_out(_said_of(job))

    def send_each(self, job: Job) -> None:
        """To rewrite each of the blocks for itself."""
        self._hand_out(_said_of(job) | {"each": True})

    def _hand_out(self, said: dict[str, Any]) -> None:
        payload = json.dumps(said, separators=(",", ":"))
        with told_apart("handing out a job"):
            self._lambda.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload.encode())


def _said_of(job: Job | Indexing | Rollup) -> dict[str, Any]:
    match job:
        case Job():
            cuts = [cut.hex() for cut in job.cuts]
            return {"tenant": job.tenant, "level": job.level, "inputs": _records(job.inputs), "cuts": cuts}
        case Indexing():
            return {"tenant": job.tenant, "hour_ns": job.hour_ns, "blocks": _records(job.blocks)}
        case Rollup():
            segments = [replace(segment, block_ids=()).record() for segment in job.inputs]  # so that 90 fit an event
            return {"tenant": job.tenant, "start_ns": job.start_ns, "hours": job.hours, "segments": segments}


def _records(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    return [replace(block, operations=None, quantiles=()).record() for block in blocks]  # the blocks know them


def is_of_each(event: Mapping[str, Any]) -> bool:
    """Whether the job in the payload is to rewrite each of its blocks, not to merge them."""
    return bool(event.get("each"))


def job_of(event: Mapping[str, Any]) -> Job | Indexing | Rollup:
    """The payload of an invocation -> the job in it; Undecodable when there is none."""
    try:
        if "segments" in event:
            segments = tuple(map(Segment.from_record, event["segments"]))
            return Rollup(event["tenant"], event["start_ns"], event["hours"], segments)
        if "blocks" in event:
            return Indexing(event["tenant"], event["hour_ns"], tuple(map(Block.from_record, event["blocks"])))
        inputs, cuts = map(Block.from_record, event["inputs"]), map(bytes.fromhex, event["cuts"])
        return Job(event["tenant"], event["level"], tuple(inputs), tuple(cuts))
    except (ValueError, KeyError, TypeError) as error:
        raise Undecodable(f"the event is no job: {error!r}") from error
