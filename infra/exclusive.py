"""One process at a time, for what is made once and kept."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusively(made: Path) -> Iterator[None]:
    """Whoever wants to make the same path meanwhile waits, and finds it made. The lock ends with its process."""
    made.parent.mkdir(parents=True, exist_ok=True)
    with made.with_name(f".{made.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
