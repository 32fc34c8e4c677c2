"""What both versions of Cloud Trace's REST API share: JSON in, all of it or nothing, errors in Google's form.

Both answer a batch with one status, so one bad span refuses its request, and the message says which it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.http import refusals
from spandrel.http.google_errors import google_error
from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.cloudtrace import PROJECT
from spandrel.model.errors import SpandrelError, Undecodable, Unsupported
from spandrel.wire.content import decoded_body, media_type
from spandrel.wire.formats import Accepted
from spandrel.wire.json_body import json_of, mended
from spandrel.wire.otlp_messages import Message
from spandrel.wire.proto_json import Object
from spandrel.wire.span_ids import refuse_bad_spans, refuse_too_many, spans_of

from .attributes import pair

JSON = "application/json"

Fields = dict[str, Any]
"""The fields of a Span message, as its constructor takes them; long lists are iterators, to hold one element a time."""


class Resource(NamedTuple):
    """What the spans of a ResourceSpans share; empty where nothing says it."""

    project: str
    service: str


Sent = tuple[str, Callable[[], tuple[Resource, Fields]]]
"""Where a span stands in the body, and the way to read it."""


def object_of(request: Request) -> Object:
    """The body, a JSON object. Google's servers take a body without Content-Type for JSON, and so does this."""
    if media_type(request) not in {JSON, ""}:
        raise Unsupported(f"Content-Type is {JSON}, not {media_type(request)[:80]!r}")
    found, _ = json_of(decoded_body(request))
    if type(found) is not dict:
        raise Undecodable("the body is no JSON object")
    return found


def accepted(found: Object, spans_in: Callable[[Object], Iterable[Sent]]) -> Accepted:
    """All spans of the body. Undecodable when there is one that cannot be taken, TooLarge when there are too many."""
    try:
        otlp = _otlp(spans_in(found))
    except UnicodeEncodeError:
        otlp = _otlp(spans_in(mended(found)))
    except RecursionError:
        raise Undecodable("the body is nested deeper than any message") from None
    rejected, reason = refuse_bad_spans(otlp)
    if rejected:
        raise Undecodable(reason)
    return Accepted(otlp, len(spans_of(otlp)))


def success(body: object) -> Response:
    return Response(200, JSON, json.dumps(body, separators=(",", ":")).encode())


def refuse(_request: Request, error: SpandrelError) -> Response:
    return refusals.refused(error, google_error)


def _otlp(found: Iterable[Sent]) -> Message:
    otlp = ExportTraceServiceRequest()
    by_resource: dict[Resource, Message] = {}
    for number, (where, read) in enumerate(found, 1):
        try:
            resource, span = read()
            if resource not in by_resource:
                resource_spans = otlp.resource_spans.add(resource={"attributes": _attributes(resource)})
                by_resource[resource] = resource_spans.scope_spans.add().spans
            by_resource[resource].add(**span)
        except Undecodable as error:
            raise Undecodable(f"{where}{error}") from error
        refuse_too_many(number + 2 * len(by_resource))
    return otlp


def _attributes(resource: Resource) -> list[Fields]:
    named = {"service.name": resource.service, PROJECT: resource.project}
    return [pair(key, value) for key, value in named.items() if value]
