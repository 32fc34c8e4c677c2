"""Cuts a request that is too large for one message in two, by spans."""

from __future__ import annotations

from typing import Any

Message = Any
"""A protobuf message."""

_DOWN_TO_SPANS = ("resource_spans", "scope_spans", "spans")


def halves(request: Message) -> tuple[Message, Message] | None:
    """Two requests that say together what the one said; None when it holds one span or none.

    Cut where there is more than one of something: between resources if it can be, else scopes, else spans. Resource and
    scope then stand in both.
    """
    return _halves(request, _DOWN_TO_SPANS)


def _halves(message: Message, path: tuple[str, ...]) -> tuple[Message, Message] | None:
    name, inner = path[0], path[1:]
    items = getattr(message, name)
    if len(items) > 1:
        middle = len(items) // 2
        return _with(message, name, items[:middle]), _with(message, name, items[middle:])
    parts = _halves(items[0], inner) if items and inner else None
    return parts and (_with(message, name, parts[:1]), _with(message, name, parts[1:]))


def _with(message: Message, name: str, items: Any) -> Message:
    """A copy of the message that has `items` in its list `name`."""
    copy = type(message)()
    for field, value in message.ListFields():
        if field.name == name:
            getattr(copy, name).extend(items)
        elif field.message_type is not None:
            getattr(copy, field.name).CopyFrom(value)
        else:
            setattr(copy, field.name, value)
    return copy
