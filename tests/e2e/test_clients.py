"""Each system's own client sends to the stack, and its trace is read back by what that system calls it."""

from __future__ import annotations

from urllib.parse import quote

from local.stack import LocalStack

from .senders import EVERY
from .spandrel import Client


def test_what_every_client_sends_is_read_back_by_its_own_name_for_the_trace(spandrel: LocalStack) -> None:
    """In one test, so that all of them are sent once, whichever process runs it."""
    sent = {name: send(spandrel) for name, send in EVERY.items()}
    spandrel.settle()
    found = {name: span_names(spandrel, each.trace_id) for name, each in sent.items()}
    assert found == {name: each.spans for name, each in sent.items()}


def span_names(stack: LocalStack, trace_id: str) -> frozenset[str]:
    """Of the one trace that is found; none where none is."""
    reply = Client(stack).get(f"/api/v3/traces/{quote(trace_id, safe='')}")
    if reply.status != 200:
        return frozenset()
    resources = reply.json["result"]["resourceSpans"]
    spans = [span for resource in resources for scope in resource["scopeSpans"] for span in scope["spans"]]
    assert len({span["traceId"] for span in spans}) == 1
    return frozenset(span["name"] for span in spans)
