"""Writes requirements.lock anew: the newest versions of requirements.txt and of all that they need, frozen."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from .failure import CommandFailed

ROOT = Path(__file__).parent.parent
HEADER = "# Every package at the version that the tests ran with. Made by: ./spandrel lock\n"


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        install = [*pip, "install", "-r", str(ROOT / "requirements.txt")]
        if subprocess.run(install, stdout=sys.stderr, check=False).returncode != 0:
            raise CommandFailed("pip could not install requirements.txt (see above)")
        frozen = subprocess.run([*pip, "freeze"], capture_output=True, text=True, check=True).stdout
    (ROOT / "requirements.lock").write_text(HEADER + frozen)
    print("requirements.lock is written; run ./spandrel test before you commit it")
    return 0
