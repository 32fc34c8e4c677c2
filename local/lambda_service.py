"""Lambda on this machine: invokes the functions of the stack, for AWS's services and for whoever calls its API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from .answers import Answer, error
from .calls import AwsCall
from .deployed import Function, function_name
from .functions import FunctionPool
from .iam import Permission
from .principals import Principals
from .runtime import Environment
from .runtime_api import Outcome, failure

INVOKE = ("lambda", "Invoke")


class LambdaService:
    """All functions of one stack. Its methods belong to the event loop in which it was made, but for `answer`."""

    def __init__(
        self,
        functions: Iterable[Function],
        principals: Principals,
        start: Callable[[Function], Awaitable[Environment]],
    ) -> None:
        self._functions = {each.name: each for each in functions}
        self._pools = {name: FunctionPool(partial(start, each)) for name, each in self._functions.items()}
        self._principals = principals
        self._loop = asyncio.get_running_loop()
        self._later: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> list[Environment]:
        """All environments there are now."""
        return [environment for pool in self._pools.values() for environment in pool.running]

    async def warm(self, names: Iterable[str]) -> None:
        """Returns when each of the functions has an environment that is ready. InitFailed."""
        await asyncio.gather(*(self._pools[name].warm() for name in names))

    async def stop(self) -> None:
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))

    async def invoke(self, arn: str, payload: bytes) -> Outcome:
        """What came of one event (JSON). The ARN may name a version or an alias."""
        return await self._pools[function_name(arn)].invoke(payload)

    async def invoke_for(self, service: str, arn: str, source_arn: str, payload: bytes) -> Outcome:
        """The same for a service of AWS, if the function's own policy lets it."""
        if not self._principals.allows_service(service, Permission("lambda:InvokeFunction", arn), source_arn):
            return failure("AccessDeniedException", f"{service} may not invoke {arn} for {source_arn}")
        return await self.invoke(arn, payload)

    def invoke_later(self, arn: str, payload: bytes) -> None:
        """Nobody waits for this one. It is tried again as often as the template says, here without Lambda's pauses."""
        task = asyncio.create_task(self._tried(arn, payload, self._functions[function_name(arn)].retries))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def settled(self) -> None:
        """Returns when nothing is left of what was invoked for later."""
        while self._later:
            await asyncio.wait(self._later)

    def answer(self, call: AwsCall) -> Answer:
        """Lambda's API, operation Invoke, in the thread of the caller."""
        arn = call.permissions[0].resource
        if function_name(arn) not in self._functions:
            return error(call, "ResourceNotFoundException", f"Function not found: {arn}", 404)
        if call.request.headers.get("x-amz-invocation-type") == "Event":
            self._loop.call_soon_threadsafe(self.invoke_later, arn, call.request.body)
            return Answer(202, "application/json", "")
        outcome = asyncio.run_coroutine_threadsafe(self.invoke(arn, call.request.body), self._loop).result()
        told: Mapping[str, str] = {"X-Amz-Function-Error": "Unhandled"} if outcome.error else {}
        return Answer(200, "application/json", outcome.payload.decode(), told)

    async def _tried(self, arn: str, payload: bytes, retries: int) -> None:
        for _ in range(1 + retries):
            outcome = await self.invoke(arn, payload)
            if not outcome.error:
                return
