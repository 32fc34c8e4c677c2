"""Takes spans in, whatever their wire format: what was accepted is queued before anybody is told so."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from spandrel.http.identity import identified
from spandrel.http.request import Event, Request, request_of
from spandrel.http.response import Answer, Response, answer_of
from spandrel.model.catalogue import Queue
from spandrel.model.errors import Overloaded, SpandrelError
from spandrel.wire.formats import WireFormat, format_of

_log = logging.getLogger("receive")


@dataclass(frozen=True, slots=True)
class Receiver:
    """`clock_ns`: unix time in nanoseconds, which becomes the spans' time of arrival."""

    queue: Queue
    clock_ns: Callable[[], int]

    def answer(self, event: Event) -> Answer:
        """An HTTP API's event -> what its client is told."""
        request = request_of(event)
        wire = format_of(request)
        try:
            response = self._received(request, wire)
        except SpandrelError as error:
            if isinstance(error, Overloaded) and not error.throttled:
                _log.error(json.dumps({"message": "spans could not be taken", "reason": str(error)}))
            response = wire.refuse(request, error)
        return answer_of(response, request)

    def _received(self, request: Request, wire: WireFormat) -> Response:
        identity = identified(request)
        accepted = wire.decode(request)
        if accepted.spans:
            self.queue.send(identity.tenant, [accepted.otlp.SerializeToString()], self.clock_ns())
        return wire.answer(request, accepted)
