"""The CDK app. `./spandrel deploy` runs it through the CDK command line; so does `cdk deploy`, see README.md."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "functions"))

from infra.node import use_node_from_pypi

if __name__ == "__main__":
    use_node_from_pypi()
    from infra.synth import synthesise_for_command_line

    synthesise_for_command_line()
