"""Segments of those who sent none: what a call says of the service, database or resource that it called.

X-Ray guide, "Inferred segments and the service graph": for a subsegment that calls and that no segment names as its
parent, X-Ray shows one of what it calls.
"""

from __future__ import annotations

from spandrel.model.ids import xray_trace_id

from .members_of_attributes import Json
from .services import CALLED_TYPES, REMOTE_TYPE
from .trace_tree import Node, derived_id

SQL = "Database::SQL"
_CALLS = ("aws", "remote")
# What a call says of both sides.
_SHARED = ("start_time", "end_time", "in_progress", "error", "fault", "throttle", "http", "aws", "sql")


def inferred_members(node: Node, members: Json) -> Json | None:
    """The segment that is inferred from a subsegment, or None."""
    called = not node.is_segment and (members.get("namespace") in _CALLS or "sql" in members)
    if not called or any(child.is_segment for child in node.children):
        return None
    shared = {name: members[name] for name in _SHARED if name in members}
    place = {"id": derived_id(node.id, "inferred"), "parent_id": node.id, "trace_id": xray_trace_id(node.span.trace_id)}
    return {**place, **shared, "inferred": True, "name": members["name"], "origin": origin_of(members)}


def origin_of(members: Json) -> str:
    """The type of what a subsegment calls."""
    if members.get("namespace") == "aws":
        return CALLED_TYPES.get(members["name"], f"AWS::{members['name']}")
    return SQL if "sql" in members else REMOTE_TYPE
