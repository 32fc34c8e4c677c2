"""A span as a segment or subsegment of X-Ray (docs/apis/xray.md, "A span as a segment").

What came by X-Ray goes back as it came: docs/wire/xray.md is the mapping. What came otherwise has its place where X-Ray
has something like it; all else that it says is in `annotations`, and in `metadata` under OTEL.
"""

from __future__ import annotations

import re
from typing import Any

from spandrel.api.spans import Event, Link, Span
from spandrel.api.values import Attributes, json_of
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model import xray
from spandrel.model.ids import xray_trace_id
from spandrel.model.spans import KIND_NAMES, KINDS, STATUSES

from . import other_names
from .members_of_attributes import Json, exception_members, put, resource_members, span_members
from .outcome import outcome_of
from .services import ORIGINS
from .trace_tree import CALLING, SERVED, Node

EXCEPTION = "exception"  # the name of an event (OpenTelemetry's semantic conventions, "Exceptions")
OTEL = "otel"  # the namespace of metadata that X-Ray's clients did not send
NAME_CHARACTERS = 200
NAMELESS = "span"  # as OpenTelemetry Collector calls what has no name that X-Ray takes
ANNOTATION_CHARACTERS = 1000

# X-Ray guide, "X-Ray segment documents": letters, digits, blanks and these.
_not_of_a_name = re.compile(r"[^\w\s.:/%&#=+\\\-@]").sub
_is_annotation_key = re.compile(r"[A-Za-z0-9_.]{1,500}").fullmatch
_FLAGS = ("error", "fault", "throttle")


def members_of(node: Node) -> Json:
    """The members of a segment or subsegment, but `subsegments`."""
    span = node.span
    members = _place(node)
    attributes = span_members(span.attributes, members)
    members["name"] = _name(node)
    _move_former(attributes, members)
    resource = _resource(node, members)
    _add_call(node, members)
    rest = _add_cause(span, members)
    _add_flags(span, members)
    if span.links:
        members.setdefault("links", [_link(link) for link in span.links])
    obvious = {xray.PEER: members["name"], xray.IN_PROGRESS: members.get("in_progress")}
    left = {key: value for key, value in attributes.items() if key not in obvious or obvious[key] != value}
    _annotate(left, members)
    _add_otel(node, members, {"attributes": left, "resource": resource, **rest})
    return members


def _place(node: Node) -> Json:
    span = node.span
    members: Json = {"id": node.id, "start_time": span.start_ns / 10**9}
    if span.end_ns:
        members["end_time"] = span.end_ns / 10**9
    else:
        members["in_progress"] = True
    if node.is_segment:
        members["trace_id"] = xray_trace_id(span.trace_id)
        if node.parent_id and node.parent_id != node.id:
            members["parent_id"] = node.parent_id
    return members


def alone(node: Node, members: Json) -> Json:
    """The members of a subsegment that does not stand in what it is part of."""
    known = {"trace_id": xray_trace_id(node.span.trace_id), "type": "subsegment", "parent_id": node.parent_id}
    return {**members, **known}


def _name(node: Node) -> str:
    """A segment is named by its service, a call by what it calls, anything else by what it is."""
    span = node.span
    called = other_names.peer_of(span.attributes) if span.kind in CALLING else ""
    own = span.resource.service if node.is_segment else called
    return _not_of_a_name("", own or span.name)[:NAME_CHARACTERS] or NAMELESS


def _move_former(attributes: Attributes, members: Json) -> None:
    """Moves what former conventions say to its place, and back what stands where other things belong."""
    for key, path in other_names.FORMER_PATHS.items():
        value = attributes.get(key)
        if path in xray.INTEGERS and type(value) is str and value.isdecimal() and len(value) < 19:
            value = int(value)
        if type(value) is (int if path in xray.INTEGERS else str) and put(path.split("."), value, members):
            del attributes[key]
    sql = members.get("sql")
    if type(sql) is dict and str(sql.get("database_type", "")).lower() in other_names.NOT_SQL:
        del members["sql"]
        attributes |= {f"db.{key}": value for key, value in sql.items()}
    aws = members.get("aws")
    if type(aws) is dict and "operation" in aws and _is_other_rpc(attributes):
        attributes["rpc.method"] = aws.pop("operation")
        if not aws:
            del members["aws"]
    url = other_names.url_of(attributes)
    if url and type(members.get("http", {})) is dict:
        put(["http", "request", "url"], url, members)


