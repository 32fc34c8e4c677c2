"""The HTTP API on this machine: what API Gateway does between a client and the functions.

Limits and error texts are those of the API Gateway guide ("Quotas for HTTP APIs") and of Lambda's synchronous payload.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDict

from .cors import preflight, with_cors
from .deployed import Api, Route, Target
from .http_events import (
    BrokenAnswer,
    HttpAnswer,
    HttpRequest,
    answer_of,
    authorizer_event,
    integration_event,
    message,
)
from .routes import find_route
from .runtime_api import Outcome

BODY_BYTES = 10 * 1024 * 1024
EVENT_BYTES = 6 * 1024 * 1024
AUTHORIZER_TIMEOUT_S = 10
SHUTDOWN_S = 0.1  # for requests in progress, once the stack is to stop; 0 would be for ever
HOP_BY_HOP = frozenset({"connection", "expect", "keep-alive", "te", "transfer-encoding", "upgrade"})

Invoke = Callable[[Target, str, bytes], Awaitable[Outcome]]
"""(whom, the ARN for whose sake, event) -> outcome. Refuses what the function's own policy does not allow."""

log = logging.getLogger(__name__)


class Gateway:
    """Serves one API on given sockets, from `start` until `stop`."""

    def __init__(self, api: Api, invoke: Invoke) -> None:
        self._api = api
        self._invoke = invoke
        self._invocations: set[asyncio.Future[Outcome]] = set()
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, auto_decompress=False, shutdown_timeout=SHUTDOWN_S)

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        await self._runner.setup()
        for listening in sockets:
            await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _handle(self, incoming: web.Request) -> web.Response:
        request_id = uuid.uuid4().hex
        try:
            request = _request(incoming, await incoming.read(), request_id)
            answer = await self._answer(request)
        except web.HTTPRequestEntityTooLarge:
            request = _request(incoming, b"", request_id)
            answer = with_cors(self._api.cors, request, message(413, "Request Entity Too Large"))
        return _response(answer, request_id)

    async def _answer(self, request: HttpRequest) -> HttpAnswer:
        found = find_route(self._api.routes, request.method, request.path)
        if found is None and request.method == "OPTIONS" and self._api.cors.origins:
            return preflight(self._api.cors, request)
        answer = await self._routed(request, *found) if found else message(404, "Not Found")
        return with_cors(self._api.cors, request, answer)

    async def _routed(self, request: HttpRequest, route: Route, parameters: dict[str, str]) -> HttpAnswer:
        event = integration_event(request, route.key.text, parameters, self._api)
        if route.authorizer:
            refusal, context = await self._authorize(route.authorizer, request, route, parameters)
            if refusal:
                return refusal
            event["requestContext"]["authorizer"] = {"lambda": context}
        return await self._integrate(route, request, event)

    async def _authorize(
        self, authorizer: Target, request: HttpRequest, route: Route, parameters: dict[str, str]
    ) -> tuple[HttpAnswer | None, dict[str, Any]]:
        """(the gateway's refusal, if any; the context that the authorizer gives to the function)"""
        event = authorizer_event(request, route.key.text, parameters, self._api)
        source = f"{self._api.execution_arn}/authorizers/{authorizer.authorizer_id}"
        outcome = await self._invoked(authorizer, source, event, AUTHORIZER_TIMEOUT_S)
        if outcome is None or outcome.error:
            return message(500, "Internal Server Error"), {}
        answer = json.loads(outcome.payload)
        if not isinstance(answer, dict) or not isinstance(answer.get("isAuthorized"), bool):
            return message(500, "Internal Server Error"), {}
        refusal = None if answer["isAuthorized"] else message(403, "Forbidden")
        return refusal, answer.get("context") or {}

    async def _integrate(self, route: Route, request: HttpRequest, event: dict[str, Any]) -> HttpAnswer:
        source = f"{self._api.execution_arn}/$default/{request.method}{route.key.path}"
        outcome = await self._invoked(route.target, source, event, route.timeout_s)
        if outcome is None:
            return message(503, "Service Unavailable")
        if outcome.error == "RequestTooLarge":
            return message(413, "Request Entity Too Large")
        if outcome.error:
            return message(500, "Internal Server Error")
        try:
            return answer_of(outcome.payload)
        except BrokenAnswer as error:
            log.warning("%s answered with %s", route.target.function, error)
            return message(500, "Internal Server Error")

    async def _invoked(self, target: Target, source: str, event: dict[str, Any], timeout_s: float) -> Outcome | None:
        """The outcome, or None when it took too long; the function then works on, as it does in Lambda."""
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        if len(payload) > EVENT_BYTES:
            return Outcome(b"", "RequestTooLarge")
        invocation = asyncio.ensure_future(self._invoke(target, source, payload))
        self._invocations.add(invocation)  # held, or the loop would forget one that nobody waits for any more
        invocation.add_done_callback(self._invocations.discard)
        done, _ = await asyncio.wait({invocation}, timeout=timeout_s)
        return invocation.result() if done else None


def _request(incoming: web.Request, body: bytes, request_id: str) -> HttpRequest:
    path, _, query = incoming.raw_path.partition("?")
    headers = [(name.lower(), value) for name, value in incoming.headers.items() if name.lower() not in HOP_BY_HOP]
    if not incoming.headers.get("content-length"):
        headers.append(("content-length", str(len(body))))
    remote = incoming.remote or ""
    forwarded = [("x-forwarded-for", remote), ("x-forwarded-proto", incoming.scheme)]
    return HttpRequest(
        method=incoming.method,
        path=unquote(path),
        query=query,
        headers=(*headers, *forwarded),
        body=body,
        source_ip=remote,
        request_id=request_id,
        received=datetime.now(UTC),
    )


def _response(answer: HttpAnswer, request_id: str) -> web.Response:
    headers = CIMultiDict([*answer.headers, ("apigw-requestid", request_id)])
    return web.Response(status=answer.status, body=answer.body, headers=headers)
