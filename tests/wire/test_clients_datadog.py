"""Datadog's own library, as users run it: told the URL of its agent, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .client_programs import python_client
from .gateway import Gateway, gateway


@pytest.fixture
def spandrel() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


def run(agent_url: str, **settings: str) -> str:
    """What the program wrote to stderr, in which the library complains."""
    return python_client("datadog.py", DD_TRACE_AGENT_URL=agent_url, DD_SERVICE="shop", **settings).stderr


@pytest.mark.parametrize("version", ["v0.4", "v0.5"])
def test_ddtrace_sends_its_spans_and_has_no_complaint(spandrel: Gateway, version: str) -> None:
    complaints = run(f"{spandrel.url}/datadog/{spandrel.key}", DD_TRACE_API_VERSION=version)
    assert complaints == ""
    agent = f"/datadog/{spandrel.key}"
    assert ("GET", f"{agent}/info", 200) in spandrel.answered
    assert ("POST", f"{agent}/{version}/traces", 200) in spandrel.answered
    assert {status for _, path, status in spandrel.answered if not path.startswith("/telemetry")} == {200}
    (request,) = spandrel.requests()
    names = {span.name for resource in request.resource_spans for span in resource.scope_spans[0].spans}
    assert names == {"web.request", "postgres.query", "charge"}


def test_ddtrace_without_a_key_is_refused_and_says_so(spandrel: Gateway) -> None:
    assert "401" in run(spandrel.url)
    assert spandrel.requests() == []
