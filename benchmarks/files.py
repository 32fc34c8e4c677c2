"""Objects as files below a folder, so that what is measured is our own work and the disk's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spandrel.model.lifecycle import Passing


class Files:
    """What benchmarks share of an `ObjectStore`: writing."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(
        self, key: str, body: bytes, *, passing: Passing | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        del passing, headers
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def link(self, key: str, seconds: int) -> str:
        raise LookupError(f"no link to {key} for {seconds} s: a benchmark has none")
