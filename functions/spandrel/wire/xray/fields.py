"""What each of X-Ray's segments and subsegments has to have: name, ids and times."""

from __future__ import annotations

from decimal import Decimal

from spandrel.model.errors import Rejected
from spandrel.model.ids import SPAN_ID_BYTES, trace_id_from_xray

from .attributes import Object

TIME_END_S = 2**64 // 10**9


class InvalidSegment(Rejected):
    """A document that X-Ray does not take; `code` and message are X-Ray's own."""

    def __init__(self, code: str, subsegment: bool) -> None:
        what, cause = ("subsegment", ", Cause: null") if subsegment else ("segment", "")
        super().__init__(f"Invalid {what}. ErrorCode: {code}{cause}")
        self.code = code


def nanoseconds(seconds: int | float) -> int:
    """X-Ray's time as OTLP's: 1478293361.271 -> 1478293361271000000.

    The shortest decimal number is meant, not the double that stands for it and may lie 119 ns off. Divided by 10^9, it
    gives the same double again.
    """
    if type(seconds) is int:
        return seconds * 10**9
    whole, _, fraction = repr(seconds).partition(".")
    if whole.isdigit() and fraction.isdigit():
        return int(whole) * 10**9 + int(f"{fraction:0<9.9}")
    return int(Decimal(repr(seconds)) * 10**9)  # with an exponent: beyond the years in which anything happens


def times_ns(segment: Object, subsegment: bool, left: Object) -> tuple[int, int]:
    """Start and end; the end of what is in progress is 0, OTLP's "not known"."""
    start_ns = _time(segment, "start_time", "StartTime", subsegment)
    if segment.get("in_progress") is True:
        if segment.get("end_time") is not None:
            left["end_time"] = segment["end_time"]
        return start_ns, 0
    return start_ns, _time(segment, "end_time", "EndTime", subsegment)


def _time(segment: Object, member: str, called: str, subsegment: bool) -> int:
    seconds = segment.get(member)
    if seconds is None:
        raise InvalidSegment(f"Missing{called}", subsegment)
    if type(seconds) not in {int, float}:
        raise InvalidSegment("ParseError", subsegment)
    if not 0 <= seconds < TIME_END_S:
        raise InvalidSegment(f"Invalid{called}", subsegment)
    return nanoseconds(seconds)


def name_of(segment: Object, subsegment: bool) -> str:
    """X-Ray refuses some characters in names, and more than 200; nothing here needs that."""
    name = segment.get("name")
    if not name:
        raise InvalidSegment("MissingName", subsegment)
    if type(name) is not str:
        raise InvalidSegment("ParseError", subsegment)
    return name


def trace_id_of(segment: Object, subsegment: bool) -> bytes:
    text = segment.get("trace_id")
    if not text:
        raise InvalidSegment("MissingTraceId", subsegment)
    try:
        return trace_id_from_xray(text if type(text) is str else "")
    except Rejected as error:
        raise InvalidSegment("InvalidTraceId", subsegment) from error


def span_id_of(segment: Object, member: str, subsegment: bool) -> bytes:
    """16 hex digits, not all 0, of `id` or `parent_id`."""
    text = segment.get(member)
    called = "Id" if member == "id" else "ParentId"
    if not text:
        raise InvalidSegment(f"Missing{called}", subsegment)
    try:
        span_id = bytes.fromhex(text)
    except (TypeError, ValueError):
        span_id = b""
    if len(span_id) != SPAN_ID_BYTES or len(text) != 2 * SPAN_ID_BYTES or not any(span_id):
        raise InvalidSegment(f"Invalid{called}", subsegment)
    return span_id
