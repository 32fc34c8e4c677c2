"""Traces out: `query` answers from the blocks that the catalogue names."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.function import LAMBDA_DISK_MIB, Function
from infra.packaging import Packages
from infra.settings import Settings
from infra.storage import Storage
from spandrel.model.log_lines import UNREAD_BLOCKS

QUERY_TIMEOUT = cdk.Duration.seconds(29)  # API Gateway gives up after 30
QUERY_DISK_MIB = 2048  # for blocks that are read, and read again by the next request


class Reading(Construct):
    """`query`."""

    def __init__(self, scope: Construct, settings: Settings, packages: Packages, storage: Storage) -> None:
        super().__init__(scope, "Reading")
        self.query = Function(
            self,
            "query",
            description="Answers questions about traces, from blocks",
            settings=settings,
            package=packages["query"],
            timeout=QUERY_TIMEOUT,
            environment={
                "SPANDREL_BUCKET": storage.bucket.bucket_name,
                "SPANDREL_CATALOGUE_TABLE": storage.catalogue.table_name,
                "SPANDREL_RETENTION_DAYS": settings.retention_text,
            },
            answers_requests=True,
            disk_mib=LAMBDA_DISK_MIB if settings.snap_start else QUERY_DISK_MIB,
        )
        self.query.may("dynamodb:Query", on=storage.catalogue.table_arn)
        storage.let(self.query, "s3:GetObject", to="blocks")
        storage.let(self.query, "s3:GetObject", to="tallies")
        storage.let(self.query, "s3:GetObject", "s3:PutObject", to="archive")
        storage.let(self.query, "s3:GetObject", "s3:PutObject", to="groups")
        storage.let(self.query, "s3:GetObject", to="traces")
        storage.let_tell_missing(self.query)
        # A link to a large answer is signed with this role, so the role itself must be able to read it.
        storage.let(self.query, "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", to="answers")
        # A metric of one's own is billed for the hours in which it has data: in a healthy stack, none.
        self.query.log_group.add_metric_filter(
            "UnreadBlocks",
            metric_namespace="Spandrel",
            metric_name="AnswersWithUnreadBlocks",
            filter_pattern=logs.FilterPattern.string_value("$.message", "=", f"*{UNREAD_BLOCKS}*"),
        )
