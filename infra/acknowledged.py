"""Findings of cdk-nag that stay, each with its reason, beside the construct that it is about."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """`rule` is the exact finding, for example `AwsSolutions-S1`; every other finding on the construct still fails."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason))
