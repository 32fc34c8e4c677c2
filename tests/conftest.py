from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive import Archive, archive_in


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as archive:
        yield archive
