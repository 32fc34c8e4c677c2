"""One Lambda function with all that belongs to it: role, log group, version, alias `live`."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledged import acknowledge
from infra.log_group import log_group
from infra.packaging import Package, Verb
from infra.settings import LogLevel, Settings

# Lambda spells two of the levels its own way.
LAMBDA_LOG_LEVELS: dict[LogLevel, lambda_.ApplicationLogLevel] = {
    "DEBUG": lambda_.ApplicationLogLevel.DEBUG,
    "INFO": lambda_.ApplicationLogLevel.INFO,
    "WARNING": lambda_.ApplicationLogLevel.WARN,
    "ERROR": lambda_.ApplicationLogLevel.ERROR,
    "CRITICAL": lambda_.ApplicationLogLevel.FATAL,
}


LAMBDA_DISK_MIB = 512  # which every function has, and the most that one with snapshots can have (Lambda's guide)


class Function(Construct):
    """The function `<verb>.handler.handle`. Whoever calls it calls `live`, never the unpublished code.

    Its role begins with its own log group alone; `may` adds what else it needs.
    """

    def __init__(
        self,
        scope: Construct,
        verb: Verb,
        *,
        settings: Settings,
        package: Package,
        description: str,
        timeout: cdk.Duration,
        environment: Mapping[str, str],
        answers_requests: bool,
        disk_mib: int = LAMBDA_DISK_MIB,
    ) -> None:
        super().__init__(scope, verb.capitalize())
        self.verb = verb
        self.log_group = log_group(self, "Logs", settings.log_retention_days)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.may("logs:CreateLogStream", "logs:PutLogEvents", on=self.log_group.log_group_arn)
        self.unpublished = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{verb}.handler.handle",
            code=lambda_.Code.from_asset(
                str(package.folder), asset_hash=package.digest, asset_hash_type=cdk.AssetHashType.CUSTOM
            ),
            role=self.role,
            log_group=self.log_group,
            memory_size=getattr(settings.memory_mib, verb),
            ephemeral_storage_size=cdk.Size.mebibytes(disk_mib) if disk_mib > LAMBDA_DISK_MIB else None,
            timeout=timeout,
            environment={**environment, "SPANDREL_LOG_LEVEL": settings.log_level},
            # JSON, because only then has Lambda levels: at WARN it bills no START, END and REPORT line.
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            application_log_level_v2=LAMBDA_LOG_LEVELS[settings.log_level],
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS
            if settings.snap_start and answers_requests
            else None,
        )
        acknowledge(
            self.unpublished,
            "AwsSolutions-L1",
            "Python 3.13 has security updates until October 2029; the byte code that a package carries is made for it.",
        )
        self.live = lambda_.Alias(self, "Live", alias_name="live", version=self.unpublished.current_version)

    def may(self, *actions: str, on: str) -> None:
        """Lets the function do `actions` on the resource whose ARN is `on`, and nothing more."""
        self.role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[on]))
