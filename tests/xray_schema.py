"""What AWS X-Ray Developer Guide, "X-Ray segment documents", asks of a document."""

from __future__ import annotations

import re
from typing import Any

NAME = re.compile(r"[\w\s.:/%&#=+\\\-@]{1,200}")
ID = re.compile(r"[0-9a-f]{16}")
TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
ANNOTATION = re.compile(r"[A-Za-z0-9_.]{1,500}")
MEMBERS = {
    *("id", "name", "trace_id", "parent_id", "type", "start_time", "end_time", "in_progress", "inferred"),
    *("error", "fault", "throttle", "cause", "http", "aws", "sql", "service", "user", "origin", "resource_arn"),
    *("namespace", "annotations", "metadata", "links", "subsegments", "precursor_ids", "traced"),
}
OBJECTS = ("http", "aws", "sql", "service", "annotations", "metadata")
BYTES_MAX = 64 * 1024


def check_document(document: dict[str, Any]) -> None:
    """Holds a whole document to the guide: a segment, or a subsegment that stands alone."""
    assert TRACE_ID.fullmatch(document["trace_id"])
    if document.get("type") == "subsegment":
        assert ID.fullmatch(document["parent_id"])
    check_segment(document)


def check_segment(segment: dict[str, Any]) -> None:
    """The same of a segment or subsegment anywhere in it."""
    assert segment.keys() <= MEMBERS, segment.keys() - MEMBERS
    assert ID.fullmatch(segment["id"]) and NAME.fullmatch(segment["name"])
    assert type(segment["start_time"]) is float
    assert type(segment["end_time"]) is float if "end_time" in segment else segment["in_progress"] is True
    assert all(type(segment[flag]) is bool for flag in ("error", "fault", "throttle", "inferred") if flag in segment)
    assert all(type(segment[name]) is dict for name in OBJECTS if name in segment)
    for key, value in segment.get("annotations", {}).items():
        assert ANNOTATION.fullmatch(key) and type(value) in {str, bool, int, float}
    response = segment.get("http", {}).get("response", {})
    assert all(type(value) is int for value in response.values())
    for exception in segment.get("cause", {}).get("exceptions", []):
        assert all(type(frame) is dict for frame in exception.get("stack", []))
    for inner in segment.get("subsegments", []):
        assert not inner.keys() & {"origin", "resource_arn", "inferred"}
        check_segment(inner)
