"""One of X-Ray's segment documents as OTLP spans. docs/wire/xray.md is the mapping, `spandrel.model.xray` its names.

Nothing of a document is lost: its members become attributes where OTLP has something like them, and what is left over
is kept as JSON, in its place. So the document can be made again from the spans.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.model import xray
from spandrel.wire.json_body import mended
from spandrel.wire.otlp_messages import Message

from .attributes import Attributes, Object, any_value, flattened, put_json
from .fields import InvalidSegment, name_of, span_id_of, times_ns, trace_id_of

INTERNAL, SERVER, CLIENT = 1, 2, 3  # Span.SpanKind
ERROR = 2  # Status.StatusCode
CALLS = frozenset({"aws", "remote"})  # the namespaces of subsegments that call another service

# Members that have a field of their own in OTLP, or are looked at one by one.
_STRUCTURE = frozenset({"id", "name", "trace_id", "parent_id", "type", "start_time", "end_time", "in_progress"})
_ONE_BY_ONE = frozenset({"annotations", "cause", "links", "metadata", "subsegments"})
_NOT_FLAT = _STRUCTURE | _ONE_BY_ONE


@dataclass(slots=True)
class Document:
    """A document's spans, the first of which is the document itself.

    `resource` is without the service's name. `service` is None where the document does not say it: in a subsegment that
    is sent alone.
    """

    spans: list[Message]
    resource: Message
    service: str | None


def read_document(document: Object) -> Document:
    """Raises InvalidSegment when the document, or one of the subsegments in it, lacks what X-Ray asks for."""
    alone = is_subsegment(document)
    span_id_of(document, "id", alone)
    trace_id = trace_id_of(document, alone)
    parent_id = span_id_of(document, "parent_id", alone) if document.get("parent_id") or alone else b""
    resource, members = _divided(document, alone)
    kind = _kind(document) if alone else SERVER
    spans = [_span(members, trace_id, parent_id, kind, _strays(document, {"type": "subsegment"}))]
    for parent, subsegment in _subsegments(document, alone):
        known = {"trace_id": document["trace_id"], "parent_id": parent["id"], "type": "subsegment"}
        left = _strays(subsegment, known)
        spans.append(_span(subsegment, trace_id, bytes.fromhex(parent["id"]), _kind(subsegment), left))
    return Document(spans, resource, None if alone else spans[0].name)


def is_subsegment(document: Object) -> bool:
    """Whether a document is a subsegment that is sent alone."""
    return document.get("type") == "subsegment"


def _subsegments(document: Object, alone: bool) -> Iterator[tuple[Object, Object]]:
    """Each subsegment in the document, however deep, with what it stands in. Parents come first."""
    todo = [document]
    while todo:
        parent = todo.pop()
        found = parent.get("subsegments") or []
        if type(found) is not list or not all(type(subsegment) is dict for subsegment in found):
            raise InvalidSegment("ParseError", alone)
        for subsegment in found:
            yield parent, subsegment
        todo += found


def _span(segment: Object, trace_id: bytes, parent_id: bytes, kind: int, left: Object) -> Message:
    """`left`: what is known already to be no attribute."""
    subsegment = kind != SERVER
    start_ns, end_ns = times_ns(segment, subsegment, left)
    events, cause = _exceptions(segment.get("cause"), end_ns or start_ns)
    links = _links(segment.get("links"), left)
    fields: dict[str, Any] = {
        "trace_id": trace_id,
        "span_id": span_id_of(segment, "id", subsegment),
        "parent_span_id": parent_id,
        "name": name_of(segment, subsegment),
        "kind": kind,
        "start_time_unix_nano": start_ns,
        "end_time_unix_nano": end_ns,
        "attributes": _attributes(segment, kind, cause, left),
        "events": events,
        "links": links,
    }
    if segment.get("error") is True or segment.get("fault") is True or segment.get("throttle") is True:
        fields["status"] = {"code": ERROR, "message": _first_message(segment.get("cause"))}
    try:
        return Span(**fields)
    except UnicodeEncodeError:
        return Span(**mended(fields))


def _attributes(segment: Object, kind: int, cause: Any, left: Object) -> Attributes:
    attributes: Attributes = []
    members = {key: value for key, value in segment.items() if key not in _NOT_FLAT}
    if cause is not None:
        members["cause"] = cause
    left |= flattened(members, xray.SPAN_ATTRIBUTES, xray.PREFIX, attributes)
    if kind == CLIENT:
        attributes.append({"key": xray.PEER, "value": {"string_value": segment["name"]}})
    if segment.get("in_progress") is True:
        attributes.append({"key": xray.IN_PROGRESS, "value": {"bool_value": True}})
    _annotate(segment.get("annotations"), attributes, left)
    _add_metadata(segment.get("metadata"), attributes, left)
    if left:
        put_json(attributes, xray.OTHER, left)
    return attributes


def _annotate(annotations: Any, attributes: Attributes, left: Object) -> None:
    if type(annotations) is not dict:
        if annotations is not None:
            left["annotations"] = annotations
        return
    odd: Object = {}
    names = []
    for key, value in annotations.items():
        found = any_value(value) if type(value) is not list else None
        if found is None:
            odd[key] = value
            continue
        clashes = not key or key in xray.TAKEN or key.startswith(xray.PREFIX)
        names.append(xray.ANNOTATION_PREFIX + key if clashes else key)
        attributes.append({"key": names[-1], "value": found})
    if names:
        listed = {"array_value": {"values": [{"string_value": name} for name in names]}}
        attributes.append({"key": xray.ANNOTATIONS, "value": listed})
    if odd:
        left["annotations"] = odd


def _add_metadata(metadata: Any, attributes: Attributes, left: Object) -> None:
    if type(metadata) is dict:
        for namespace, value in metadata.items():
            put_json(attributes, xray.METADATA_PREFIX + namespace, value)
    elif metadata is not None:
        left["metadata"] = metadata


def _exceptions(cause: Any, at_ns: int) -> tuple[list[Object], Any]:
    """An event for each exception of a cause, and the cause without them."""
    exceptions = cause.get("exceptions") if type(cause) is dict else None
    if not exceptions or type(exceptions) is not list or not all(type(exception) is dict for exception in exceptions):
        return [], cause
    events = [
        {"time_unix_nano": at_ns, "name": "exception", "attributes": _exception(exception)} for exception in exceptions
    ]
    return events, {key: value for key, value in cause.items() if key != "exceptions"}


def _exception(exception: Object) -> Attributes:
    attributes: Attributes = []
    members = {key: value for key, value in exception.items() if key != "stack"}
    left = flattened(members, xray.EXCEPTION_ATTRIBUTES, xray.EXCEPTION_PREFIX, attributes)
    stack = exception.get("stack")
    if stack is not None:
        put_json(attributes, xray.STACK, stack)
        attributes.append({"key": xray.STACKTRACE, "value": {"string_value": _stacktrace(stack)}})
    if left:
        put_json(attributes, xray.EXCEPTION_OTHER, left)
    return attributes


def _stacktrace(stack: Any) -> str:
    """Frames one a line, as most languages write them; the innermost is the first in X-Ray too."""
    frames = [frame for frame in stack if type(frame) is dict] if type(stack) is list else []
    return "\n".join(
        f"at {frame.get('label', '')} ({frame.get('path', '')}:{frame.get('line', '')})" for frame in frames
    )


def _first_message(cause: Any) -> str:
    exceptions = cause.get("exceptions") if type(cause) is dict else None
    first = exceptions[0] if type(exceptions) is list and exceptions else None
    message = first.get("message") if type(first) is dict else None
    return message if type(message) is str else ""


def _links(found: Any, left: Object) -> list[Object]:
    """All links or none: what is not in X-Ray's form is kept as it is."""
    if found is None:
        return []
    links = [_link(link) for link in found] if type(found) is list else []
    if not links or None in links:
        left["links"] = found
        return []
    return links  # type: ignore[return-value]


