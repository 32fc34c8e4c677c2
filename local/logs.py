"""What the functions write, in one file, each line under the function's label; on the terminal too when asked for."""

from __future__ import annotations

import sys
from pathlib import Path


class FunctionLog:
    """Appends to `path`. Used from one thread, the one of the event loop."""

    def __init__(self, path: Path, *, echo: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._echo = echo
        self._file = path.open("w", encoding="utf-8", errors="replace", buffering=1)

    def write(self, label: str, line: str) -> None:
        text = f"{label}: {line.rstrip()}\n"
        self._file.write(text)
        if self._echo:
            sys.stderr.write(text)

    def close(self) -> None:
        self._file.close()
