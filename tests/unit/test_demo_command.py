from __future__ import annotations

from pathlib import Path

import pytest

import commands.__main__ as commands
from commands import running


def test_without_a_stack_on_this_machine_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "DESCRIPTION", tmp_path / "local.json")
    assert commands.main(["demo"]) == 1
    said = capsys.readouterr().err
    assert "./spandrel up" in said
    assert "--endpoint" in said


def test_an_address_where_nothing_listens_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["demo", "--endpoint", "http://127.0.0.1:1"]) == 1
    assert "http://127.0.0.1:1/health does not answer" in capsys.readouterr().err
