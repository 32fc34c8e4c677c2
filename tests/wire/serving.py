"""An HTTP server in this process that does what API Gateway does, in front of the authorizer and `receive`.

So that real clients can send to it. It knows one key pair, and keeps what would be queued.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from authorize.authorizer import Authorizer
from receive.receiver import Receiver
from spandrel.http.request import request_of
from spandrel.model.keys import ApiKey
from tests.events import authorizer_event, http_event
from tests.serving import served
from tests.signing import PAIR, Pairs


@dataclass
class Endpoint:
    """`clock_s` is what its clock is ahead of this machine's. `queued`: tenants, and what came for them."""

    keys: Sequence[ApiKey] = (PAIR,)
    clock_s: float = 0
    url: str = ""
    queued: list[tuple[str, ExportTraceServiceRequest]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        """`spandrel.model.catalogue.Queue`."""
        self.queued += [(tenant, ExportTraceServiceRequest.FromString(body)) for body in bodies]

    def answered(self, method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        """A request -> the answer of `receive`, in API Gateway's form."""
        url = urlsplit(target)
        self.asked.append(f"{method} {url.path}")
        event = http_event(method, url.path, headers=headers, query=url.query, body=body, context=None)
        seen = authorizer_event(method, url.path) | {"headers": event["headers"], "rawQueryString": url.query}
        for made in (event, seen):
            made["requestContext"]["timeEpoch"] = int((time.time() + self.clock_s) * 1000)
        context = Authorizer(Pairs(*self.keys)).context(request_of(seen))
        event["requestContext"]["authorizer"] = {"lambda": context}
        return Receiver(self, time.time_ns).answer(event)


@contextmanager
def serving(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint while it is served, with its `url`."""
    with served(endpoint.answered) as endpoint.url:
        yield endpoint
