"""Synthesises the stack into a cloud assembly: the template and the functions' packages.

In this process, as `./spandrel up`, the tests and the checks do; or under the CDK command line, as `cdk deploy` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from infra.packaging import ROOT, Kind, packages
from infra.settings import CONTEXT_KEY, settings_from
from infra.stack import Spandrel


def synthesise(outdir: Path, packages_kind: Kind = "source", settings: Mapping[str, Any] | None = None) -> Path:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    context[CONTEXT_KEY] |= settings or {}
    app = cdk.App(outdir=str(outdir), context=context, analytics_reporting=False)
    Spandrel(app, settings_from(context), packages(packages_kind))
    app.synth()
    return outdir
