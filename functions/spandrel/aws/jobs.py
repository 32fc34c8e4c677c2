"""Merges on their way from `plan` to `compact`: one asynchronous invocation a job.

Lambda keeps a queue of its own for these, which costs nothing while it is empty (ADR 0004).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.client import BaseClient

from spandrel.model.catalogue import Block
from spandrel.model.errors import Undecodable
from spandrel.model.levels import Job

from .faults import told_apart


class LambdaJobs:
    """Hands jobs to one function; `function` is its name or the ARN of its alias."""

    def __init__(self, lambda_client: BaseClient, function: str) -> None:
        self._lambda = lambda_client
        self._function = function

    def send(self, job: Job) -> None:
        self._hand_out(job, each=False)

    def send_each(self, job: Job) -> None:
        """To rewrite each of the blocks for itself."""
        self._hand_out(job, each=True)

    def _hand_out(self, job: Job, *, each: bool) -> None:
        inputs = [
            replace(block, operations=None, quantiles=()).record() for block in job.inputs
        ]  # the blocks know them
        cuts = [cut.hex() for cut in job.cuts]
        said = {"tenant": job.tenant, "level": job.level, "inputs": inputs, "cuts": cuts, "each": each}
        payload = json.dumps(said, separators=(",", ":"))
        with told_apart("handing out a merge"):
            self._lambda.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload.encode())


def is_of_each(event: Mapping[str, Any]) -> bool:
    """Whether the job in the payload is to rewrite each of its blocks, not to merge them."""
    return bool(event.get("each"))


def job_of(event: Mapping[str, Any]) -> Job:
    """The payload of an invocation -> the job in it; Undecodable when there is none."""
    try:
        inputs, cuts = map(Block.from_record, event["inputs"]), map(bytes.fromhex, event["cuts"])
        return Job(event["tenant"], event["level"], tuple(inputs), tuple(cuts))
    except (ValueError, KeyError, TypeError) as error:
        raise Undecodable(f"the event is no merge: {error!r}") from error
