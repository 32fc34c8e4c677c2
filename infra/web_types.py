"""`python -m infra.web_types`: what TypeScript says of the types in `web/`, which are JSDoc. Exit code 0 if nothing."""

from __future__ import annotations

import subprocess
import sys

from infra import node
from infra.paths import WEB

STRICTLY = (
    *("--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"),
    *("--module", "esnext", "--moduleResolution", "bundler"),
)


def main() -> int:
    """The exit code of the compiler, which prints what it finds."""
    compiler = node.install(node.PINNED / "typescript") / "node_modules" / "typescript" / "bin" / "tsc"
    checked = subprocess.run([str(node.NODE), str(compiler), *STRICTLY, str(WEB / "main.js")], check=False)
    return checked.returncode


if __name__ == "__main__":
    sys.exit(main())
