"""Compiles a package for the Python that Lambda runs, so that no cold start compiles it: that takes four times as long.

Byte code is the same for every machine, but not for every Python: it takes a CPython 3.13. Where there is none, the
CPython 3.13 of Pyodide (npm) does it, under the Node that came from PyPI.

`unchecked-hash`: the CDK command line zips files with the time of 1980, by which ordinary byte code is always stale.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra import node

LAMBDA_PYTHON = (3, 13)
LAMBDA_MAGIC = (3571).to_bytes(2, "little") + b"\r\n"  # importlib.util.MAGIC_NUMBER of CPython 3.13

# Where Pythons are that are not on PATH: pyenv, uv, python.org's, Debian's deadsnakes, Homebrew.
USUAL_PLACES = (
    "~/.pyenv/versions/3.13.*/bin/python3.13",
    "~/.local/share/uv/python/cpython-3.13.*/bin/python3.13",
    "/opt/python/cp313-cp313/bin/python3.13",
    "/usr/local/bin/python3.13",
    "/opt/homebrew/bin/python3.13",
)


class CompilerMissing(Exception):
    """There is no CPython 3.13 here, and Pyodide's cannot be had."""


def compile_for_lambda(folder: Path) -> None:
    """Byte code beside every module below the folder, for Python 3.13. CompilerMissing says what to install."""
    python = python_for_lambda()
    if python:
        _compile(python, folder)
    else:
        _compile_with_pyodide(folder)
    _check_magic(folder)


def compile_for_this_python(folder: Path) -> None:
    """The same for the Python that runs this."""
    _compile(sys.executable, folder)


@cache
def python_for_lambda() -> str | None:
    """A CPython 3.13 of this machine, or None."""
    return next((path for path in _candidates() if _is_lambda_python(path)), None)


def _candidates() -> Iterator[str]:
    yield sys.executable
    on_path = shutil.which("python3.13")
    if on_path:
        yield on_path
    for pattern in USUAL_PLACES:
        place = Path(pattern).expanduser()
        yield from (str(path) for path in sorted(Path(place.anchor).glob(str(place.relative_to(place.anchor)))))


def _is_lambda_python(path: str) -> bool:
    """Asked, because a name proves little: pyenv puts a `python3.13` on PATH that says it has none."""
    question = "import sys, importlib.util; print(sys.implementation.name, importlib.util.MAGIC_NUMBER.hex())"
    try:
        answer = subprocess.run([path, "-I", "-c", question], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.split() == ["cpython", LAMBDA_MAGIC.hex()]


def _compile(python: str, folder: Path) -> None:
    """Without the folder's name in the byte code: Python puts the right one there when it imports a module."""
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-j", "0", "-q", "-f"]
    subprocess.run([python, "-I", "-m", "compileall", *options, str(folder)], check=True, stdout=sys.stderr)


def _compile_with_pyodide(folder: Path) -> None:
    try:
        node.run(str(node.install(node.PINNED / "pyodide") / "compile.mjs"), str(folder))
    except node.NodeFailed as error:
        raise CompilerMissing(
            f"no CPython 3.13 is here to compile for Lambda, and Pyodide's failed ({error}); install python3.13"
        ) from error


def _check_magic(folder: Path) -> None:
    for path in folder.rglob("*.pyc"):
        with path.open("rb") as compiled:
            if compiled.read(4) != LAMBDA_MAGIC:
                raise CompilerMissing(f"{path} is not for Python 3.13; install python3.13")
