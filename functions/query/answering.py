"""Answers questions about traces, whichever API they come by."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from spandrel.api.health import health
from spandrel.api.parameters import Parameters
from spandrel.api.question import METHODS, Question, ReadApi, not_allowed
from spandrel.blocks.block_cache import Unread
from spandrel.http.identity import identified
from spandrel.http.request import Event, Request, request_of
from spandrel.http.response import Answer, Response, answer_of, delivered, encoded
from spandrel.model.catalogue import VersionedObjects
from spandrel.model.errors import Corrupt, Overloaded, SpandrelError
from spandrel.model.lifecycle import ANSWER
from spandrel.model.limits import ANSWER_BYTES, ANSWER_URL_SECONDS
from spandrel.model.log_lines import UNREAD_BLOCKS
from spandrel.query.reading import TraceStore

from .apis import api_of

_log = logging.getLogger("query")

HEALTH = "/health"

SEE_OTHER = 303
UNREAD_HEADER = "spandrel-unread-blocks"


@dataclass(frozen=True, slots=True)
class Answering:
    """`clock_ns`: unix time in nanoseconds."""

    store: TraceStore
    objects: VersionedObjects
    clock_ns: Callable[[], int]

    def answer(self, event: Event) -> Answer:
        """An HTTP API's event -> what its client is told."""
        request = request_of(event)
        if request.path == HEALTH:
            return answer_of(self._health(request), request)
        api = api_of(request.path)
        try:
            return delivered(self._answered(request, api))
        except SpandrelError as error:
            _log_fault(error)
            return answer_of(api.refuse(error), request)

    def _health(self, request: Request) -> Response:
        if request.method not in METHODS:
            return api_of(HEALTH).refuse(not_allowed(request))
        return health(self.store.catalogue, self.objects, self.clock_ns())

    def _answered(self, request: Request, api: ReadApi) -> Response:
        """The response as it travels."""
        tenant = identified(request).tenant
        endpoint, path = api.endpoint(request)
        reading = self.store.reading(tenant)
        response = endpoint(Question(request, Parameters(request.query), path, reading, self.clock_ns(), self.objects))
        _log_unread(reading.unread)
        return self._fitting(encoded(_marked(response, reading.unread), request), tenant)

    def _fitting(self, sent: Response, tenant: str) -> Response:
        """The response, or a redirect to where it lies if it is more than a function can return."""
        if len(sent.body) <= ANSWER_BYTES:
            return sent
        day = datetime.fromtimestamp(self.clock_ns() // 10**9, UTC).date().isoformat()
        key = f"{tenant}/answers/{day}/{secrets.token_hex(16)}"
        kept = {name: value for name, value in sent.headers.items() if name == "content-encoding"}
        self.objects.put(key, sent.body, passing=ANSWER, headers={"content-type": sent.content_type, **kept})
        others = {name: value for name, value in sent.headers.items() if name not in kept}
        location = self.objects.link(key, ANSWER_URL_SECONDS)
        return replace(sent, status=SEE_OTHER, body=b"", headers={**others, "location": location})


def _marked(response: Response, unread: Sequence[Unread]) -> Response:
    """The response says how many blocks it lacks; OTLP's JSON has no place for that."""
    if not unread:
        return response
    return replace(response, headers={**response.headers, UNREAD_HEADER: str(len(unread))})


def _log_unread(unread: Sequence[Unread]) -> None:
    if unread:
        reasons = {one.block.key: one.reason for one in unread}
        _log.warning(json.dumps({"message": UNREAD_BLOCKS, "count": len(unread), "blocks": reasons}))


def _log_fault(error: SpandrelError) -> None:
    """Logs what somebody has to look at, not what the client can mend or wait for."""
    if isinstance(error, Corrupt) or (isinstance(error, Overloaded) and not error.throttled):
        _log.error(json.dumps({"message": "a question cannot be answered", "reason": str(error)}))
