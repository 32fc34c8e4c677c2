"""A span of Cloud Trace v2, without its ids -> OTLP's (googleapis, devtools/cloudtrace/v2/trace.proto)."""

from __future__ import annotations

import json
import re
from typing import Any

from spandrel.model import cloudtrace as named
from spandrel.model.spans import KINDS, STATUSES
from spandrel.wire.otlp_messages import camel_case
from spandrel.wire.proto_json import (
    INT32_MAX,
    Object,
    boolean,
    count,
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

from .attributes import Pair, Value, counts_pair, pair, pairs_of
from .requests import Fields

Attributes = dict[str, Value | None]

# OTLP, Span.flags: whether it is known that the parent is remote, and that it is.
HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200
UNKNOWN = 2  # google.rpc.Code, which OpenTelemetry's exporters send for any error

# As JavaScript prints numbers that are no integers.
_is_fraction = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)|-?[0-9]+\.[0-9]+|NaN|-?Infinity").fullmatch

_SPAN_KINDS = {"SPAN_KIND_UNSPECIFIED": 0} | {name.upper(): number for name, number in KINDS.items() if number}
_LINK_TYPES = {"TYPE_UNSPECIFIED": 0, "CHILD_LINKED_SPAN": 1, "PARENT_LINKED_SPAN": 2}
_MESSAGE_TYPES = {"TYPE_UNSPECIFIED": 0, "SENT": 1, "RECEIVED": 2}
_LINK_TYPE_NAMES, _MESSAGE_TYPE_NAMES = tuple(_LINK_TYPES), tuple(_MESSAGE_TYPES)

_ATTRIBUTES = frozenset({"attributeMap", "droppedAttributesCount"})
_VALUE = frozenset({"stringValue", "intValue", "boolValue"})
_TEXT = frozenset({"value", "truncatedByteCount"})
_STATUS = frozenset({"code", "message", "details"})
_TIME_EVENTS = frozenset({"timeEvent", "droppedAnnotationsCount", "droppedMessageEventsCount"})
_TIME_EVENT = frozenset({"time", "annotation", "messageEvent"})
_ANNOTATION = frozenset({"description", "attributes"})
_MESSAGE_EVENT = frozenset({"type", "id", "uncompressedSizeBytes", "compressedSizeBytes"})
_LINKS = frozenset({"link", "droppedLinksCount"})
_LINK = frozenset({"traceId", "spanId", "type", "attributes"})


def span_of(found: Object) -> tuple[Attributes, Fields]:
    """Its attributes as they came, and a Span without trace id and span id."""
    name, name_cut = _truncatable(found, "displayName")
    attributes, pairs, dropped = _attributes(found)
    if name_cut:
        pairs.append(pair(named.DISPLAY_NAME_CUT, name_cut))
    span: Fields = {
        "parent_span_id": id_from_hex(text(found, "parentSpanId")),
        "name": name,
        "kind": number_of(found, "spanKind", _SPAN_KINDS),
        "start_time_unix_nano": required_unix_ns(found, "startTime"),
        "end_time_unix_nano": required_unix_ns(found, "endTime"),
        "attributes": pairs,
        "dropped_attributes_count": dropped,
    }
    if found.get("sameProcessAsParentSpan") is not None:
        span["flags"] = HAS_IS_REMOTE | (0 if boolean(found, "sameProcessAsParentSpan") else IS_REMOTE)
    if found.get("childSpanCount") is not None:
        pairs.append(pair(named.CHILD_SPAN_COUNT, integer(found, "childSpanCount", -INT32_MAX - 1, INT32_MAX)))
    if "status" in found:
        _add_status(found, span)
    if "timeEvents" in found:
        _add_time_events(found, span)
    if "links" in found:
        _add_links(found, span)
    if "stackTrace" in found:
        pairs += _as_json(named.STACK_TRACE, _with_camel_case(message(found, "stackTrace")))
    return attributes, span


def _add_status(found: Object, span: Fields) -> None:
    """A status that is not there is unset; OK is one without a code."""
    if found["status"] is None:
        return
    status = with_camel_case(message(found, "status"), _STATUS)
    code = integer(status, "code", -INT32_MAX - 1, INT32_MAX)
    span["status"] = {"code": STATUSES["error" if code else "ok"], "message": text(status, "message")}
    if code not in {0, UNKNOWN}:
        span["attributes"].append(pair(named.STATUS_CODE, code))
    span["attributes"] += _as_json(named.STATUS_DETAILS, messages(status, "details"))


def _add_time_events(found: Object, span: Fields) -> None:
    events = with_camel_case(message(found, "timeEvents"), _TIME_EVENTS)
    span["events"] = map(_event, messages(events, "timeEvent"))
    dropped = count(events, "droppedMessageEventsCount")
    span["dropped_events_count"] = count(events, "droppedAnnotationsCount") + dropped
    if dropped:
        span["attributes"].append(pair(named.DROPPED_MESSAGE_EVENTS, dropped))