def _is_other_rpc(attributes: Attributes) -> bool:
    spoken = attributes.keys() & {"rpc.system", "rpc.system.name", "rpc.service"}
    return bool(spoken) and not other_names.calls_aws(attributes)


def _resource(node: Node, members: Json) -> Attributes:
    """Puts in where it ran, unless that is where the segment ran in which it stands -> what of it has no place."""
    attributes = node.span.resource.attributes
    if node.where and (attributes == node.where.attributes or attributes.keys() <= {SERVICE_NAME}):
        return {}
    left = resource_members(attributes, members)
    origin = ORIGINS.get(str(attributes.get("cloud.platform")))
    if origin and node.is_segment:
        members.setdefault("origin", origin)
    return {key: value for key, value in left.items() if (key, value) != (SERVICE_NAME, members["name"])}


def _add_call(node: Node, members: Json) -> None:
    if node.is_segment or node.span.kind not in CALLING or "namespace" in members:
        return
    members["namespace"] = "aws" if other_names.calls_aws(node.span.attributes) else "remote"


def _add_cause(span: Span, members: Json) -> Json:
    """Puts exceptions where X-Ray has them -> what else is told of events and of the status."""
    exceptions: list[Json] = []
    events = []
    for event in span.events:
        told, left = _exception(event) if event.name == EXCEPTION else ({}, event.attributes)
        exceptions += [told] if event.name == EXCEPTION else []
        events += [_event(event)] if left or event.name != EXCEPTION else []
    message = span.status_message
    if not exceptions and span.status == STATUSES["error"] and message:
        exceptions = [{"message": message}]
    if exceptions and not put(["cause", "exceptions"], exceptions, members):
        events = [_event(event) for event in span.events]
    known = exceptions and exceptions[0].get("message") == message
    return {"events": events, "status_message": "" if known else message}


def _exception(event: Event) -> tuple[Json, Attributes]:
    """An exception, and what it says besides."""
    told: Json = {}
    left = exception_members(event.attributes, told)
    stacktrace = left.pop(xray.STACKTRACE, None)
    if "stack" not in told and type(stacktrace) is str and stacktrace.strip():
        told["stack"] = [{"label": line.strip()} for line in stacktrace.splitlines() if line.strip()]
    return told, left


def _event(event: Event) -> Json:
    told: Json = {"time": event.time_ns / 10**9, "name": event.name}
    return {**told, "attributes": json_of(event.attributes)} if event.attributes else told


def _add_flags(span: Span, members: Json) -> None:
    """Whose fault it was, where X-Ray's client did not say it."""
    if any(flag in members for flag in _FLAGS):
        return
    outcome = outcome_of(span)
    told = {"error": outcome.error, "fault": outcome.fault, "throttle": outcome.throttle}
    members |= {flag: True for flag, is_so in told.items() if is_so}


def _link(link: Link) -> Json:
    told: Json = {"trace_id": xray_trace_id(link.trace_id), "id": link.span_id.hex()}
    return {**told, "attributes": json_of(link.attributes)} if link.attributes else told


def _annotate(attributes: Attributes, members: Json) -> None:
    """Moves what can be an annotation out of the attributes."""
    for key in list(attributes):
        value = attributes[key]
        if _is_annotation_key(key) and _is_simple(value) and put(["annotations", key], json_of(value), members):
            del attributes[key]


def _is_simple(value: Any) -> bool:
    if type(value) is str:
        return len(value) <= ANNOTATION_CHARACTERS
    return type(value) in {bool, int} or (type(value) is float and json_of(value) is value)


def _add_otel(node: Node, members: Json, told: Json) -> None:
    """All that has no place elsewhere."""
    span = node.span
    kind = KIND_NAMES.get(span.kind, "")
    known = {
        "name": span.name if span.name != members["name"] else "",
        "kind": kind if _is_not_obvious(node) else "",
        "scope": {key: value for key, value in (("name", span.scope.name), ("version", span.scope.version)) if value},
        "trace_state": span.trace_state,
        **{key: json_of(value) for key, value in told.items()},
    }
    found = {key: value for key, value in known.items() if value}
    if found:
        namespace = OTEL
        while type(members.get("metadata")) is dict and namespace in members["metadata"]:
            namespace += "_"  # it is taken by what X-Ray's clients sent
        put(["metadata", namespace], found, members)


def _is_not_obvious(node: Node) -> bool:
    usual = SERVED if node.is_segment else {KINDS["internal"], KINDS["client"]}
    return node.span.kind not in usual - {KINDS["consumer"]} and node.span.kind != KINDS["unspecified"]
