"""Log groups that forget: after so many days, and with the stack."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import LogDays


def log_group(scope: Construct, name: str, kept_days: LogDays) -> logs.LogGroup:
    group = logs.LogGroup(scope, name, removal_policy=cdk.RemovalPolicy.DESTROY)
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    resource.retention_in_days = kept_days  # CDK takes words only: ONE_WEEK, TWO_WEEKS
    return group
