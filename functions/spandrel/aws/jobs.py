"""Merges on their way from planner to worker: one SQS message a job."""

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


class SqsJobs:
    """Sends jobs to one queue."""

    def __init__(self, sqs: BaseClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, job: Job) -> None:
        inputs = [replace(block, operations=None).record() for block in job.inputs]  # the blocks know their operations
        body = json.dumps({"tenant": job.tenant, "level": job.level, "inputs": inputs}, separators=(",", ":"))
        with told_apart("handing out a merge"):
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body)


def job_of(record: Mapping[str, Any]) -> Job:
    """A record of Lambda's SQS event -> the job in it; Undecodable when there is none."""
    try:
        said = json.loads(record["body"])
        return Job(said["tenant"], said["level"], tuple(map(Block.from_record, said["inputs"])))
    except (ValueError, KeyError, TypeError) as error:
        raise Undecodable(f"the message is no merge: {error!r}") from error
