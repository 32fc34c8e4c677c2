"""Small blocks into large ones: `plan` runs by a schedule and invokes `compact` once a merge (ADR 0004)."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.function import Function
from infra.packaging import Packages
from infra.settings import Settings
from infra.storage import Storage

PLAN_TIMEOUT = cdk.Duration.seconds(55)  # the next one begins after 60
COMPACT_TIMEOUT = cdk.Duration.minutes(15)  # Lambda's longest; a merge of the largest blocks takes a small part of it
PLAN_EVERY = "rate(1 minute)"
KEEP_EVERY = "rate(5 minutes)"


class Compaction(Construct):
    """`plan` and `compact`."""

    def __init__(self, scope: Construct, settings: Settings, packages: Packages, storage: Storage) -> None:
        super().__init__(scope, "Compaction")
        self.compact = self._compact(settings, packages, storage)
        self.plan = self._plan(settings, packages, storage)
        self._schedules()

    def _compact(self, settings: Settings, packages: Packages, storage: Storage) -> Function:
        compact = Function(
            self,
            "compact",
            description="Merges a few blocks of one tenant and swaps them for the result; indexes traces",
            settings=settings,
            package=packages["compact"],
            timeout=COMPACT_TIMEOUT,
            environment={
                "SPANDREL_BUCKET": storage.bucket.bucket_name,
                "SPANDREL_CATALOGUE_TABLE": storage.catalogue.table_name,
                "SPANDREL_RETENTION_DAYS": settings.retention_text,
            },
            answers_requests=False,
        )
        storage.let(compact, "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", to="blocks")
        storage.let(compact, "s3:PutObject", "s3:PutObjectTagging", to="merges")
        storage.let(compact, "s3:PutObject", "s3:PutObjectTagging", to="tallies")
        storage.let(compact, "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject", to="traces")
        storage.let_tell_missing(compact)
        entries = ("dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
        deletions = ("dynamodb:Query", "dynamodb:GetItem", "dynamodb:ConditionCheckItem")
        compact.may(*entries, *deletions, on=storage.catalogue.table_arn)
        lambda_.EventInvokeConfig(
            self, "Tries", function=compact.unpublished, qualifier=compact.live.alias_name, retry_attempts=2
        )
        return compact

    def _plan(self, settings: Settings, packages: Packages, storage: Storage) -> Function:
        plan = Function(
            self,
            "plan",
            description="Finds blocks that should be merged or rewritten and objects that may be deleted",
            settings=settings,
            package=packages["plan"],
            timeout=PLAN_TIMEOUT,
            environment={
                "SPANDREL_BUCKET": storage.bucket.bucket_name,
                "SPANDREL_CATALOGUE_TABLE": storage.catalogue.table_name,
                "SPANDREL_RETENTION_DAYS": settings.retention_text,
                "SPANDREL_COMPACT_FUNCTION": self.compact.live.function_arn,
                "SPANDREL_MERGES_A_MINUTE": str(settings.merges_a_minute),
            },
            answers_requests=False,
        )
        for kind in ("blocks", "tallies", "merges", "deletions", "archive", "traces"):
            storage.let(plan, "s3:DeleteObject", to=kind)
        plan.may("s3:ListBucket", on=storage.bucket.bucket_arn)  # of each day's folders, for objects that nobody names
        entries = (
            "dynamodb:Query",
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:DeleteItem",
        )
        plan.may(*entries, on=storage.catalogue.table_arn)
        plan.may("lambda:InvokeFunction", on=self.compact.live.function_arn)
        return plan

    def _schedules(self) -> None:
        """Scheduler's own role may call `plan` and nothing else."""
        caller = iam.Role(self, "ScheduleRole", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
        caller.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.plan.live.function_arn])
        )
        self._schedule("Schedule", PLAN_EVERY, caller)
        self._schedule("KeepingSchedule", KEEP_EVERY, caller, json.dumps({"round": "keeping"}))

    def _schedule(self, name: str, every: str, caller: iam.Role, event: str | None = None) -> None:
        scheduler.CfnSchedule(
            self,
            name,
            schedule_expression=every,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.plan.live.function_arn,
                role_arn=caller.role_arn,
                input=event,
                # The next run does what this one could not.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
