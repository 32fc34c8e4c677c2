"""Runs ruff, mypy strict, TypeScript over web/, the architecture tests, and cfn-lint and cdk-nag over the template."""

from __future__ import annotations

import argparse
import subprocess
import sys

CHECKS = {
    "ruff": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "types of the web UI": ["infra.web_types"],
    "architecture": ["pytest", "-q", "tests/architecture"],
    "cfn-lint and cdk-nag": ["infra.findings"],
}


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """None."""


def run(_arguments: argparse.Namespace) -> int:
    failed = [name for name, module in CHECKS.items() if not passes(name, module)]
    if failed:
        print(f"spandrel check: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def passes(name: str, module: list[str]) -> bool:
    print(f"spandrel check: {name}", file=sys.stderr, flush=True)
    return subprocess.run([sys.executable, "-m", *module], check=False).returncode == 0
