"""What each function carries to Lambda."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

ROOT = Path(__file__).parent.parent
FUNCTIONS = ROOT / "functions"
CACHE = ROOT / ".spandrel"

Verb = Literal["receive", "store", "query", "authorize"]
VERBS: tuple[Verb, ...] = get_args(Verb)
Kind = Literal["source"]


@dataclass(frozen=True, slots=True)
class Package:
    """A folder that becomes a function's code; `digest` changes when what went into it does."""

    folder: Path
    digest: str


Packages = Mapping[Verb, Package]


def packages(_kind: Kind) -> Packages:
    """A package of each function. `source`: its own modules alone."""
    return {verb: source_package(verb) for verb in VERBS}


def source_package(verb: Verb) -> Package:
    digest = hashlib.sha256()
    sources = list(_sources(verb))
    for path in sources:
        digest.update(f"{path.relative_to(FUNCTIONS)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    folder = CACHE / "packages" / f"{verb}-source-{digest.hexdigest()[:16]}"
    if not folder.exists():
        for path in sources:
            target = folder / path.relative_to(FUNCTIONS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return Package(folder, digest.hexdigest())


def _sources(verb: Verb) -> Iterator[Path]:
    for name in (verb, "spandrel"):
        yield from sorted((FUNCTIONS / name).rglob("*.py"))
