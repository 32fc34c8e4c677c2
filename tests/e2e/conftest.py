"""The stacks that the tests share, one of each kind a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.assembly import ROOT, synthesising
from commands.up import OPEN
from local.stack import LocalStack

from .small import template


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder starts a stack, or shares one."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The small stack, for tests of the machinery itself."""
    folder = tmp_path_factory.mktemp("small")
    with LocalStack(template.write_assembly(folder), template.FUNCTIONS, folder / "functions.log") as stack:
        yield stack


@pytest.fixture(scope="session")
def spandrel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Spandrel itself, as `./spandrel up` runs it: requests without a key belong to the tenant `default`."""
    log = tmp_path_factory.mktemp("spandrel") / "functions.log"
    with synthesising() as synthesis:
        assembly = synthesis.assembly()
    with LocalStack(assembly, ROOT / "functions", log, authorizer=OPEN) as stack:
        yield stack
