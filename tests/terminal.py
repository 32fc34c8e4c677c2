"""A person at the terminal of a stack in AWS as moto plays it, deployed and running on this machine at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from commands import __main__ as commands
from commands import running, stack
from infra.settings import Settings
from spandrel.aws.catalogue import DynamoCatalogue
from spandrel.aws.clients import client
from spandrel.aws.object_store import S3ObjectStore
from spandrel.model.retention import Retention

REGION = "eu-central-1"
_TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    },
}
_OUTPUTS = {"CatalogueTable": {"Value": {"Ref": "Catalogue"}}, "Bucket": {"Value": {"Ref": "Blocks"}}}
TEMPLATE = {"Resources": {"Catalogue": _TABLE, "Blocks": {"Type": "AWS::S3::Bucket"}}, "Outputs": _OUTPUTS}


@dataclass(frozen=True)
class Terminal:
    """`where` are the arguments that choose the stack; `table` and `bucket` are its."""

    capsys: pytest.CaptureFixture[str]
    where: list[str]
    table: str
    bucket: str

    def run(self, *arguments: str) -> str:
        """What a command prints, or what it refuses."""
        code = commands.main([*arguments, *self.where])
        printed = self.capsys.readouterr()
        assert bool(printed.err) is (code == 1)
        return printed.out if code == 0 else f"refused: {printed.err}"

    def catalogue(self, retention: Retention | None = None) -> DynamoCatalogue:
        return DynamoCatalogue(client("dynamodb"), self.table, retention or Retention(30))

    def objects(self) -> S3ObjectStore:
        return S3ObjectStore(client("s3"), self.bucket)


@contextmanager
def terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, where: list[str]
) -> Iterator[Terminal]:
    """A terminal with an empty stack."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDTEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(StackName="Spandrel", TemplateBody=json.dumps(TEMPLATE))
        told = cloudformation.describe_stacks(StackName="Spandrel")["Stacks"][0]["Outputs"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in told}
        here = running.Running("http://127.0.0.1:4318", "", REGION, "AKIDTEST", "secret", outputs)
        monkeypatch.setattr(running.Running, "client", lambda _self, service: boto3.client(service))
        monkeypatch.setattr(stack, "running", lambda: here)
        monkeypatch.setattr(stack, "settings_of_project", Settings)
        yield Terminal(capsys, where, outputs["CatalogueTable"], outputs["Bucket"])
