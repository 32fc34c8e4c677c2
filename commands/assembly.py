"""`python -m commands.assembly`: the cloud assembly that the local stack is made of, synthesised where it is not yet.

In a process of its own, because CDK's Node process would stay as long as the one that asked.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .failure import CommandFailed

ROOT = Path(__file__).parent.parent
ASSEMBLY = ROOT / ".spandrel" / "local"


class Synthesis:
    """The process, which runs while its caller does something else."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def assembly(self) -> Path:
        """Waits for it. CommandFailed, after what the process said, if it could not."""
        said, _ = self._process.communicate()
        if self._process.returncode != 0:
            print(said.strip(), file=sys.stderr)
            raise CommandFailed("the template could not be synthesised (see above)")
        return ASSEMBLY


@contextmanager
def synthesising() -> Iterator[Synthesis]:
    """Begins to synthesise; what is still running at the end of the context is ended."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")])}
    process = subprocess.Popen(
        [sys.executable, "-m", "commands.assembly"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that it can be ended with its Node process
    )
    with process:
        try:
            yield Synthesis(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def main() -> int:
    from infra.settings import SettingsError
    from infra.synth import synthesise

    try:
        synthesise(ASSEMBLY, "source")
    except SettingsError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
