"""Answers what the header `x-decide` says: `refuse`, `raise`, `nonsense`; anything else is let in, and passed on."""

from typing import Any


def handle(event: dict[str, Any], _context: object) -> Any:
    decision = event["headers"].get("x-decide", "")
    if decision == "raise":
        raise ValueError("on purpose")
    if decision == "nonsense":
        return {"principalId": "me"}
    context = {"tenant": "shop", "number": 7, "decision": decision, "saw": sorted(event)}
    return {"isAuthorized": decision != "refuse", "context": context}
