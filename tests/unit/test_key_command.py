"""`./spandrel key`, as a person at the terminal uses it, on AWS as moto plays it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from authorize.authorizer import Authorizer
from commands import __main__ as commands
from commands import running
from infra import synth
from infra.settings import Settings
from spandrel.aws.clients import client
from spandrel.aws.keys import KeyTable
from spandrel.http.identity import Identity, identified
from spandrel.http.request import request_of
from spandrel.model.errors import Unauthenticated
from tests.events import authorizer_event
from tests.signing import received, signed_headers

Key = Callable[..., str]
TEMPLATE = {
    "Resources": {
        "Keys": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        }
    },
    "Outputs": {"KeyTable": {"Value": {"Ref": "Keys"}}, "Url": {"Value": "https://spans.example.com"}},
}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The key table of a stack that is deployed, and described as one that runs on this machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with mock_aws():
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(StackName="Spandrel", TemplateBody=json.dumps(TEMPLATE))
        outputs = cloudformation.describe_stacks(StackName="Spandrel")["Stacks"][0]["Outputs"]
        told = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        description = tmp_path / "local.json"
        local = {"api": "http://127.0.0.1:4318", "aws_endpoint": "https://dynamodb.eu-central-1.amazonaws.com"}
        keys = {"access_key": "AKIDTEST", "secret_key": "secret"}
        description.write_text(json.dumps({**local, **keys, "region": "eu-central-1", "outputs": told}))
        monkeypatch.setattr(running, "DESCRIPTION", description)
        monkeypatch.setattr(synth, "settings_of_project", Settings)
        yield told["KeyTable"]


@pytest.fixture(params=[[], ["--deployed"]], ids=["local", "deployed"])
def key(table: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Key:
    """Runs `./spandrel key` on the stack of this machine and on the one in AWS: what it prints, or what it refuses."""

    def run(*arguments: str) -> str:
        code = commands.main(["key", *arguments, *request.param])
        printed = capsys.readouterr()
        assert bool(printed.err) is (code == 1)
        return printed.out if code == 0 else f"refused: {printed.err}"

    return run


def secret_in(printed: str) -> str:
    (secret,) = set(re.findall(r"sp_[0-9a-f]{64}", printed))
    return str(secret)


def who(table: str, secret: str) -> dict[str, str]:
    """What the authorizer makes of a key."""
    authorizer = Authorizer(KeyTable(client("dynamodb"), table))
    return authorizer.context(request_of(authorizer_event(x_api_key=secret)))


def test_a_new_key_works_with_what_it_was_made_for(key: Key, table: str) -> None:
    secret = secret_in(key("create", "--tenant", "shop", "--scope", "query", "--scope", "ingest", "--name", "ci"))
    assert who(table, secret) == {"tenant": "shop", "scopes": "ingest query", "key": "ci"}


def test_a_new_key_comes_with_the_lines_that_use_it(key: Key, request: pytest.FixtureRequest) -> None:
    deployed = "deployed" in request.node.name
    url = "https://spans.example.com" if deployed else "http://127.0.0.1:4318"
    printed = key("create", "--scope", "ingest")
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT={url}\n" in printed
    assert f"OTEL_EXPORTER_OTLP_HEADERS=x-api-key={secret_in(printed)}" in printed
    assert "curl" not in printed
    assert "OTEL" not in key("create", "--scope", "query")


def test_a_key_without_a_name_is_named_by_its_id_and_belongs_to_the_default_tenant(key: Key, table: str) -> None:
    said = who(table, secret_in(key("create", "--scope", "ingest")))
    assert said["tenant"] == "default"
    assert said["key"] in key("list")


def pair_in(printed: str) -> tuple[str, str]:
    """The id and the secret of a new pair, as they can be copied into a terminal."""
    (pair,) = set(re.findall(r"AWS_ACCESS_KEY_ID=(\S+)\n.*AWS_SECRET_ACCESS_KEY=(\S+)\n", printed))
    return str(pair[0]), str(pair[1])


def who_signs(table: str, pair: tuple[str, str]) -> Identity:
    """Whom the authorizer and a function make of who signs with the pair."""
    headers = signed_headers(key_id=pair[0], secret=pair[1])
    return identified(received(headers, keys=KeyTable(client("dynamodb"), table)))


def test_a_new_pair_signs_for_both_that_x_rays_clients_do(key: Key, table: str) -> None:
    pair = pair_in(key("create", "--tenant", "shop", "--xray", "--name", "daemon"))
    assert who_signs(table, pair) == Identity("shop", frozenset({"ingest", "query"}), "daemon")
    with pytest.raises(Unauthenticated):
        who_signs(table, (pair[0], pair[1][:-1]))


def test_a_pair_can_be_made_for_less(key: Key, table: str) -> None:
    pair = pair_in(key("create", "--xray", "--scope", "ingest"))
    assert who_signs(table, pair).scopes == {"ingest"}


def test_a_new_pair_comes_with_the_lines_that_use_it(key: Key, request: pytest.FixtureRequest) -> None:
    deployed = "deployed" in request.node.name
    url = "https://spans.example.com" if deployed else "http://127.0.0.1:4318"
    printed = key("create", "--xray")
    assert f"export AWS_ENDPOINT_URL_XRAY={url}\n" in printed
    assert f'Endpoint: "{url}"' in printed


def test_a_pair_is_listed_without_its_id_and_secret_and_can_be_revoked(key: Key, table: str) -> None:
    pair = pair_in(key("create", "--xray", "--name", "daemon"))
    listed = key("list")
    assert "daemon" in listed
    assert not any(part in listed for part in pair)
    key("revoke", "daemon")
    with pytest.raises(Unauthenticated, match="revoked"):
        who_signs(table, pair)


def test_the_list_shows_every_key_and_no_secret(key: Key) -> None:
    secret = secret_in(key("create", "--scope", "ingest", "--name", "collector", "--tenant", "shop"))
    key("create", "--scope", "query", "--name", "ui")
    key("revoke", "ui")
    heading, *rows = key("list").splitlines()
    assert heading.split() == ["ID", "NAME", "TENANT", "SCOPES", "CREATED", "REVOKED"]
    found = {row.split()[1]: row.split() for row in rows}
    assert found["collector"][2:4] == ["shop", "ingest"]
    assert [len(found[name]) for name in ("collector", "ui")] == [5, 6]
    assert secret not in "".join(rows)


def test_a_revoked_key_is_refused(key: Key, table: str) -> None:
    secret = secret_in(key("create", "--scope", "ingest", "--name", "old"))
    assert "within 30 seconds" in key("revoke", "old")
    assert who(table, secret) == {"refusal": "unknown-key"}


def test_a_key_can_be_revoked_by_its_id(key: Key, table: str) -> None:
    secret = secret_in(key("create", "--scope", "ingest", "--name", "one"))
    key_id = key("list").splitlines()[1].split()[0]
    key("revoke", key_id)
    assert who(table, secret) == {"refusal": "unknown-key"}


def test_a_name_is_free_again_once_its_key_is_revoked(key: Key) -> None:
    first = secret_in(key("create", "--scope", "ingest", "--name", "ci"))
    assert "already" in key("create", "--scope", "ingest", "--name", "ci")
    key("revoke", "ci")
    assert secret_in(key("create", "--scope", "ingest", "--name", "ci")) != first


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["revoke", "nobody"], "no key in use"),
        (["create", "--scope", "ingest", "--tenant", "Not/A/Tenant"], "tenant's name"),
        (["create", "--scope", "ingest", "--name", "tab\there"], "printable"),
        (["create", "--scope", "ingest", "--name", "x" * 65], "64"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(key: Key, arguments: list[str], why: str) -> None:
    refused = key(*arguments)
    assert refused.startswith("refused: spandrel key: ")
    assert why in refused
    assert refused.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["create"], ["create", "--scope", "everything"], ["destroy"]], ids=str)
def test_what_cannot_be_understood_ends_with_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        commands.main(["key", *arguments])
    assert "usage: spandrel key" in capsys.readouterr().err


def test_without_a_stack_on_this_machine_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "DESCRIPTION", tmp_path / "local.json")
    assert commands.main(["key", "list"]) == 1
    assert "./spandrel up" in capsys.readouterr().err


def test_without_a_deployed_stack_it_says_how_to_deploy_one(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("cloudformation").delete_stack(StackName="Spandrel")
    assert commands.main(["key", "list", "--deployed"]) == 1
    assert "./spandrel deploy" in capsys.readouterr().err