def _link(link: Any) -> Object | None:
    """Trace and span id, and attributes of simple values."""
    if type(link) is not dict or not link.keys() <= {"trace_id", "id", "attributes"}:
        return None
    attributes: Attributes = []
    given = link.get("attributes", {})
    for key, value in given.items() if type(given) is dict else [("", None)]:
        found = any_value(value)
        if found is None:
            return None
        attributes.append({"key": key, "value": found})
    try:
        trace_id = trace_id_of(link, subsegment=False)
        return {"trace_id": trace_id, "span_id": span_id_of(link, "id", subsegment=False), "attributes": attributes}
    except InvalidSegment:
        return None


def _divided(document: Object, alone: bool) -> tuple[Message, Object]:
    """The resource of a document that stands for itself, and the members that are its span's."""
    if "aws" not in document and xray.RESOURCE_MEMBERS.isdisjoint(document):
        return Resource(), document
    where = {key: document[key] for key in xray.RESOURCE_MEMBERS if key in document}
    what = {key: value for key, value in document.items() if key not in xray.RESOURCE_MEMBERS}
    aws = document.get("aws")
    if type(aws) is dict:
        of_resource = xray.RESOURCE_MEMBERS_OF_AWS if alone else xray.RESOURCE_MEMBERS_OF_AWS | {xray.ACCOUNT}
        where["aws"] = {key: value for key, value in aws.items() if key in of_resource}
        what["aws"] = {key: value for key, value in aws.items() if key not in of_resource}
    attributes: Attributes = []
    left = flattened(where, xray.RESOURCE_ATTRIBUTES, xray.PREFIX, attributes)
    if left:
        put_json(attributes, xray.OTHER, left)
    try:
        return Resource(attributes=attributes), what
    except UnicodeEncodeError:
        return Resource(attributes=mended(attributes)), what


def _strays(segment: Object, known: Object) -> Object:
    """What a segment says of its place that does not follow from it. SDKs repeat much that does."""
    return {key: segment[key] for key in known if segment.get(key) not in (None, known[key])}


def _kind(subsegment: Object) -> int:
    namespace = subsegment.get("namespace")
    return CLIENT if type(namespace) is str and namespace in CALLS else INTERNAL
