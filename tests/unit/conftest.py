from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import Terminal, terminal


@pytest.fixture(params=[[], ["--deployed"]], ids=["local", "deployed"])
def at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Terminal]:
    """The stack of this machine, and the one in AWS."""
    with terminal(monkeypatch, capsys, tmp_path, request.param) as made:
        yield made
