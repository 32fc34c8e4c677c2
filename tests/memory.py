"""How much memory a piece of Python takes in a process of its own: tracemalloc sees neither protobuf's nor Arrow's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Linux counts the parent's memory in getrusage's peak, so the process reads its own.
_TOLD = """
peak_kib = next((line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")), None)
print("\\npeak", peak_kib)
"""


def run_measured(script: str, given: bytes) -> tuple[str, float]:
    """Runs the script with `given` at its standard input -> what it prints, and MiB at its peak."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")])}
    command = [sys.executable, "-c", script + _TOLD]
    done = subprocess.run(command, input=given, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode()
    printed, _, peak_kib = done.stdout.decode().rpartition("\npeak ")
    return printed.strip(), int(peak_kib) / 1024
