"""An execution environment: one process of a function under awslambdaric.

As in Lambda, it works on one event at a time, keeps its memory between events, and is gone after a timeout, a crash, or
when it takes more memory than the template gives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .deployed import Function
from .failures import InitFailed
from .logs import FunctionLog
from .runtime_api import Outcome, RuntimeApi, failure

LINE_BYTES = 1024 * 1024
INIT_S = 60  # far more than Lambda's 10 s: this machine may be starting many environments at once
MEMORY_SAMPLE_S = 0.05
SCRIPT = Path(__file__).with_name("function_process.py")


class Environment:
    """Made by `start`. `access_key` tells its calls to AWS from those of others."""

    def __init__(
        self, function: Function, log: FunctionLog, access_key: str, api: RuntimeApi, process: Process
    ) -> None:
        self.function = function
        self.access_key = access_key
        self._log = log
        self._api = api
        self._process = process
        self._output = asyncio.create_task(self._read_output())
        self._exited = asyncio.create_task(process.wait())

    @classmethod
    async def start(
        cls, function: Function, task_root: Path, credentials: Mapping[str, str], log: FunctionLog
    ) -> Environment:
        """Ready for its first event when this returns. InitFailed."""
        api = RuntimeApi(function.arn)
        try:
            variables = {**_lambda_variables(function, task_root, await api.serve()), **credentials}
            process = await _process(function.handler, task_root, variables)
        except BaseException:
            await api.close()
            raise
        environment = cls(function, log, credentials["AWS_ACCESS_KEY_ID"], api, process)
        try:
            await environment._initialised()
        except BaseException:
            await environment.stop()
            raise
        return environment

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._exited.done()

    async def invoke(self, payload: bytes) -> Outcome:
        """Hands over one event (JSON) and waits for the outcome, at most for the function's timeout."""
        began_s = time.perf_counter()
        event = self._api.offer(payload, self.function.timeout_s)
        outcome = await self._watched(event.outcome)
        self._report(event.request_id, time.perf_counter() - began_s, outcome)
        return outcome

    def kill(self) -> None:
        """Ends the process at once, from any thread."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ends the process and closes all that belongs to the environment."""
        self.kill()
        await self._exited
        await self._output
        await self._api.close()

    async def _initialised(self) -> None:
        ready = self._api.ready
        await self._exit_or(ready, INIT_S)
        if not ready.done():
            raise InitFailed(f"{self.function.label}: {self._ending() or f'it was not ready after {INIT_S} s'}")
        if reason := ready.result():
            raise InitFailed(f"{self.function.label}: {reason}")

    async def _read_output(self) -> None:
        output = self._process.stdout
        assert output is not None
        while True:
            try:
                line = await output.readline()
            except ValueError:
                line = b"(a line that is too long to show)"
            if not line:
                return
            self._log.write(self.function.label, line.decode(errors="replace"))

    async def _watched(self, outcome: asyncio.Future[Outcome]) -> Outcome:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + self.function.timeout_s
        while not outcome.done():
            if not self.alive:
                return failure("Runtime.ExitError", self._ending())
            if loop.time() >= end_s:
                return await self._ended("Sandbox.Timedout", f"Task timed out after {self.function.timeout_s} seconds")
            if self._memory_mb() > self.function.memory_mb:
                return await self._ended("Runtime.OutOfMemory", f"Task took more than {self.function.memory_mb} MB")
            pause_s = min(MEMORY_SAMPLE_S, end_s - loop.time())
            await self._exit_or(outcome, pause_s)
        return outcome.result()

    async def _exit_or(self, other: asyncio.Future[Any], timeout_s: float) -> None:
        either: set[asyncio.Future[Any]] = {other, self._exited}
        await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)

    async def _ended(self, error: str, message: str) -> Outcome:
        self.kill()
        await self._exited
        return failure(error, message)

    def _ending(self) -> str:
        code = self._process.returncode
        return "" if code is None else f"the process ended with {code}; what it wrote is in {self._log.path}"

    def _memory_mb(self) -> float:
        """The process's memory that no file backs; 0 where the system does not tell (it is Linux that does)."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("RssAnon:")), 0)

    def _report(self, request_id: str, duration_s: float, outcome: Outcome) -> None:
        """The line that Lambda writes after each invocation, with the error, if there was one."""
        memory = f"Memory Size: {self.function.memory_mb} MB\tMemory Used: {self._memory_mb():.0f} MB"
        error = f"\tError: {outcome.error} {outcome.payload[:2000].decode(errors='replace')}" if outcome.error else ""
        line = f"REPORT RequestId: {request_id}\tDuration: {duration_s * 1000:.2f} ms\t{memory}{error}"
        self._log.write(self.function.label, line)


async def _process(handler: str, task_root: Path, variables: Mapping[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", str(SCRIPT), handler),
        cwd=task_root,
        env=variables,
        stdin=PIPE,  # held open, never written: see function_process
        stdout=PIPE,
        stderr=STDOUT,
        limit=LINE_BYTES,
        start_new_session=True,  # Ctrl-C at the terminal is for the stack, which then ends its functions
    )


def _lambda_variables(function: Function, task_root: Path, port: int) -> dict[str, str]:
    """The template's variables, and those that Lambda itself sets ("Defined runtime environment variables")."""
    return {
        **function.variables,
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": function.handler,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    }
