"""What each function carries to Lambda: its modules, those it imports, and the packages of its requirements.txt.

Packages are made once and kept under .spandrel/ by the hash of what goes into them. pip downloads the wheels of the
wanted machine, at the versions of requirements.lock, so neither Docker nor an arm64 machine is needed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Literal, get_args

from infra import bytecode, trimming
from infra.exclusive import exclusively
from infra.imports import REQUIREMENTS, files_of
from infra.paths import CACHE, FUNCTIONS, LOCK, ROOT, WEB

Verb = Literal["receive", "store", "plan", "compact", "query", "authorize", "show"]
VERBS: tuple[Verb, ...] = get_args(Verb)

# "source": the function's own modules only, made in no time, for whoever has the packages already (the stack on a
# developer's machine). "deploy": for Lambda, arm64. "host": as for Lambda, but for this machine and this Python.
Kind = Literal["source", "deploy", "host"]

# What a function carries besides its modules, under the same name in the package.
DATA_FOLDERS: Mapping[Verb, tuple[Path, ...]] = {"show": (WEB,)}

LAMBDA_MACHINE = "aarch64"
LAMBDA_PACKAGE_BYTES = 250 * 1024 * 1024  # unzipped, layers included (quotas of Lambda)
FOR_LAMBDA = [
    *("--implementation", "cp", "--python-version", "3.13", "--only-binary=:all:"),
    # Lambda's Python 3.13 runs on Amazon Linux 2023, which has glibc 2.34.
    *(f"--platform={glibc}_{LAMBDA_MACHINE}" for glibc in ("manylinux2014", "manylinux_2_28", "manylinux_2_34")),
]


class PackagingFailed(Exception):
    """A package that cannot be made: one line for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Package:
    """A folder that becomes a function's code; `digest` changes when what a deployment would carry does."""

    folder: Path
    digest: str

    def size_bytes(self) -> int:
        """Unzipped."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


Packages = Mapping[Verb, Package]


def packages(kind: Kind) -> Packages:
    """A package of each function."""
    return {verb: package(verb, kind) for verb in VERBS}


def package(verb: Verb, kind: Kind) -> Package:
    """The function's package, made unless it is there. PackagingFailed and CompilerMissing say what is amiss."""
    installed = None if kind == "source" else _installed(verb, kind)
    digest = _digest(verb, kind, installed)
    folder = CACHE / "packages" / f"{verb}-{kind}-{digest[:16]}"
    with exclusively(folder):
        if not folder.exists():
            _make(folder, verb, kind, installed)
    made = Package(folder, digest)
    if kind == "deploy" and made.size_bytes() > LAMBDA_PACKAGE_BYTES:
        raise PackagingFailed(f"{verb} has {made.size_bytes()} bytes; Lambda takes {LAMBDA_PACKAGE_BYTES} at most")
    return made


def _digest(verb: Verb, kind: Kind, installed: Path | None) -> str:
    """Of sources, and of the versions installed: a line in the lock that the function does not use changes nothing."""
    digest = hashlib.sha256(kind.encode())
    for path, source in _sources(verb).items():
        digest.update(f"{path}\0".encode() + hashlib.sha256(source.read_bytes()).digest())
    if installed:
        digest.update("\n".join(sorted(_versions(installed))).encode() + _rules())
    return digest.hexdigest()


def _make(folder: Path, verb: Verb, kind: Kind, installed: Path | None) -> None:
    with _whole(folder) as making:
        for path, source in _sources(verb).items():
            (making / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, making / path)
        if installed:
            _compile(making, kind)
            shutil.copytree(installed, making, copy_function=os.link, dirs_exist_ok=True)


def _sources(verb: Verb) -> dict[Path, Path]:
    """The function's own files: where each lies in the package, and where it is here."""
    sources = {path: FUNCTIONS / path for path in files_of(verb)}
    for folder in DATA_FOLDERS.get(verb, ()):
        sources |= {path.relative_to(ROOT): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return sources


def _installed(verb: Verb, kind: Kind) -> Path:
    """The packages of the function's requirements.txt, trimmed and compiled; shared by all that require the same."""
    requirements = FUNCTIONS / verb / REQUIREMENTS
    python = ".".join(map(str, sys.version_info[:3])) if kind == "host" else "3.13"
    digest = hashlib.sha256(f"{kind} {python}".encode() + requirements.read_bytes() + LOCK.read_bytes() + _rules())
    folder = CACHE / "packages" / f"installed-{kind}-{digest.hexdigest()[:16]}"
    with exclusively(folder):
        if not folder.exists():
            print(f"spandrel: collecting what {verb} carries", file=sys.stderr, flush=True)
            _collect(folder, requirements, kind)
    return folder


def _collect(folder: Path, requirements: Path, kind: Kind) -> None:
    with _whole(folder) as making:
        _pip_install(requirements, making, FOR_LAMBDA if kind == "deploy" else [])
        trimming.trim(making)
        trimming.strip(making, platform.machine() if kind == "host" else LAMBDA_MACHINE)
        _compile(making, kind)


def _pip_install(requirements: Path, target: Path, options: list[str]) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    wanted = ["--target", str(target), "--constraint", str(LOCK), "--requirement", str(requirements)]
    done = subprocess.run([*pip, *options, *wanted], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PackagingFailed(f"pip could not install {requirements}: {done.stderr.strip()}")


def _compile(folder: Path, kind: Kind) -> None:
    if kind == "host":
        bytecode.compile_for_this_python(folder)
    else:
        bytecode.compile_for_lambda(folder)


def _versions(installed: Path) -> list[str]:
    return [f"{found.name}=={found.version}" for found in distributions(path=[str(installed)])]


def _rules() -> bytes:
    """A change of how packages are made makes them anew."""
    return b"".join(Path(str(module.__file__)).read_bytes() for module in (bytecode, trimming))


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name when it is full: a stopped build leaves nothing that looks finished."""
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    yield making
    making.rename(folder)
