"""Data flows one way; docs/architecture.md says which way, and this holds the code to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"

# folder below functions/spandrel -> the sibling folders that it may import
MAY_IMPORT = {
    "model": set(),
    "http": {"model"},
    "wire": {"http", "model"},
    "blocks": {"model"},
    "aws": {"model"},
    "traceql": {"model"},
    "query": {"blocks", "traceql", "model"},
    "api": {"http", "wire", "query", "blocks", "traceql", "model"},
}
# third-party package -> the only places that may import it
ONLY_IN = {
    "boto3": {"spandrel/aws"},
    "botocore": {"spandrel/aws"},
    "duckdb": {"spandrel/blocks", "spandrel/query"},
    "pyarrow": {"spandrel/blocks", "spandrel/query"},
    "ptars": {"spandrel/blocks"},
    "lark": {"spandrel/traceql"},
}


def modules() -> list[Path]:
    return sorted(path.relative_to(FUNCTIONS) for path in FUNCTIONS.rglob("*.py"))


def imported(module: Path) -> Iterator[str]:
    """Absolute dotted names of all that a module imports, also inside functions."""
    package = list(module.parts[:-1])
    for node in ast.walk(ast.parse((FUNCTIONS / module).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module.split(".") if node.module else [])]
            yield from (".".join([*stem, alias.name]) for alias in node.names)


@pytest.mark.parametrize("module", modules(), ids=str)
def test_a_module_imports_only_what_lies_behind_it(module: Path) -> None:
    room = module.parts[1] if module.parts[0] == "spandrel" and len(module.parts) > 2 else None
    for name in imported(module):
        parts = name.split(".")
        if parts[0] == "spandrel" and len(parts) > 1 and room:
            assert parts[1] in MAY_IMPORT[room] | {room}, f"{module} imports {name}"
        if room:
            assert parts[0] not in {"receive", "store", "plan", "compact", "query", "authorize", "show"}, (
                f"{module} imports the handler {name}"
            )


@pytest.mark.parametrize("module", modules(), ids=str)
def test_a_library_is_imported_only_in_its_place(module: Path) -> None:
    place = "/".join(module.parts[:2])
    for name in imported(module):
        allowed = ONLY_IN.get(name.split(".")[0])
        assert allowed is None or place in allowed, f"{module} imports {name}; only {allowed} may"


def test_the_model_imports_nothing_but_the_standard_library() -> None:
    import sys

    for module in modules():
        if module.parts[:2] == ("spandrel", "model"):
            for name in imported(module):
                assert name.split(".")[0] in sys.stdlib_module_names | {"spandrel"}, f"{module} imports {name}"
