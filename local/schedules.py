"""EventBridge Scheduler on this machine: invokes its targets at a rate, under the role that each schedule names."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from .aws import LocalAws
from .deployed import Schedule

SCHEDULER = "scheduler.amazonaws.com"
log = logging.getLogger(__name__)


class Scheduler:
    """The schedules of one stack: fired in time while `run` runs, and all at once by `fire_all`."""

    def __init__(self, aws: LocalAws, schedules: Sequence[Schedule]) -> None:
        self._aws = aws
        self._schedules = schedules

    async def run(self) -> None:
        """Until it is cancelled."""
        await asyncio.gather(*(self._repeat(schedule) for schedule in self._schedules))

    def fire_all(self) -> None:
        """Invokes each target now; returns when Lambda has taken the events. Blocks, so not for an event loop."""
        for schedule in self._schedules:
            self._fire(schedule)

    async def _repeat(self, schedule: Schedule) -> None:
        while True:
            await asyncio.sleep(schedule.every_s)
            try:
                await asyncio.to_thread(self._fire, schedule)
            except (ClientError, BotoCoreError) as error:
                log.error("schedule %s: %s", schedule.name, error)

    def _fire(self, schedule: Schedule) -> None:
        session = self._aws.role_session(schedule.role_arn, "scheduler", SCHEDULER)
        client = self._aws.client("lambda", session)
        client.invoke(FunctionName=schedule.target_arn, InvocationType="Event", Payload=self._event(schedule))

    def _event(self, schedule: Schedule) -> bytes:
        """The event of a target for which the template says no input."""
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": self._aws.account_id,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._aws.region,
            "resources": [schedule.arn],
            "detail": "{}",
        }
        return (schedule.payload or json.dumps(event)).encode()
