from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from commands.assembly import ROOT, synthesising
from commands.up import OPEN
from infra.command_line import command, surroundings
from local.assembly import Stack, read_stack
from local.aws import LocalAws
from local.stack import LocalStack
from tests.builders import request_of, span

from .spandrel import Client, new_trace_id, spans_sent

pytestmark = pytest.mark.cdk


def cdk_deploy(aws: LocalAws, assembly: Path, home: Path) -> Stack:
    """What `./spandrel deploy` does once the functions are packaged, against the local endpoint.

    In `home` the command line remembers the account that an access key belongs to, so it must be a new one.
    """
    deploy = command("deploy", "--app", str(assembly), "--require-approval", "never")
    credentials = {**aws.administrator, "CDK_HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(deploy, cwd=ROOT, env=surroundings(credentials), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_stack(aws, "Spandrel")


@pytest.fixture(scope="module")
def assembly() -> Path:
    with synthesising() as synthesis:
        return synthesis.assembly()


@pytest.fixture(scope="module")
def deployed(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("deployed")
    deploy = partial(cdk_deploy, home=folder)
    with LocalStack(assembly, ROOT / "functions", folder / "log", authorizer=OPEN, deploy=deploy) as stack:
        yield stack


def test_the_command_line_creates_every_resource_of_the_template(assembly: Path, deployed: LocalStack) -> None:
    template = json.loads((assembly / "Spandrel.template.json").read_text())
    wanted = {name: resource["Type"] for name, resource in template["Resources"].items()}
    assert {name: kind for name, (kind, _) in deployed.stack.resources.items()} == wanted
    assert deployed.stack.outputs.keys() == template["Outputs"].keys()


def test_what_the_command_line_deployed_stores_and_shows_spans(deployed: LocalStack) -> None:
    client, trace_id = Client(deployed), new_trace_id()
    request = request_of(span("deployed", trace_id=trace_id))
    client.store(request)
    assert client.trace(trace_id) == spans_sent(request)
