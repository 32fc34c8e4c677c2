"""The synthesised cloud assembly, and how it becomes a stack of the local AWS: what `cdk deploy` does, without it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from .aws import LocalAws
from .cloudformation import unknown_types
from .failures import StackRefused
from .principals import EVERYTHING

BOOTSTRAP_QUALIFIER = "hnb659fds"  # the CDK's own default
BOOTSTRAP_VERSION = "21"
BOOTSTRAP_ROLES = ("deploy", "file-publishing", "lookup", "cfn-exec")  # under which the command line acts
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is there. `resources`: logical id -> (type, physical id)."""

    name: str
    outputs: dict[str, str]
    resources: dict[str, tuple[str, str]]

    def ids(self, resource_type: str) -> list[str]:
        """The physical ids of all resources of a type."""
        return [identifier for kind, identifier in self.resources.values() if kind == resource_type]


def bootstrap(aws: LocalAws) -> None:
    """What `cdk bootstrap` leaves in an account, as far as deployments need it: version, bucket and roles."""
    version = f"/cdk-bootstrap/{BOOTSTRAP_QUALIFIER}/version"
    aws.client("ssm").put_parameter(Name=version, Value=BOOTSTRAP_VERSION, Type="String")
    aws.client("s3").create_bucket(Bucket=f"cdk-{BOOTSTRAP_QUALIFIER}-assets-{aws.account_id}-{aws.region}")
    trusted = {"AWS": f"arn:aws:iam::{aws.account_id}:root"}
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}]}
    for part in BOOTSTRAP_ROLES:
        role = f"cdk-{BOOTSTRAP_QUALIFIER}-{part}-role-{aws.account_id}-{aws.region}"
        aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        aws.client("iam").put_role_policy(RoleName=role, PolicyName="everything", PolicyDocument=EVERYTHING)


def create_stack(aws: LocalAws, assembly: Path) -> Stack:
    """Creates the only stack of the assembly; StackRefused when AWS, or this machine, does not take it."""
    name, template_path, assets_path = _stack_of(assembly)
    template = json.loads(template_path.read_text())
    if missing := unknown_types(template):
        raise StackRefused(f"local/cloudformation_types.py does not know {', '.join(sorted(missing))}")
    for bucket, key, body in _assets(aws, assembly, assets_path):
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    cloudformation = aws.client("cloudformation")
    try:
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=CAPABILITIES)
    except ClientError as error:
        raise StackRefused(f"CloudFormation: {error}") from error
    return read_stack(aws, name)


def read_stack(aws: LocalAws, name: str) -> Stack:
    """What CloudFormation knows of a stack that has been created."""
    cloudformation = aws.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return Stack(
        name,
        {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        {each["LogicalResourceId"]: (each["ResourceType"], each["PhysicalResourceId"]) for each in resources},
    )


def _stack_of(assembly: Path) -> tuple[str, Path, Path]:
    """(name, template, list of assets) of the assembly's stack, as its manifest has them."""
    artifacts: dict[str, dict[str, Any]] = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {name: each for name, each in artifacts.items() if each["type"] == "aws:cloudformation:stack"}
    if len(stacks) != 1:
        raise StackRefused(f"the assembly has {len(stacks)} stacks; the local stack is made of one")
    name, stack = next(iter(stacks.items()))
    assets = artifacts[f"{name}.assets"]["properties"]["file"]
    return stack["properties"].get("stackName", name), assembly / stack["properties"]["templateFile"], assembly / assets


def _assets(aws: LocalAws, assembly: Path, assets_path: Path) -> Iterator[tuple[str, str, bytes]]:
    """(bucket, key, body) of each file that the stack refers to."""
    for asset in json.loads(assets_path.read_text())["files"].values():
        source = assembly / asset["source"]["path"]
        body = _zipped(source) if asset["source"]["packaging"] == "zip" else source.read_bytes()
        for destination in asset["destinations"].values():
            yield _filled_in(aws, destination["bucketName"]), _filled_in(aws, destination["objectKey"]), body


def _filled_in(aws: LocalAws, text: str) -> str:
    return text.replace("${AWS::AccountId}", aws.account_id).replace("${AWS::Region}", aws.region)


def _zipped(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return packed.getvalue()
