"""Labels of Cloud Trace v1 and attributes of v2 -> OTLP's attributes. docs/wire/cloudtrace.md has the same tables.

What has a name in OpenTelemetry's conventions gets it, in their type; all else keeps its own. What v2 says beside the
OTLP fields becomes an attribute named after Cloud Trace's own field: `cloudtrace.` and its path in trace.proto. The
names stand in `spandrel.model.cloudtrace`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spandrel.model.cloudtrace import SERVICE_NAMES, TODAY
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


_READERS: Mapping[str, Callable[[Value], Value | None]] = {
    "/error/name": _text,
    "/http/client_protocol": _scheme,
    "/http/host": _host_alone,
    "/http/method": _text,
    "/http/path": _path,
    "/http/request/size": _count,
    "/http/response/size": _count,
    "/http/route": _text,
    "/http/status_code": _count,
    "/http/url": _absolute_url,
    "/http/user_agent": _text,
}
CONVENTIONS: Mapping[str, Convention] = {
    label: Convention(attribute, _READERS[label]) for label, attribute in TODAY.items()
}


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
