"""Which modules a function needs, found by following its imports, so that its package carries those and no others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from infra.paths import FUNCTIONS

NOT_DATA = {".py", ".pyc"}
REQUIREMENTS = "requirements.txt"


def files_of(function: str) -> list[Path]:
    """The function's own folder, what it imports of `functions/`, directly or not, and the data beside these modules.

    Paths are relative to `functions/`, sorted. Imports inside of functions count; names made at run time do not.
    """
    found: set[Path] = set()
    wanted = [_name(path) for path in (FUNCTIONS / function).rglob("*.py")]
    while wanted:
        path = _module(wanted.pop())
        if path and path not in found:
            found.add(path)
            wanted += _packages_above(path)
            wanted += _imported(path)
    return sorted(found | set(_data_beside(found)))


def third_party_of(function: str) -> set[str]:
    """Dotted names of all that the function imports from outside of `functions/`, the standard library included."""
    modules = [path for path in files_of(function) if path.suffix == ".py"]
    return {name for path in modules for name in _imported(path) if not (FUNCTIONS / name.split(".")[0]).exists()}


def _imported(path: Path) -> Iterator[str]:
    """`from a import b` gives `a.b` if that is a module of ours or a stranger's, and `a` in any case."""
    package = list(path.parts[:-1])
    for node in ast.walk(ast.parse((FUNCTIONS / path).read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *(node.module.split(".") if node.module else [])])
            yield stem
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def _module(name: str) -> Path | None:
    """The file of a dotted name, or None if it is not a module of ours."""
    stem = Path(*name.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if (FUNCTIONS / path).is_file():
            return path
    return None


def _name(path: Path) -> str:
    parts = path.relative_to(FUNCTIONS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _packages_above(path: Path) -> Iterator[str]:
    """Python runs the `__init__` of each package on the way to a module."""
    yield from (".".join(parent.parts) for parent in path.parents if parent.parts)


def _data_beside(modules: set[Path]) -> Iterator[Path]:
    for folder in {path.parent for path in modules}:
        for path in (FUNCTIONS / folder).iterdir():
            if path.is_file() and path.suffix not in NOT_DATA and path.name != REQUIREMENTS:
                yield path.relative_to(FUNCTIONS)
