"""Google Cloud Trace v2, BatchWriteSpans and CreateSpan (googleapis, devtools/cloudtrace/v2).

`POST /v2/projects/{project}/traces:batchWrite`, `POST /v2/projects/{project}/traces/{trace}/spans/{span}`, and the
latter without the span's id, as Google's PHP library has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.errors import NotAllowed, NotFound
from spandrel.wire.content import decoded_body
from spandrel.wire.formats import Accepted
from spandrel.wire.json_body import json_of
from spandrel.wire.proto_json import Object, messages, text, unfit, with_camel_case
from spandrel.wire.span_ids import id_from_hex

from . import requests as cloudtrace
from .attributes import service_of
from .requests import Fields, Resource, Sent
from .span import span_of

_BODY = frozenset({"name", "spans"})
_SPAN = frozenset(
    {
        *("name", "spanId", "parentSpanId", "displayName", "startTime", "endTime", "attributes", "stackTrace"),
        *("timeEvents", "links", "status", "sameProcessAsParentSpan", "childSpanCount", "spanKind"),
    }
)

_is_batch = re.compile(r"/v2/projects/[^/]+/traces:batchWrite").fullmatch
_creates = re.compile(r"/v2/(projects/[^/]+/traces/[^/]+/spans)(?:/([^/]+))?").fullmatch
_name = re.compile(r"projects/([^/]+)/traces/([^/]+)/spans/([^/]+)").fullmatch

refuse = cloudtrace.refuse


def decode(request: Request) -> Accepted:
    if not (_is_batch(request.path) or _creates(request.path)):
        raise NotFound(f"there is no {request.path}")
    if request.method != "POST":
        raise NotAllowed(f"{request.path} takes POST, not {request.method}", ("POST",))
    read = _spans if _is_batch(request.path) else partial(_one_span, request.path)
    return cloudtrace.accepted(cloudtrace.object_of(request), read)


def answer(request: Request, _accepted: Accepted) -> Response:
    """google.protobuf.Empty, or the span as it was sent: its enums in the form that this client prefers."""
    if _is_batch(request.path):
        return cloudtrace.success({})
    found, _ = json_of(decoded_body(request))
    named = _named(request.path, found)
    return cloudtrace.success(named | {"spanId": named["name"].rpartition("/")[2]})


def _spans(found: Object) -> Iterator[Sent]:
    for index, span in enumerate(messages(with_camel_case(found, _BODY), "spans")):
        yield f"spans[{index}].", partial(_span, span)


def _one_span(path: str, found: Object) -> Iterator[Sent]:
    yield "", partial(_span, _named(path, found))


def _named(path: str, found: Object) -> Object:
    """The span of a CreateSpan, under the name that its path says, whatever the body does (google.api.http)."""
    span = with_camel_case(found, _SPAN)
    created = _creates(path)
    assert created, path
    return span | {"name": f"{created[1]}/{created[2] or text(span, 'spanId')}"}


def _span(sent: Object) -> tuple[Resource, Fields]:
    found = with_camel_case(sent, _SPAN)
    name = _name(text(found, "name"))
    if not name:
        raise unfit("name", found.get("name"))
    project, trace_id, span_id = name.groups()
    if text(found, "spanId").lower() not in {span_id.lower(), ""}:
        raise unfit("spanId", found["spanId"])
    attributes, fields = span_of(found)
    fields["trace_id"] = id_from_hex(trace_id)
    fields["span_id"] = id_from_hex(span_id)
    return Resource(project, service_of(attributes)), fields