def _event(sent: Object) -> Fields:
    found = with_camel_case(sent, _TIME_EVENT)
    time_ns = unix_ns(found, "time")
    if found.get("messageEvent") is not None:
        if found.get("annotation") is not None:
            raise unfit("timeEvent", found)  # the two exclude each other
        event = with_camel_case(message(found, "messageEvent"), _MESSAGE_EVENT)
        return {"time_unix_nano": time_ns, "name": "message", "attributes": _message_pairs(event)}
    annotation = with_camel_case(message(found, "annotation"), _ANNOTATION)
    name, name_cut = _truncatable(annotation, "description")
    _, pairs, dropped = _attributes(annotation)
    if name_cut:
        pairs.append(pair(named.DESCRIPTION_CUT, name_cut))
    return {"time_unix_nano": time_ns, "name": name, "attributes": pairs, "dropped_attributes_count": dropped}


def _message_pairs(found: Object) -> list[Pair]:
    """Its type always stands there, so that the event can be told from an annotation of that name."""
    pairs = [pair(named.MESSAGE_TYPE, _MESSAGE_TYPE_NAMES[number_of(found, "type", _MESSAGE_TYPES)])]
    for key, field in (
        (named.MESSAGE_ID, "id"),
        (named.MESSAGE_SIZE, "uncompressedSizeBytes"),
        (named.MESSAGE_COMPRESSED_SIZE, "compressedSizeBytes"),
    ):
        number = integer(found, field)
        if number:
            pairs.append(pair(key, number))
    return pairs


def _add_links(found: Object, span: Fields) -> None:
    links = with_camel_case(message(found, "links"), _LINKS)
    span["links"] = map(_link, messages(links, "link"))
    span["dropped_links_count"] = count(links, "droppedLinksCount")


def _link(sent: Object) -> Fields:
    found = with_camel_case(sent, _LINK)
    _, pairs, dropped = _attributes(found)
    link_type = number_of(found, "type", _LINK_TYPES)
    if link_type:
        pairs.append(pair(named.LINK_TYPE, _LINK_TYPE_NAMES[link_type]))
    return {
        "trace_id": id_from_hex(text(found, "traceId")),
        "span_id": id_from_hex(text(found, "spanId")),
        "attributes": pairs,
        "dropped_attributes_count": dropped,
    }


def _attributes(found: Object) -> tuple[Attributes, list[Pair], int]:
    """Attributes as they came and as OTLP has them, and how many were dropped."""
    sent = with_camel_case(message(found, "attributes"), _ATTRIBUTES)
    attributes: Attributes = {}
    cut: dict[str, int] = {}
    for key, value in message(sent, "attributeMap").items():
        attributes[key], value_cut = _value(key, value)
        if value_cut:
            cut[key] = value_cut
    pairs = list(pairs_of(attributes))
    if cut:
        pairs.append(counts_pair(named.VALUES_CUT, cut))
    return attributes, pairs, count(sent, "droppedAttributesCount")


def _value(key: str, found: Any) -> tuple[Value | None, int]:
    """An AttributeValue, and how many bytes of it its sender cut off; None when it says nothing."""
    if type(found) is not dict:
        raise unfit(f"attributeMap[{key!r}]", found)
    if len(found) != 1 or not _VALUE.issuperset(found) or None in found.values():
        found = {field: value for field, value in with_camel_case(found, _VALUE).items() if value is not None}
        if len(_VALUE.intersection(found)) > 1:
            raise unfit(f"attributeMap[{key!r}]", found)  # they exclude each other
    if "stringValue" in found:
        return _truncatable(found, "stringValue")
    if "intValue" in found:
        return _number(found), 0
    return (boolean(found, "boolValue"), 0) if "boolValue" in found else (None, 0)


def _number(found: Object) -> Value:
    """OpenCensus' exporter writes any number as an intValue; Google refuses fractions, which OTLP can hold."""
    value = found["intValue"]
    is_fraction = type(value) is float or (type(value) is str and _is_fraction(value))
    return float(value) if is_fraction else integer(found, "intValue")


def _truncatable(found: Object, field: str) -> tuple[str, int]:
    """A TruncatableString: what is left of the text, and how many bytes were cut off."""
    string = with_camel_case(message(found, field), _TEXT)
    return text(string, "value"), count(string, "truncatedByteCount")


def _as_json(key: str, found: Any) -> list[Pair]:
    """What has no form in OTLP, as JSON text; nothing when it is empty."""
    return [pair(key, json.dumps(found, separators=(",", ":"), ensure_ascii=False))] if found else []


def _with_camel_case(found: Any) -> Any:
    """A stack trace with all its keys in camelCase: there are no maps in it."""
    match found:
        case dict():
            return {camel_case(key): _with_camel_case(value) for key, value in found.items()}
        case list():
            return [_with_camel_case(value) for value in found]
        case _:
            return found
