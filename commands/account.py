"""The AWS account that the person's credentials name, asked before anything long begins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from .failure import CommandFailed

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"


@dataclass(frozen=True, slots=True)
class Account:
    """Where commands act: `session` with credentials that work, in `region`."""

    session: boto3.Session
    number: str
    region: str

    def __str__(self) -> str:
        return f"account {self.number}, {self.region}"

    def is_bootstrapped(self) -> bool:
        """Whether `cdk bootstrap` has run here: it makes the bucket and the roles through which CDK deploys."""
        with said_plainly():
            try:
                self.session.client("ssm").get_parameter(Name=BOOTSTRAP_PARAMETER)
            except ClientError as error:
                if _code(error) == "ParameterNotFound":
                    return False
                raise
        return True

    def outputs(self, stack: str) -> Mapping[str, str] | None:
        """What the stack says of itself (infra/stack.py), or None where there is no such stack."""
        with said_plainly():
            try:
                answer = self.session.client("cloudformation").describe_stacks(StackName=stack)
            except ClientError as error:
                if _code(error) == "ValidationError" and "does not exist" in str(error):
                    return None
                raise
        return {output["OutputKey"]: output["OutputValue"] for output in answer["Stacks"][0].get("Outputs", [])}


def account() -> Account:
    """The account and region that the environment names, or CommandFailed with what is missing."""
    session = boto3.Session(region_name=os.environ.get("AWS_REGION"))  # which CDK reads, and boto3 does not
    if not session.region_name:
        raise CommandFailed("no AWS region: set AWS_REGION, or `region` in the AWS profile")
    with said_plainly():
        number = session.client("sts").get_caller_identity()["Account"]
    return Account(session, number, session.region_name)


@contextmanager
def said_plainly() -> Iterator[None]:
    """What AWS refuses, in one line for the person at the terminal."""
    try:
        yield
    except (NoCredentialsError, NoRegionError):
        raise CommandFailed(
            "no AWS credentials: set AWS_PROFILE (after `aws sso login`, say), or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY"
        ) from None
    except (ClientError, BotoCoreError) as error:
        raise CommandFailed(str(error)) from error


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
