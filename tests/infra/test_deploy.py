"""What `./spandrel deploy` and `./spandrel destroy` say and do around the CDK command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from commands import deploy, destroy
from commands.account import BOOTSTRAP_PARAMETER, Account, account
from commands.failure import CommandFailed
from infra.settings import Settings

REGION = "eu-west-1"
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    },
}
STACK = {
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "Catalogue": TABLE, "Keys": TABLE},
    "Outputs": {
        "Url": {"Value": "https://api.example.com"},
        "Bucket": {"Value": {"Ref": "Bucket"}},
        "CatalogueTable": {"Value": {"Ref": "Catalogue"}},
        "KeyTable": {"Value": {"Ref": "Keys"}},
    },
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield boto3.Session(region_name=REGION)


@pytest.fixture
def cdk_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """What the commands have the CDK command line do, which does nothing here."""
    calls: list[tuple[str, ...]] = []

    def cdk(arguments: tuple[str, ...], environment: dict[str, str]) -> int:
        assert environment["AWS_REGION"] == REGION
        calls.append(arguments)
        return 0

    monkeypatch.setattr(deploy, "cdk", cdk)
    monkeypatch.setattr(deploy, "synthesised", lambda: (Settings(), tmp_path))
    monkeypatch.setattr(destroy, "synthesise", lambda _outdir: tmp_path)
    return calls


def create_stack(aws: boto3.Session) -> dict[str, str]:
    aws.client("cloudformation").create_stack(StackName="Spandrel", TemplateBody=json.dumps(STACK))
    outputs = account().outputs("Spandrel")
    assert outputs is not None
    return dict(outputs)


def bootstrap(aws: boto3.Session) -> None:
    aws.client("ssm").put_parameter(Name=BOOTSTRAP_PARAMETER, Value="21", Type="String")


def options(**given: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"bootstrap": False, "yes": False, "with_data": False, **given})


def test_without_credentials_one_line_says_how_to_name_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", REGION)
    with pytest.raises(CommandFailed, match=r"^no AWS credentials: set AWS_PROFILE .*$"):
        account()


def test_without_a_region_one_line_asks_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(CommandFailed, match="no AWS region: set AWS_REGION"):
        account()


def test_an_account_that_cdk_does_not_know_is_told_so_before_anything_is_built(
    aws: boto3.Session, cdk_calls: list[tuple[str, ...]]
) -> None:
    with pytest.raises(CommandFailed, match=r"account \d{12}, eu-west-1 was never prepared .*deploy --bootstrap"):
        deploy.run(options())
    assert not cdk_calls


def test_bootstrap_prepares_the_account_first(aws: boto3.Session, cdk_calls: list[tuple[str, ...]]) -> None:
    create_stack(aws)
    assert deploy.run(options(bootstrap=True)) == 0
    assert [call[0] for call in cdk_calls] == ["bootstrap", "deploy"]
    assert cdk_calls[0][1].endswith("/eu-west-1")


def test_cdk_asks_before_it_widens_permissions_unless_told_not_to(
    aws: boto3.Session, cdk_calls: list[tuple[str, ...]]
) -> None:
    bootstrap(aws)
    create_stack(aws)
    deploy.run(options())
    deploy.run(options(yes=True))
    assert [call[call.index("--require-approval") + 1] for call in cdk_calls] == ["broadening", "never"]


def test_a_deployment_ends_with_what_to_do_next(
    aws: boto3.Session, cdk_calls: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap(aws)
    create_stack(aws)
    deploy.run(options())
    said = capsys.readouterr().out
    assert "Spandrel is deployed: https://api.example.com\n" in said
    assert "./spandrel key create" in said
    assert "export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://api.example.com/v1/traces\n" in said
    assert "export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf\n" in said
    assert "export OTEL_EXPORTER_OTLP_TRACES_HEADERS=x-api-key=" in said


def test_a_domain_of_ones_own_needs_a_record_that_is_named() -> None:
    said = deploy.how_to_use("Spandrel", {"Url": "https://t.example.com", "DomainTarget": "d-1.execute-api.example"})
    assert "CNAME record of that name at d-1.execute-api.example" in said


def test_when_cdk_fails_so_does_the_command(aws: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "cdk", lambda _arguments, _environment: 1)
    with pytest.raises(CommandFailed, match=r"`cdk deploy` failed"):
        deploy.call_cdk("deploy", where=Account(aws, "123456789012", REGION))


def test_a_declined_deployment_is_no_success(aws: boto3.Session, cdk_calls: list[tuple[str, ...]]) -> None:
    bootstrap(aws)
    with pytest.raises(CommandFailed, match="has no stack Spandrel after the deployment"):
        deploy.run(options())


def test_there_is_nothing_to_destroy_without_a_stack(aws: boto3.Session, cdk_calls: list[tuple[str, ...]]) -> None:
    with pytest.raises(CommandFailed, match="has no stack Spandrel"):
        destroy.run(options(yes=True))
    assert not cdk_calls


def test_destroying_leaves_the_data_and_says_where_it_is(
    aws: boto3.Session, cdk_calls: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = create_stack(aws)
    assert destroy.run(options(yes=True)) == 0
    said = capsys.readouterr().out
    assert "The data stays" in said
    for name in (outputs["Bucket"], outputs["CatalogueTable"], outputs["KeyTable"]):
        assert name in said
    assert [call[0] for call in cdk_calls] == ["destroy"]
    assert aws.client("s3").list_buckets()["Buckets"]
    assert len(aws.client("dynamodb").list_tables()["TableNames"]) == 2


def test_nothing_is_destroyed_without_the_stacks_name_typed(
    aws: boto3.Session, cdk_calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_stack(aws)
    monkeypatch.setattr("builtins.input", lambda _question: "yes")
    with pytest.raises(CommandFailed, match="nothing was removed"):
        destroy.run(options())
    assert not cdk_calls


def test_with_data_the_spans_and_keys_go_too(aws: boto3.Session, cdk_calls: list[tuple[str, ...]]) -> None:
    outputs = create_stack(aws)
    s3, dynamodb = aws.client("s3"), aws.client("dynamodb")
    for number in range(3):
        s3.put_object(Bucket=outputs["Bucket"], Key=f"default/blocks/{number}", Body=b"")
    assert destroy.run(options(yes=True, with_data=True)) == 0
    assert [call[0] for call in cdk_calls] == ["destroy"]
    assert not s3.list_buckets()["Buckets"]
    assert not dynamodb.list_tables()["TableNames"]
