"""Google Cloud Trace v1, PatchTraces: `PATCH /v1/projects/{project}/traces` (googleapis, devtools/cloudtrace/v1)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from spandrel.http.request import Request
from spandrel.http.response import Response
from spandrel.model.cloudtrace import ERROR_MESSAGE, KIND_NUMBERS, KINDS
from spandrel.model.errors import NotAllowed
from spandrel.model.ids import SPAN_ID_BYTES
from spandrel.model.spans import STATUSES
from spandrel.wire.formats import Accepted
from spandrel.wire.proto_json import (
    UINT64_MAX,
    Object,
    integer,
    message,
    messages,
    number_of,
    required_unix_ns,
    text,
    unfit,
    unix_ns,
    with_camel_case,
)
from spandrel.wire.span_ids import id_from_hex

from . import requests as cloudtrace
from .attributes import pairs_of, service_of
from .requests import Fields, Resource, Sent

_BODY = frozenset({"traces"})
_TRACE = frozenset({"projectId", "traceId", "spans"})
_SPAN = frozenset({"spanId", "kind", "name", "startTime", "endTime", "parentSpanId", "labels"})
_KIND_OF = {number: KINDS[name] for name, number in KIND_NUMBERS.items()}

refuse = cloudtrace.refuse


def decode(request: Request) -> Accepted:
    # Java's HTTP client cannot send PATCH; Google's library for it sends POST and says so in this header.
    override = request.method == "POST" and request.header("x-http-method-override").upper()
    if "PATCH" not in {request.method, override}:
        raise NotAllowed(f"{request.path} takes PATCH, not {request.method}", ("PATCH",))
    project = request.path.split("/")[3]
    return cloudtrace.accepted(cloudtrace.object_of(request), partial(_spans, project))


def answer(_request: Request, _accepted: Accepted) -> Response:
    """google.protobuf.Empty."""
    return cloudtrace.success({})


def _spans(project: str, found: Object) -> Iterator[Sent]:
    for number, sent in enumerate(messages(with_camel_case(found, _BODY), "traces")):
        trace = with_camel_case(sent, _TRACE)
        project_id = text(trace, "projectId") or project
        trace_id = id_from_hex(text(trace, "traceId"))
        for index, span in enumerate(messages(trace, "spans")):
            yield f"traces[{number}].spans[{index}].", partial(_span, project_id, trace_id, span)


def _span(project: str, trace_id: bytes, sent: Object) -> tuple[Resource, Fields]:
    found = with_camel_case(sent, _SPAN)
    labels = _labels(found)
    span: Fields = {
        "trace_id": trace_id,
        "span_id": _id(found, "spanId"),
        "parent_span_id": _id(found, "parentSpanId"),
        "kind": _KIND_OF[number_of(found, "kind", KIND_NUMBERS)],
        "name": text(found, "name"),
        "start_time_unix_nano": required_unix_ns(found, "startTime"),
        "end_time_unix_nano": unix_ns(found, "endTime"),
        "attributes": pairs_of({key: value for key, value in labels.items() if key != ERROR_MESSAGE}),
    }
    if ERROR_MESSAGE in labels:
        span["status"] = {"code": STATUSES["error"], "message": labels[ERROR_MESSAGE]}
    return Resource(project, service_of(labels)), span


def _labels(found: Object) -> dict[str, str]:
    labels = message(found, "labels")
    for key, value in labels.items():
        if type(value) is not str:
            raise unfit(f"labels[{key!r}]", value)
    return labels


def _id(found: Object, field: str) -> bytes:
    """An unsigned 64-bit number, or its digits; 0 and empty text are none."""
    if found.get(field) == "":
        return b""
    number = integer(found, field, 0, UINT64_MAX)
    return number.to_bytes(SPAN_ID_BYTES, "big") if number else b""
