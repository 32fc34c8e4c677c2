"""Synthesises the stack into a cloud assembly: the template and the functions' packages.

In this process, as `./spandrel up`, the tests and the checks do; or under the CDK command line, as `cdk deploy` does.
Neither needs Docker, an account or the network (packages for Lambda apart, which pip downloads once).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra import packaging
from infra.exclusive import exclusively
from infra.node import use_node_from_pypi
from infra.packaging import Kind
from infra.paths import ROOT
from infra.settings import CONTEXT_KEY, Settings, settings_from

# Beside the settings in the context: `cdk synth -c spandrel:packages=source` leaves out what pip would download.
PACKAGES_CONTEXT_KEY = "spandrel:packages"
STAMP = "inputs"
INPUTS = ("app.py", "cdk.json", "requirements.lock", "infra/**/*", "functions/**/*")


def synthesise(
    outdir: Path, packages: Kind = "source", settings: Mapping[str, Any] | None = None, *, with_nag: bool = False
) -> Path:
    """Writes the cloud assembly into `outdir` and returns it; at once where it stands there already.

    `packages`: "source" carries the functions' own modules only, "deploy" is what goes to Lambda. `settings` override
    those of cdk.json; SettingsError names one that cannot be. `with_nag` fails on any finding of cdk-nag that nobody
    acknowledged.
    """
    context = _context(settings or {})
    settings_from(context)
    wanted = _inputs_digest(packages, context, with_nag)
    with exclusively(outdir):
        stamp = outdir / STAMP
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(outdir, ignore_errors=True)
            _synthesise(outdir, packages, context, with_nag)
            stamp.write_text(wanted)
    return outdir


def settings_of_project() -> Settings:
    """The settings of cdk.json, or SettingsError."""
    return settings_from(_context({}))


def synthesise_for_command_line() -> None:
    """What app.py does: the CDK command line hands over the context and the folder in its own environment variables."""
    use_node_from_pypi()
    import aws_cdk as cdk

    app = cdk.App()
    context = app.node.get_all_context()
    _build(app, context.get(PACKAGES_CONTEXT_KEY, "deploy"), context)
    app.synth()


def _synthesise(outdir: Path, kind: Kind, context: Mapping[str, Any], with_nag: bool) -> None:
    use_node_from_pypi()
    import aws_cdk as cdk

    app = cdk.App(outdir=str(outdir), context=context)
    if with_nag:
        from cdk_nag import AwsSolutionsChecks

        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    _build(app, kind, context)
    app.synth()


def _build(app: Any, kind: Kind, context: Mapping[str, Any]) -> None:
    from infra.stack import Spandrel  # imports aws_cdk, which starts Node: only when there is something to synthesise

    Spandrel(app, settings_from(context), packaging.packages(kind))


def _context(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The context of cdk.json, which `python app.py` without the command line does not read by itself."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    context[CONTEXT_KEY] = {**context[CONTEXT_KEY], **settings}
    return context


def _inputs_digest(kind: Kind, context: Mapping[str, Any], with_nag: bool) -> str:
    digest = hashlib.sha256(json.dumps([kind, context, with_nag], sort_keys=True).encode())
    inputs = (path for pattern in INPUTS for path in ROOT.glob(pattern) if path.is_file() and path.suffix != ".pyc")
    for path in sorted(inputs):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
