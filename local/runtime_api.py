"""The Lambda Runtime API, over which one function process asks for its events and gives back what came of them.

The protocol is that of "Using the Lambda runtime API for custom runtimes" in the Lambda guide.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
import uuid
from dataclasses import dataclass

from aiohttp import web

RESPONSE_BYTES = 6 * 1024 * 1024 + 100  # Lambda's limit on the payload of an answer
VERSION = "/2018-06-01/runtime"
SHUTDOWN_S = 0.1  # for a request in progress, once the process has ended; 0 would be for ever


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an event: the function's answer (JSON), or Lambda's name for why there is none."""

    payload: bytes
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One invocation, from the moment it is offered to the process."""

    request_id: str
    payload: bytes
    deadline_ms: int
    outcome: asyncio.Future[Outcome]


class RuntimeApi:
    """One process's side of Lambda, on a port of its own.

    `ready` resolves when the process asks for its first event, to nothing, or to the reason why it gives up.
    """

    def __init__(self, function_arn: str) -> None:
        self._function_arn = function_arn
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._event: Event | None = None
        self.ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=SHUTDOWN_S)

    async def serve(self) -> int:
        """Starts to serve; the port."""
        listening = socket.create_server(("127.0.0.1", 0))
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()
        port: int = listening.getsockname()[1]
        return port

    async def close(self) -> None:
        await self._runner.cleanup()

    def offer(self, payload: bytes, timeout_s: float) -> Event:
        """The process gets the event next. There may be only one at a time."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        deadline_ms = int((time.time() + timeout_s) * 1000)
        self._event = Event(str(uuid.uuid4()), payload, deadline_ms, outcome)
        self._events.put_nowait(self._event)
        return self._event

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=4 * RESPONSE_BYTES)
        application.router.add_get(f"{VERSION}/invocation/next", self._next)
        application.router.add_post(VERSION + "/invocation/{request_id}/response", self._response)
        application.router.add_post(VERSION + "/invocation/{request_id}/error", self._error)
        application.router.add_post(f"{VERSION}/init/error", self._init_error)
        return application

    async def _next(self, _request: web.Request) -> web.Response:
        if not self.ready.done():
            self.ready.set_result("")
        event = await self._events.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        return web.Response(body=event.payload, content_type="application/json", headers=headers)

    async def _response(self, request: web.Request) -> web.Response:
        payload = await request.read()
        if len(payload) <= RESPONSE_BYTES:
            return self._take(request, Outcome(payload))
        text = f"Response payload size ({len(payload)} bytes) exceeds the maximum ({RESPONSE_BYTES} bytes)"
        return self._take(request, failure("Function.ResponseSizeTooLarge", text))

    async def _error(self, request: web.Request) -> web.Response:
        error = request.headers.get("Lambda-Runtime-Function-Error-Type", "Unhandled")
        return self._take(request, Outcome(await request.read(), error))

    def _take(self, request: web.Request, outcome: Outcome) -> web.Response:
        event = self._event
        if event is None or event.request_id != request.match_info["request_id"] or event.outcome.done():
            return web.json_response({"errorType": "InvalidRequestID", "errorMessage": "no such event"}, status=400)
        event.outcome.set_result(outcome)
        return web.json_response({"status": "OK"}, status=202)

    async def _init_error(self, request: web.Request) -> web.Response:
        error = json.loads(await request.read())
        if not self.ready.done():
            self.ready.set_result(f"{error.get('errorType')}: {error.get('errorMessage')}")
        return web.json_response({"status": "OK"}, status=202)


def failure(error: str, message: str) -> Outcome:
    """An outcome that Lambda itself gives, instead of the function."""
    return Outcome(json.dumps({"errorType": error, "errorMessage": message}).encode(), error)
