"""Labels of Cloud Trace v1 and attributes of v2 -> OTLP's attributes. docs/wire/cloudtrace.md has the same tables.

What has a name in OpenTelemetry's conventions gets it, in their type; all else keeps its own. What v2 says beside the
OTLP fields becomes an attribute named after Cloud Trace's own field: `cloudtrace.` and its path in trace.proto.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spandrel.wire.proto_json import INT64_MAX

Value = str | int | bool | float
Pair = dict[str, Any]
"""A KeyValue message, as its constructor takes it."""

_is_count = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch
_ANY_VALUE = {str: "string_value", int: "int_value", bool: "bool_value", float: "double_value"}


@dataclass(frozen=True, slots=True)
class Convention:
    """The attribute that OpenTelemetry has for a label, and how the label's value is read; None: it means something
    else there, so that the label keeps its own name."""

    attribute: str
    read: Callable[[Value], Value | None]


def _text(value: Value) -> Value | None:
    return value if type(value) is str else None


def _count(value: Value) -> Value | None:
    """A number, as v2 has it, or its digits, as v1 does; only digits that are printed as they came."""
    number = int(value) if type(value) is str and _is_count(value) else value
    return number if type(number) is int and 0 <= number <= INT64_MAX else None


def _absolute_url(value: Value) -> Value | None:
    return value if type(value) is str and "://" in value else None


def _path(value: Value) -> Value | None:
    return value if type(value) is str and "?" not in value else None


def _host_alone(value: Value) -> Value | None:
    """`server.address` has no port."""
    return value if type(value) is str and ":" not in value else None


def _scheme(value: Value) -> Value | None:
    """Google's exporters put the scheme where its load balancers put `HTTP/1.1`."""
    return value if value in ("http", "https") else None


CONVENTIONS: Mapping[str, Convention] = {
    "/error/name": Convention("error.type", _text),
    "/http/client_protocol": Convention("url.scheme", _scheme),
    "/http/host": Convention("server.address", _host_alone),
    "/http/method": Convention("http.request.method", _text),
    "/http/path": Convention("url.path", _path),
    "/http/request/size": Convention("http.request.body.size", _count),
    "/http/response/size": Convention("http.response.body.size", _count),
    "/http/route": Convention("http.route", _text),
    "/http/status_code": Convention("http.response.status_code", _count),
    "/http/url": Convention("url.full", _absolute_url),
    "/http/user_agent": Convention("user_agent.original", _text),
}
# Where spans carry the name of their service, best first. The attribute stays; the resource gets a copy.
SERVICE_NAMES = (
    "service.name",
    "g.co/r/generic_task/job",
    "g.co/r/gae_instance/module_id",
    "g.co/gae/app/module",
)
PROJECT = "gcp.project_id"  # of the resource, as Google's own OTLP endpoint reads it

# What v2 has and OTLP has not.
CHILD_SPAN_COUNT = "cloudtrace.child_span_count"
DISPLAY_NAME_CUT = "cloudtrace.display_name.truncated_byte_count"
DROPPED_MESSAGE_EVENTS = "cloudtrace.time_events.dropped_message_events_count"
STACK_TRACE = "cloudtrace.stack_trace"  # as JSON text
STATUS_CODE = "cloudtrace.status.code"  # a google.rpc.Code other than OK and UNKNOWN
STATUS_DETAILS = "cloudtrace.status.details"  # as JSON text
VALUES_CUT = "cloudtrace.attributes.truncated_byte_count"  # key -> bytes, beside the attributes that were cut
LINK_TYPE = "cloudtrace.link.type"
DESCRIPTION_CUT = "cloudtrace.annotation.description.truncated_byte_count"
MESSAGE_TYPE = "cloudtrace.message_event.type"
MESSAGE_ID = "cloudtrace.message_event.id"
MESSAGE_SIZE = "cloudtrace.message_event.uncompressed_size_bytes"
MESSAGE_COMPRESSED_SIZE = "cloudtrace.message_event.compressed_size_bytes"


def pair(key: str, value: Value) -> Pair:
    return {"key": key, "value": {_ANY_VALUE[type(value)]: value}}


def pairs_of(attributes: Mapping[str, Value | None]) -> Iterator[Pair]:
    """The attributes, under the names of the conventions where there is one. None: a value that says nothing."""
    for label, sent in attributes.items():
        key, value = _renamed(label, sent, attributes) if label in CONVENTIONS and sent is not None else (label, sent)
        yield {"key": key, "value": {}} if value is None else pair(key, value)


def _renamed(label: str, sent: Value, attributes: Mapping[str, Value | None]) -> tuple[str, Value]:
    """As the convention has it, unless the span has that attribute too."""
    convention = CONVENTIONS[label]
    value = convention.read(sent) if convention.attribute not in attributes else None
    return (label, sent) if value is None else (convention.attribute, value)


def counts_pair(key: str, counts: Mapping[str, int]) -> Pair:
    """A map of numbers as one attribute."""
    return {"key": key, "value": {"kvlist_value": {"values": [pair(name, count) for name, count in counts.items()]}}}


def service_of(attributes: Mapping[str, Value | None]) -> str:
    """The name of the service that the span is of; empty when no attribute says it."""
    for key in SERVICE_NAMES:
        name = attributes.get(key)
        if name and type(name) is str:
            return name
    return ""
