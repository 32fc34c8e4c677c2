"""Programs that a real client traces, each in a process of its own: its settings are its environment, and nothing else.

Those of `clients/` are in Python, those of `node_clients/` are run by Node with what their lock installs from npm.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from infra import node

PYTHON = Path(__file__).parent / "clients"
NODE = Path(__file__).parent / "node_clients"

Finished = subprocess.CompletedProcess[str]


def python_client(program: str, *arguments: str, **settings: str) -> Finished:
    """Run to its end; CalledProcessError if it failed."""
    return _finished([sys.executable, str(PYTHON / program), *arguments], settings)


def node_client(program: str, *arguments: str, **settings: str) -> Finished:
    """The same in JavaScript. NodeFailed says why npm could not install the clients, where it could not."""
    installed = node.install(NODE)
    return _finished([str(node.NODE), "--no-deprecation", str(installed / program), *arguments], settings)


def _finished(command: list[str], settings: dict[str, str]) -> Finished:
    environment = {"PATH": os.environ["PATH"], **settings}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
