"""The fields that every span has, by their names in TraceQL, with the types of their values.

Source: grafana/tempo, pkg/traceql (grammar and enum_attributes), and its documentation of intrinsic fields.
"""

from __future__ import annotations

from enum import Enum


class ValueType(Enum):
    """The types of values. OTLP's attributes have the first four; the others belong to intrinsics and literals."""

    TEXT = "text"
    INTEGER = "a whole number"
    FLOAT = "a number"
    BOOLEAN = "true or false"
    DURATION = "a duration"
    STATUS = "a status"
    KIND = "a span kind"


NUMERIC = frozenset({ValueType.INTEGER, ValueType.FLOAT, ValueType.DURATION})


class Intrinsic(Enum):
    """A field that is no attribute. The value is its canonical name, which is also its label in answers.

    Trace and link ids are text of hex digits without leading zeros, span ids text of 16 hex digits.
    """

    NAME = "name"
    STATUS = "status"
    STATUS_MESSAGE = "statusMessage"
    DURATION = "duration"
    KIND = "kind"
    SPAN_ID = "span:id"
    PARENT_ID = "span:parentID"
    CHILD_COUNT = "span:childCount"
    PARENT = "parent"
    NESTED_SET_LEFT = "nestedSetLeft"
    NESTED_SET_RIGHT = "nestedSetRight"
    NESTED_SET_PARENT = "nestedSetParent"
    TRACE_ID = "trace:id"
    TRACE_DURATION = "traceDuration"
    ROOT_NAME = "rootName"
    ROOT_SERVICE = "rootServiceName"
    EVENT_NAME = "event:name"
    EVENT_TIME_SINCE_START = "event:timeSinceStart"
    LINK_TRACE_ID = "link:traceID"
    LINK_SPAN_ID = "link:spanID"
    INSTRUMENTATION_NAME = "instrumentation:name"
    INSTRUMENTATION_VERSION = "instrumentation:version"


_TYPES = {
    Intrinsic.STATUS: ValueType.STATUS,
    Intrinsic.KIND: ValueType.KIND,
    Intrinsic.DURATION: ValueType.DURATION,
    Intrinsic.TRACE_DURATION: ValueType.DURATION,
    Intrinsic.EVENT_TIME_SINCE_START: ValueType.DURATION,
    Intrinsic.CHILD_COUNT: ValueType.INTEGER,
    Intrinsic.NESTED_SET_LEFT: ValueType.INTEGER,
    Intrinsic.NESTED_SET_RIGHT: ValueType.INTEGER,
    Intrinsic.NESTED_SET_PARENT: ValueType.INTEGER,
}

# The names with a colon, by their scope. The names without one are older; most fields have both.
SCOPED: dict[str, dict[str, Intrinsic]] = {
    "trace": {
        "duration": Intrinsic.TRACE_DURATION,
        "id": Intrinsic.TRACE_ID,
        "rootName": Intrinsic.ROOT_NAME,
        "rootService": Intrinsic.ROOT_SERVICE,
    },
    "span": {
        "childCount": Intrinsic.CHILD_COUNT,
        "duration": Intrinsic.DURATION,
        "id": Intrinsic.SPAN_ID,
        "kind": Intrinsic.KIND,
        "name": Intrinsic.NAME,
        "parentID": Intrinsic.PARENT_ID,
        "status": Intrinsic.STATUS,
        "statusMessage": Intrinsic.STATUS_MESSAGE,
    },
    "event": {"name": Intrinsic.EVENT_NAME, "timeSinceStart": Intrinsic.EVENT_TIME_SINCE_START},
    "link": {"spanID": Intrinsic.LINK_SPAN_ID, "traceID": Intrinsic.LINK_TRACE_ID},
    "instrumentation": {"name": Intrinsic.INSTRUMENTATION_NAME, "version": Intrinsic.INSTRUMENTATION_VERSION},
}

# What is read from one event or one link of a span, not from the span itself.
OF_EVENTS = frozenset({Intrinsic.EVENT_NAME, Intrinsic.EVENT_TIME_SINCE_START})
OF_LINKS = frozenset({Intrinsic.LINK_TRACE_ID, Intrinsic.LINK_SPAN_ID})


def type_of(intrinsic: Intrinsic) -> ValueType:
    """The type of the field's values, which no span can change."""
    return _TYPES.get(intrinsic, ValueType.TEXT)
