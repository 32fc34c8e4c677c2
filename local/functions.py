"""A function of the stack: as many execution environments as its events need, up to a small number."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine

from .failures import InitFailed
from .runtime import Environment
from .runtime_api import Outcome, failure

# Lambda would start another environment for every event that meets only busy ones. Here more than a few only fight for
# the cores, so that further events wait their turn instead.
ENVIRONMENTS_MAX = 3


class FunctionPool:
    """The environments of one function. Everything but reading `running` belongs to the thread of the event loop."""

    def __init__(self, start: Callable[[], Awaitable[Environment]]) -> None:
        self._start = start
        self._idle: list[Environment] = []
        self._waiting: deque[asyncio.Future[Environment]] = deque()
        self._starting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.running: list[Environment] = []

    async def warm(self) -> None:
        """Returns when one environment is ready. InitFailed."""
        self._give_back(await self._acquire())

    async def invoke(self, payload: bytes) -> Outcome:
        """What came of one event (JSON), in an idle environment, a new one, or the first to be free."""
        try:
            environment = await self._acquire()
        except InitFailed as error:
            return failure("Runtime.InitError", str(error))
        try:
            return await environment.invoke(payload)
        finally:
            self._give_back(environment)

    async def stop(self) -> None:
        """Ends all environments. What they were working on has ended with an error when this returns."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(environment.stop() for environment in self.running))

    async def _acquire(self) -> Environment:
        while self._idle:
            environment = self._idle.pop()  # the one used last, as Lambda does, so that the others may rest
            if environment.alive:
                return environment
            self._discard(environment)
        waiter: asyncio.Future[Environment] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._start_what_is_missed()
        return await waiter

    def _give_back(self, environment: Environment) -> None:
        """To the one who has waited longest, or to rest."""
        if not environment.alive:
            self._discard(environment)
        elif waiter := self._first_waiting():
            waiter.set_result(environment)
        else:
            self._idle.append(environment)

    def _first_waiting(self) -> asyncio.Future[Environment] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def _start_what_is_missed(self) -> None:
        while self._starting < len(self._waiting) and self._starting + len(self.running) < ENVIRONMENTS_MAX:
            self._starting += 1
            self._in_background(self._start_one())

    async def _start_one(self) -> None:
        try:
            environment = await self._start()
        except InitFailed as error:
            self._starting -= 1
            if waiter := self._first_waiting():
                waiter.set_exception(error)
            self._start_what_is_missed()
            return
        self._starting -= 1
        self.running.append(environment)
        self._give_back(environment)

    def _discard(self, environment: Environment) -> None:
        self.running.remove(environment)
        self._in_background(environment.stop())
        self._start_what_is_missed()

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
