"""What runs beside the local AWS: the functions, the gateway before them, the pollers of queues, the schedules."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from . import deployed
from .assembly import Stack
from .aws import LocalAws
from .calls import AwsCall
from .deployed import Function, QueueMapping, Target
from .gateway import Gateway
from .lambda_service import INVOKE, LambdaService
from .logs import FunctionLog
from .poller import Poller
from .runtime import Environment
from .runtime_api import Outcome
from .schedules import Scheduler

API_GATEWAY = "apigateway.amazonaws.com"
ANNOUNCING = frozenset({"SendMessage", "SendMessageBatch", "ChangeMessageVisibility"})


class Services:
    """Made, started and stopped in one event loop. `added`: variables that the authorizer also gets."""

    def __init__(
        self, aws: LocalAws, stack: Stack, task_root: Path, log: FunctionLog, added: Mapping[str, str]
    ) -> None:
        self._aws = aws
        self._task_root = task_root
        self._log = log
        self._loop = asyncio.get_running_loop()
        self.api = deployed.api(aws, stack)
        self.functions = deployed.functions(aws, stack)
        for name in {route.authorizer.function for route in self.api.routes if route.authorizer}:
            given = self.functions[name]
            self.functions[name] = dataclasses.replace(given, variables={**given.variables, **added})
        self.lambda_service = LambdaService(self.functions.values(), aws.gate.principals, self._environment)
        self.scheduler = Scheduler(aws, deployed.schedules(aws, stack))
        self.pollers = [self._poller(mapping) for mapping in deployed.queue_mappings(aws, stack)]
        self._gateway = Gateway(self.api, self._invoke_for_api)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, sockets: Sequence[socket.socket], *, keep_schedules: bool) -> None:
        """Serves on the sockets, with all that a span and a question meet on their way warmed. InitFailed."""
        await self.lambda_service.warm(self._on_the_way())
        self._aws.gate.instead_of_moto[INVOKE] = self.lambda_service.answer
        self._aws.gate.listeners.append(self._announce)
        self._tasks = [asyncio.create_task(poller.run()) for poller in self.pollers]
        if keep_schedules:
            self._tasks.append(asyncio.create_task(self.scheduler.run()))
        await self._gateway.start(sockets)

    async def stop(self) -> None:
        """Ends what was started, however far `start` came."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.lambda_service.stop()
        await self._gateway.stop()

    async def settled(self) -> None:
        """Returns when no queue has a visible message left, and no function works on one, or on an event for later."""
        await asyncio.gather(*(poller.settled() for poller in self.pollers))
        await self.lambda_service.settled()

    def _on_the_way(self) -> set[str]:
        asked = {route.target.function for route in self.api.routes}
        authorizers = {route.authorizer.function for route in self.api.routes if route.authorizer}
        return asked | authorizers | {poller.mapping.function for poller in self.pollers}

    def _poller(self, mapping: QueueMapping) -> Poller:
        function = self.functions[mapping.function]
        credentials = self._aws.role_session(function.role_arn, "poller")
        invoke = partial(self.lambda_service.invoke, function.arn)
        return Poller(mapping, self._aws.client("sqs", credentials), invoke)

    async def _environment(self, function: Function) -> Environment:
        credentials = await asyncio.to_thread(self._aws.role_session, function.role_arn, function.label)
        return await Environment.start(function, self._task_root, credentials, self._log)

    async def _invoke_for_api(self, target: Target, source_arn: str, event: bytes) -> Outcome:
        return await self.lambda_service.invoke_for(API_GATEWAY, target.arn, source_arn, event)

    def _announce(self, call: AwsCall) -> None:
        """Called in the threads of the local AWS."""
        if call.service != "sqs" or call.operation not in ANNOUNCING:
            return
        for poller in self.pollers:
            if poller.mapping.queue_arn.endswith(f":{call.resource_name}"):
                self._loop.call_soon_threadsafe(poller.announce)
