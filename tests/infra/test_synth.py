"""Synthesis: made when something changed, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.settings import SettingsError
from infra.synth import STAMP, synthesise
from tests.infra.reading import Template


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(tmp_path_factory.mktemp("synth") / "assembly", settings={"dashboard": False})


def test_nothing_is_made_again_while_nothing_changes(assembly: Path) -> None:
    made_ns = (assembly / "manifest.json").stat().st_mtime_ns
    assert synthesise(assembly, settings={"dashboard": False}) == assembly
    assert (assembly / "manifest.json").stat().st_mtime_ns == made_ns


def test_another_setting_makes_another_template_in_place_of_the_old(assembly: Path) -> None:
    synthesise(assembly, settings={"stack_name": "Traces", "retention_days": 3})
    assert Template(assembly).name == "Traces"
    assert Template(assembly).function("query")["Environment"]["Variables"]["SPANDREL_RETENTION_DAYS"] == "3"


def test_what_was_stopped_half_way_is_made_anew(assembly: Path) -> None:
    (assembly / STAMP).unlink(missing_ok=True)
    (assembly / "manifest.json").write_text("{")
    synthesise(assembly, settings={"dashboard": False})
    assert (assembly / "manifest.json").stat().st_size > 100


def test_a_setting_that_cannot_be_leaves_what_was_there(assembly: Path) -> None:
    before = sorted(path.name for path in assembly.iterdir())
    with pytest.raises(SettingsError, match="retention_days"):
        synthesise(assembly, settings={"retention_days": 0})
    assert sorted(path.name for path in assembly.iterdir()) == before
