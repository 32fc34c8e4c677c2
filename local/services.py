"""What runs beside the local AWS: the functions, the gateway before them, and the pollers of their queues."""

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
from .functions import FunctionPool
from .gateway import Gateway
from .iam import Permission
from .logs import FunctionLog
from .poller import Poller
from .runtime import Environment
from .runtime_api import Outcome, failure

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
        api = deployed.api(aws, stack)
        self.functions = functions = deployed.functions(aws, stack)
        for name in {route.authorizer.function for route in api.routes if route.authorizer}:
            given = functions[name]
            functions[name] = dataclasses.replace(given, variables={**given.variables, **added})
        self.pools = {name: FunctionPool(partial(self._environment, each)) for name, each in functions.items()}
        self._gateway = Gateway(api, self._invoke_for_api)
        self.pollers = [self._poller(functions[each.function], each) for each in deployed.queue_mappings(aws, stack)]
        self._polling: list[asyncio.Task[None]] = []

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serves on the sockets, with each function warmed, when this returns. InitFailed."""
        await asyncio.gather(*(pool.warm() for pool in self.pools.values()))
        self._polling = [asyncio.create_task(poller.run()) for poller in self.pollers]
        self._aws.gate.listeners.append(self._announce)
        await self._gateway.start(sockets)

    async def stop(self) -> None:
        """Ends what was started, however far `start` came."""
        for task in self._polling:
            task.cancel()
        await asyncio.gather(*self._polling, return_exceptions=True)
        await asyncio.gather(*(pool.stop() for pool in self.pools.values()))
        await self._gateway.stop()

    def _poller(self, function: Function, mapping: QueueMapping) -> Poller:
        credentials = self._aws.role_session(function.role_arn, "poller")
        return Poller(mapping, self._aws.client("sqs", credentials), self.pools[function.name].invoke)

    async def _environment(self, function: Function) -> Environment:
        credentials = await asyncio.to_thread(self._aws.role_session, function.role_arn, function.label)
        return await Environment.start(function, self._task_root, credentials, self._log)

    async def _invoke_for_api(self, target: Target, source_arn: str, event: bytes) -> Outcome:
        needed = Permission("lambda:InvokeFunction", target.arn)
        if not self._aws.gate.principals.allows_service(API_GATEWAY, needed, source_arn):
            return failure("AccessDeniedException", f"{API_GATEWAY} may not invoke {target.arn} for {source_arn}")
        return await self.pools[target.function].invoke(event)

    def _announce(self, call: AwsCall) -> None:
        """Called in the threads of the local AWS."""
        if call.service != "sqs" or call.operation not in ANNOUNCING:
            return
        for poller in self.pollers:
            if poller.mapping.queue_arn.endswith(f":{call.resource_name}"):
                self._loop.call_soon_threadsafe(poller.announce)
