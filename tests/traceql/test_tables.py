from __future__ import annotations

import logging
from pathlib import Path

import lark
import pytest

from spandrel.traceql import tables


def test_the_tables_are_of_this_grammar_and_this_lark() -> None:
    marker = tables.TABLES.read_bytes().partition(b"\n")[0]
    assert marker == tables.current(), "run: python -m spandrel.traceql.tables"


def test_tables_of_another_grammar_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = tmp_path / "grammar.tables"
    stale.write_bytes(b"another\n" + b"no tables at all")
    monkeypatch.setattr(tables, "TABLES", stale)
    assert tables.parser.__wrapped__().parse("{ }") == tables.parser().parse("{ }")


def test_written_tables_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TABLES", tmp_path / "grammar.tables")
    tables.write()
    monkeypatch.setattr(tables, "made_from_grammar", lambda: pytest.fail("made anew"))
    assert tables.parser.__wrapped__().parse("{ }") == tables.parser().parse("{ }")


def test_the_grammar_leaves_nothing_to_chance(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, lark.logger.name)
    lark.Lark(tables.GRAMMAR.read_text(), parser="lalr", lexer="basic", debug=True)
    assert [record.getMessage() for record in caplog.records if "onflict" in record.getMessage()] == []
