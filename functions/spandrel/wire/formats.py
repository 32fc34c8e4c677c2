"""What a wire format is, and which route speaks which. docs/wire.md says how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import SpandrelError
from spandrel.model.routes import DATADOG_ROUTES, ZIPKIN_ROUTES, route_of

from .otlp_messages import Message


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a request.

    `otlp`: an ExportTraceServiceRequest with the spans that were taken, all of which have sound ids. `spans` counts
    them, `rejected` those that were not. `reason`: why some were not, or what else the sender should know; else empty.
    `refused`: what the answer says of each part that was not taken, in a format whose answers name them.
    """

    otlp: Message
    spans: int
    rejected: int = 0
    reason: str = ""
    refused: Sequence[Mapping[str, str]] = ()


class WireFormat(Protocol):
    """One way to send spans. A module that has these three functions is one."""

    def decode(self, request: Request) -> Accepted:
        """Raises Rejected when nothing of the request can be taken. Knows no tenant and stores nothing."""

    def answer(self, request: Request, accepted: Accepted) -> Response:
        """What the client expects after success; called only when all accepted spans are durably queued."""

    def refuse(self, request: Request, error: SpandrelError) -> Response:
        """The error as this format's clients understand it, the status that of `spandrel.http.refusals`."""


def _otlp() -> WireFormat:
    from .otlp import endpoint

    return endpoint


def _datadog() -> WireFormat:
    from .datadog import endpoint

    return endpoint


def _xray() -> WireFormat:
    from .xray import endpoint

    return endpoint


def _xray_telemetry() -> WireFormat:
    from .xray import telemetry

    return telemetry


def _jaeger() -> WireFormat:
    from .jaeger import endpoint

    return endpoint


def _zipkin() -> WireFormat:
    from .zipkin import endpoint

    return endpoint


def _cloudtrace_v1() -> WireFormat:
    from .cloudtrace import v1

    return v1


def _cloudtrace_v2() -> WireFormat:
    from .cloudtrace import v2

    return v2


# Path of a route of `receive` -> its format, imported when it is first asked for.
FORMATS: Mapping[str, Callable[[], WireFormat]] = {
    "/v1/traces": _otlp,
    "/api/traces": _jaeger,
    **{route.path: _datadog for route in DATADOG_ROUTES},
    "/TraceSegments": _xray,
    "/TelemetryRecords": _xray_telemetry,
    **{route.path: _zipkin for route in ZIPKIN_ROUTES},
    "/v1/projects/{project}/traces": _cloudtrace_v1,
    "/v2/projects/{project}/{proxy+}": _cloudtrace_v2,
}


def format_of(request: Request) -> WireFormat:
    """The format of the request's route; KeyError for a route that is none of `receive`."""
    return FORMATS[route_of(request.route_key).path]()
