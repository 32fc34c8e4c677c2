"""Zipkin Lens as its project publishes it on Maven Central: the built pages, in Zipkin's server (Apache-2.0)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from infra.exclusive import exclusively
from infra.paths import CACHE

VERSION = "3.6.1"
SHA256 = "5509c00c65f7763968426f518af2a47e502743ea494da4d613a48fa175503bc9"  # of the jar of Lens in that of the server
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
SERVER = f"io.zipkin:zipkin-server:{VERSION}:jar:slim"
INSIDE = f"BOOT-INF/lib/zipkin-lens-{VERSION}.jar"
FOLDER = "zipkin-lens/"


@cache
def lens_files() -> Mapping[str, bytes]:
    """Its files by their names below `/zipkin/`. Maven fetches them once; CalledProcessError if it cannot."""
    kept = CACHE / "maven" / f"zipkin-lens-{VERSION}.jar"
    with exclusively(kept):
        if not kept.exists():
            _fetch(kept)
    if sha256(kept.read_bytes()).hexdigest() != SHA256:
        raise ValueError(f"{kept} is not the file that these tests were written for")
    with zipfile.ZipFile(kept) as jar:
        names = [name for name in jar.namelist() if name.startswith(FOLDER) and not name.endswith("/")]
        return {name.removeprefix(FOLDER): jar.read(name) for name in names}


def _fetch(kept: Path) -> None:
    maven = shutil.which("mvn")
    assert maven
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        copying = [maven, "-B", "-q", COPY, f"-Dartifact={SERVER}", f"-DoutputDirectory={folder}"]
        subprocess.run(copying, check=True, capture_output=True, timeout=300)
        (server,) = Path(folder).iterdir()
        with zipfile.ZipFile(server) as jar:
            kept.write_bytes(jar.read(INSIDE))
