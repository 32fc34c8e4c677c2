"""The CDK command line, at the version that `infra/npm/cdk` pins, under the Node that came from PyPI."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra import node
from infra.paths import ROOT

# Neither asks its makers for news nor tells them anything; both would need the network beyond AWS.
QUIET = {"CDK_DISABLE_VERSION_CHECK": "1", "CDK_DISABLE_CLI_TELEMETRY": "true"}


def cdk(arguments: Sequence[str], environment: Mapping[str, str], folder: Path = ROOT) -> int:
    """Runs `cdk` with the terminal attached -> its exit code. NodeFailed if it cannot be installed.

    `environment` is all that the process sees (credentials, region, AWS_ENDPOINT_URL); PATH is put right so that the
    `python3 app.py` of cdk.json runs in the project's environment.
    """
    return subprocess.run(command(*arguments), env=surroundings(environment), cwd=folder, check=False).returncode


def command(*arguments: str) -> list[str]:
    """For whoever starts the process in their own way: a test that reads its output, for instance."""
    script = node.install(node.PINNED / "cdk") / "node_modules" / "aws-cdk" / "bin" / "cdk"
    return [str(node.NODE), str(script), "--no-notices", *arguments]


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which `command` runs."""
    return {**node.environment(environment), **QUIET}
