"""The CDK app, which the CDK command line runs: `./spandrel deploy`, or `cdk deploy` in the project's environment."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT), str(ROOT / "functions")]

if __name__ == "__main__":
    from infra.settings import SettingsError
    from infra.synth import synthesise_for_command_line

    try:
        synthesise_for_command_line()
    except SettingsError as error:
        sys.exit(f"cdk.json: {error}")
