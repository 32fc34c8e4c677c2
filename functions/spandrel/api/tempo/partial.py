"""How Tempo says that there may be more than an answer holds."""

from __future__ import annotations

from spandrel.query.reading import Reading

from .any_value import Json

PARTIAL = 1  # tempopb.PartialStatus


def message_of(reading: Reading) -> str:
    """What the answer lacks; empty for nothing."""
    unread = len(reading.unread)
    return f"blocks that could not be read, and are not in this answer: {unread}" if unread else ""


def status_of(reading: Reading) -> Json:
    """The same as fields of an answer's JSON."""
    message = message_of(reading)
    return {"status": "PARTIAL", "message": message} if message else {}
