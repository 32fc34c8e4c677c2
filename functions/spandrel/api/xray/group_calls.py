"""GetGroups, GetGroup, CreateGroup, UpdateGroup and DeleteGroup of X-Ray's API."""

from __future__ import annotations

from typing import Any

from spandrel.model.errors import Rejected

from .call import Call, Result
from .filter_parser import parse
from .filter_query import TimeRange, query_of
from .filter_tree import Term
from .groups import Group, GroupBook, with_groups
from .members import invalid

NAME_CHARACTERS, ARN_CHARACTERS = 32, 400  # service model: GroupName, GroupARN
_INSIGHTS = ("InsightsEnabled", "NotificationsEnabled")


def book_of(call: Call) -> GroupBook:
    """The groups of whose call it is."""
    return GroupBook(call.objects, call.reading.tenant)


def filter_of(call: Call, expression: str | None) -> Term | None:
    """The filter of a call, groups replaced by their filters; None where it says nothing. InvalidFilter for none."""
    if expression is None or not expression.strip():
        return None
    return with_groups(parse(expression), book_of(call).groups, parse)


def get_groups(call: Call) -> Result:
    """All groups: they are few."""
    return {"Groups": [_members(group) for group in book_of(call).groups().values()]}


def get_group(call: Call) -> Result:
    return {"Group": _members(book_of(call).named(*asked_group(call)))}


def create_group(call: Call) -> Result:
    name = call.members.required_text("GroupName", NAME_CHARACTERS)
    if call.members.all.get("Tags"):
        raise Rejected("Tags cannot be kept: groups have none here")
    return {"Group": _members(book_of(call).create(name, _expression(call) or "", call.now_ns))}


def update_group(call: Call) -> Result:
    return {"Group": _members(book_of(call).update(*asked_group(call), _expression(call)))}


def delete_group(call: Call) -> Result:
    book_of(call).delete(*asked_group(call))
    return {}


def asked_group(call: Call) -> tuple[str | None, str | None]:
    """The name and the ARN by which a group is asked for."""
    name = call.members.text("GroupName", NAME_CHARACTERS) or None
    arn = call.members.text("GroupARN", ARN_CHARACTERS) or None
    if name is None and arn is None:
        raise invalid("GroupName", None, "Member must not be null where GroupARN is")
    return name, arn


def _expression(call: Call) -> str | None:
    """The group's filter, which has to be one that can be answered; and no insights, because there are none."""
    insights = call.members.object("InsightsConfiguration")
    if insights is not None and any(insights.boolean(name) for name in _INSIGHTS):
        raise Rejected("InsightsConfiguration cannot be enabled: there are no insights here")
    expression = call.members.text("FilterExpression")
    query_of(filter_of(call, expression), TimeRange.TRACE_ID)
    return expression


def _members(group: Group) -> dict[str, Any]:
    """As X-Ray tells it."""
    expression = {"FilterExpression": group.expression} if group.expression else {}
    insights = dict.fromkeys(_INSIGHTS, False)
    return {"GroupName": group.name, "GroupARN": group.arn, **expression, "InsightsConfiguration": insights}
