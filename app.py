"""The CDK app, which the CDK command line runs: `./spandrel deploy`, or `cdk deploy` in the project's environment."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]


def main() -> None:
    try:
        from infra.bytecode import CompilerMissing
        from infra.packaging import PackagingFailed
        from infra.settings import SettingsError
        from infra.synth import synthesise_for_command_line
    except ModuleNotFoundError as error:
        sys.exit(f"{error}: use ./spandrel deploy, or the environment that it makes (. .venv/bin/activate)")
    try:
        synthesise_for_command_line()
    except SettingsError as error:
        sys.exit(f"cdk.json: {error}")
    except (PackagingFailed, CompilerMissing) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
