"""The stack that runs on this machine, as `./spandrel up` describes it while it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.client import BaseClient

from .failure import CommandFailed

DESCRIPTION = Path(__file__).parent.parent / ".spandrel" / "local.json"


@dataclass(frozen=True, slots=True)
class Running:
    """`api` is where it serves; `outputs` are those of the stack; the access key is its administrator's."""

    api: str
    aws_endpoint: str
    region: str
    access_key: str
    secret_key: str
    outputs: Mapping[str, str]

    def client(self, service: str) -> BaseClient:
        """A client of its AWS."""
        return boto3.client(
            service,
            endpoint_url=self.aws_endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )


def running(otherwise: str = "add --deployed for the one in AWS") -> Running:
    """CommandFailed when no stack runs here; `otherwise` says what else the command could be told."""
    try:
        return Running(**json.loads(DESCRIPTION.read_text()))
    except FileNotFoundError:
        raise CommandFailed(f"no stack runs on this machine: start one with ./spandrel up, or {otherwise}") from None
