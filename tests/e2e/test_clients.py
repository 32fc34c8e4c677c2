"""Each system's own client sends to the stack, and its trace is read back by what that system calls it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest

from local.stack import LocalStack

from .senders import EVERY, Sent
from .spandrel import Client


@pytest.fixture(scope="module")
def sent(spandrel: LocalStack) -> Mapping[str, Sent]:
    """All of them, stored together."""
    found = {name: send(spandrel) for name, send in EVERY.items()}
    spandrel.settle()
    return found


@pytest.mark.parametrize("name", EVERY)
def test_what_a_client_sends_is_read_back_by_its_own_name_for_the_trace(
    spandrel: LocalStack, sent: Mapping[str, Sent], name: str
) -> None:
    reply = Client(spandrel).get(f"/api/v3/traces/{quote(sent[name].trace_id, safe='')}")
    assert reply.status == 200, reply.body
    resources = reply.json["result"]["resourceSpans"]
    spans = [span for resource in resources for scope in resource["scopeSpans"] for span in scope["spans"]]
    assert {span["name"] for span in spans} == sent[name].spans
    assert len({span["traceId"] for span in spans}) == 1
