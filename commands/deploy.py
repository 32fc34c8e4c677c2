"""Deploys the stack to the AWS account that your credentials name, and says how to use it.

Settings stand in cdk.json, under context.spandrel. The first deployment to an account and region needs `--bootstrap`,
which has CDK make the bucket and roles that it deploys through.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.bytecode import CompilerMissing
from infra.command_line import cdk
from infra.node import NodeFailed
from infra.packaging import PackagingFailed
from infra.paths import CACHE
from infra.settings import Settings, SettingsError
from infra.synth import settings_of_project, synthesise

from .account import Account, account
from .failure import CommandFailed

ASSEMBLY = CACHE / "deployment"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bootstrap", action="store_true", help="prepare the account and region for CDK first")
    parser.add_argument("--yes", action="store_true", help="do not ask before permissions are created or widened")


def run(arguments: argparse.Namespace) -> int:
    where = account()
    if not arguments.bootstrap and not where.is_bootstrapped():
        raise CommandFailed(f"{where} was never prepared for CDK: run ./spandrel deploy --bootstrap")
    settings, assembly = synthesised()
    if arguments.bootstrap:
        call_cdk("bootstrap", f"aws://{where.number}/{where.region}", where=where)
    approval = "never" if arguments.yes else "broadening"
    call_cdk("deploy", "--app", str(assembly), "--require-approval", approval, where=where)
    print(how_to_use(settings.stack_name, deployed_outputs(where, settings.stack_name)))
    return 0


def synthesised() -> tuple[Settings, Path]:
    """The settings of cdk.json and the cloud assembly with all that goes to Lambda."""
    print("spandrel deploy: packaging and synthesising", file=sys.stderr, flush=True)
    try:
        return settings_of_project(), synthesise(ASSEMBLY, "deploy")
    except (SettingsError, PackagingFailed, CompilerMissing) as error:
        raise CommandFailed(str(error)) from error


def call_cdk(*arguments: str, where: Account) -> None:
    """Runs the CDK command line in the account's region; CommandFailed if it fails (it has said why)."""
    try:
        code = cdk(arguments, {**os.environ, "AWS_REGION": where.region})
    except NodeFailed as error:
        raise CommandFailed(f"npm could not install the CDK command line: {error}") from error
    if code != 0:
        raise CommandFailed(f"`cdk {arguments[0]}` failed (see above)")


def deployed_outputs(where: Account, stack: str) -> Mapping[str, str]:
    outputs = where.outputs(stack)
    if outputs is None:
        raise CommandFailed(f"{where} has no stack {stack} after the deployment; was it declined?")
    return outputs


def how_to_use(stack: str, outputs: Mapping[str, str]) -> str:
    """What to do next, to be copied into a terminal."""
    url = outputs["Url"]
    lines = [
        "",
        f"{stack} is deployed: {url}",
        *([f"Point a CNAME record of that name at {outputs['DomainTarget']}"] if "DomainTarget" in outputs else []),
        "",
        "Make the first API key:",
        "    ./spandrel key create --deployed --scope ingest --scope query",
        "",
        "Point an OpenTelemetry SDK at it:",
        f"    export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={url}/v1/traces",
        "    export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf",
        "    export OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=gzip",
        "    export OTEL_EXPORTER_OTLP_TRACES_HEADERS=x-api-key=THE_KEY",
    ]
    return "\n".join(lines)
