"""Runs the whole test suite, in parallel on all cores. Its arguments go to pytest."""

from __future__ import annotations

import argparse
import subprocess
import sys

TAKES_UNKNOWN_ARGUMENTS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "spandrel test [any argument of pytest, for example tests/unit -k ids]"


def run(arguments: argparse.Namespace) -> int:
    chosen = list(arguments.unknown)
    parallel = [] if any(argument.startswith("-n") or argument == "--pdb" for argument in chosen) else ["-n", "auto"]
    return subprocess.run([sys.executable, "-m", "pytest", *parallel, *chosen], check=False).returncode
