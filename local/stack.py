"""The stack on this machine: `with LocalStack(assembly, functions) as stack:` and `stack.url` answers as deployed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from botocore.client import BaseClient

from .assembly import Stack, bootstrap, create_stack
from .aws import LocalAws
from .deployed import Function
from .faults import Faults
from .logs import FunctionLog
from .services import Services

T = TypeVar("T")
HOST = "127.0.0.1"


class LocalStack:
    """The template of `assembly`, with the functions running from the folder `functions`.

    It listens on the sockets given (default: a free port of loopback). `authorizer` are variables that the API's
    authorizer gets beside those of the template. What the functions write goes to `log`, and to stderr if `verbose`.
    `announce` hears what the start is at. Schedules fire in their own time if `keep_schedules`, else only when
    `fire_schedules` is called. `deploy` makes the stack of the assembly, in an account that is bootstrapped.
    """

    def __init__(
        self,
        assembly: Path,
        functions: Path,
        log: Path,
        *,
        sockets: Sequence[socket.socket] = (),
        authorizer: Mapping[str, str] | None = None,
        announce: Callable[[str], None] = lambda _: None,
        verbose: bool = False,
        keep_schedules: bool = False,
        deploy: Callable[[LocalAws, Path], Stack] = create_stack,
    ) -> None:
        self._assembly = assembly
        self._functions = functions
        self.log_path = log
        self._sockets = sockets
        self._authorizer = authorizer or {}
        self._announce = announce
        self._verbose = verbose
        self._keep_schedules = keep_schedules
        self._deploy = deploy
        self._closing = contextlib.ExitStack()
        self._loop: asyncio.AbstractEventLoop
        self.aws: LocalAws
        self.stack: Stack
        self.services: Services
        self.url = ""

    def __enter__(self) -> LocalStack:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends all that was started, at once; more than once is fine."""
        self._closing.close()

    def client(self, service: str) -> BaseClient:
        """A client of boto3 for the local AWS, as its administrator."""
        return self.aws.client(service)

    def settle(self, timeout_s: float = 60) -> None:
        """Returns when all that came in has been worked on: no visible message, no event, is left of it."""
        self._run(asyncio.wait_for(self.services.settled(), timeout_s))

    def fire_schedules(self) -> None:
        """Invokes the target of each schedule now."""
        self.services.scheduler.fire_all()

    @property
    def functions(self) -> list[Function]:
        """The functions as deployed."""
        return list(self.services.functions.values())

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose in the local AWS."""
        return self.aws.gate.faults

    def look_at_queues(self) -> None:
        """Lets the pollers know that there may be messages."""
        for poller in self.services.pollers:
            self._loop.call_soon_threadsafe(poller.announce)

    def _start(self) -> None:
        sockets = self._sockets or [socket.create_server((HOST, 0))]
        for each in sockets:
            self._closing.callback(each.close)
        self.url = f"http://{HOST}:{sockets[0].getsockname()[1]}"
        self._announce("creating the stack")
        self.aws = LocalAws()
        self._closing.callback(self.aws.stop)
        bootstrap(self.aws)
        self.stack = self._deploy(self.aws, self._assembly)
        log = FunctionLog(self.log_path, echo=self._verbose)
        self._closing.callback(log.close)
        self._loop = self._closing.enter_context(event_loop())
        self._announce("starting the functions")
        self.services = self._run(self._made(log))
        self._closing.callback(lambda: self._run(self.services.stop()))
        self._run(self.services.start(sockets, keep_schedules=self._keep_schedules))

    async def _made(self, log: FunctionLog) -> Services:
        return Services(self.aws, self.stack, self._functions, log, self._authorizer)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Has the event loop do the work; gives its result. Whoever stops waiting calls the work off."""
        doing = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return doing.result()
        except BaseException:
            doing.cancel()
            raise


@contextlib.contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="local-stack", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        # In the loop's own thread: this one may have a loop of somebody else's.
        asyncio.run_coroutine_threadsafe(_called_off(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _called_off() -> None:
    """Ends connections that somebody keeps open: they must not outlive their loop. All else has been ended by name."""
    kept_open = [task for task in asyncio.all_tasks() if "RequestHandler." in repr(task.get_coro())]
    for task in kept_open:
        task.cancel()
    if kept_open:
        await asyncio.wait(kept_open)
    await asyncio.get_running_loop().shutdown_default_executor()
