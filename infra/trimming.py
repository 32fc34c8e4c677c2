"""What of an installed package no function opens: a smaller package starts sooner, and Lambda takes 250 MB at most.

Of aarch64 wheels, 2026-11, in MB: pyarrow 151 -> 72, botocore 30 -> 6, zstandard 21 -> 1.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

# Patterns of paths below the folder; `*` matches across folders too.
UNUSED = (
    "bin/*",
    "LICENSE",
    # for compilers, type checkers and installers
    *("*.pyi", "*/py.typed", "*.pyx", "*.pxd", "*.pxi", "*.h", "*.cc", "*.c"),
    *("*-stubs/*", "*/tests/*", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/WHEEL"),
    *("*.dist-info/REQUESTED", "*.dist-info/direct_url.json", "*.dist-info/sboms/*"),
    # pyarrow: file systems, formats and protocols that blocks do not use; three copies of one library
    *("pyarrow/*flight*", "pyarrow/*_s3*", "pyarrow/_gcsfs*", "pyarrow/_azurefs*", "pyarrow/_hdfs*", "pyarrow/*orc*"),
    *("pyarrow/*substrait.c*", "pyarrow/*encryption*", "pyarrow/_pyarrow_cpp_tests*", "pyarrow/include*/*"),
    *("pyarrow/src/*", "pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*"),
    # duckdb: another way in
    "adbc_driver_duckdb/*",
    # zstandard: its second implementation, for PyPy
    "zstandard/*_cffi*",
    # botocore: examples for its documentation, by service
    "botocore/data/*/examples-1.json",
)
# botocore describes 400 services; the functions use four, and sts for roles.
SERVICES_FOLDER = "botocore/data"
SERVICES = {"dynamodb", "lambda", "s3", "sqs", "sts"}


def trim(folder: Path) -> None:
    """Removes what no function opens."""
    for path in list(_unused(folder)):
        path.unlink()
    services = folder / SERVICES_FOLDER
    for service in services.iterdir() if services.exists() else ():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    _remove_empty_folders(folder)


def strip(folder: Path, machine: str) -> None:
    """Takes symbols and debugging out of shared objects for `machine`, where this computer has a tool that can."""
    tool = _strip_tool(machine)
    objects = [str(path) for path in folder.rglob("*") if ".so" in path.suffixes and path.is_file()]
    if tool and objects:
        subprocess.run([tool, "--strip-unneeded", *objects], check=True)


def _unused(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and any(fnmatch(name, pattern) for pattern in UNUSED):
            yield path


def _strip_tool(machine: str) -> str | None:
    """binutils' strip knows this machine's kind only; LLVM's knows all."""
    native = ["strip"] if machine == platform.machine() else []
    names = [*native, f"{machine}-linux-gnu-strip", "llvm-strip"]
    return next((path for path in map(shutil.which, names) if path), None)


def _remove_empty_folders(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
