"""Where data rests: the bucket of blocks and the two tables. They outlive the stack."""

from __future__ import annotations

from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledged import acknowledge
from infra.function import Function
from infra.settings import Settings
from spandrel.model import lifecycle

Objects = Literal["blocks", "tallies", "traces", "incoming", "answers", "merges", "deletions", "archive", "groups"]


class Storage(Construct):
    """`bucket`, `catalogue` and `keys`, encrypted, private, over TLS only."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, "Storage")
        self.bucket = self._bucket(settings)
        text = dynamodb.AttributeType.STRING
        self.catalogue = self._table(
            "Catalogue",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            time_to_live_attribute=lifecycle.EXPIRES,
        )
        self.keys = self._table("Keys", partition_key=dynamodb.Attribute(name="pk", type=text))

    def let_tell_missing(self, function: Function) -> None:
        """Lets the function hear 404 of an object that does not exist: without ListBucket S3 says 403."""
        function.may("s3:ListBucket", on=self.bucket.bucket_arn)

    def let(self, function: Function, *actions: str, to: Objects) -> None:
        """Lets the function do `actions` to the objects of one kind, of every tenant."""
        function.may(*actions, on=self.bucket.arn_for_objects(f"*/{to}/*"))
        acknowledge(
            function.role,
            f"AwsSolutions-IAM5[Resource::<{_logical_id(self.bucket)}.Arn>/*/{to}/*]",
            f"Objects are named when spans come: the role reaches all of {to}/ of all tenants, and no other kind.",
        )

    def _bucket(self, settings: Settings) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=_lifecycle_rules(settings.retention.longest_days),
            cors=[_reading_large_answers()] if settings.cors_origins else None,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(
            bucket,
            "AwsSolutions-S1",
            "An access log would be a second bucket that grows with each read; who reads is API Gateway's to log, and "
            "CloudTrail's data events can be switched on for the bucket where an audit asks for them.",
        )
        return bucket

    def _table(self, name: str, **schema: object) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            name,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            # With DynamoDB's own key, as every table is: encryption by a key in KMS would bill each request there.
            encryption=dynamodb.TableEncryption.DEFAULT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=cdk.RemovalPolicy.RETAIN,
            **schema,  # type: ignore[arg-type]
        )
        table.add_to_resource_policy(_over_tls_only())
        return table


def _logical_id(bucket: s3.Bucket) -> str:
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    return str(cdk.Stack.of(bucket).resolve(resource.logical_id))


def _over_tls_only() -> iam.PolicyStatement:
    """A table's own policy cannot name the table (it would be circular), so its `*` means this table."""
    return iam.PolicyStatement(
        sid="TlsOnly",
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["dynamodb:*"],
        resources=["*"],
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )


def _lifecycle_rules(longest_days: int) -> list[s3.LifecycleRule]:
    """By their tag: answers, oversized requests, and blocks somewhat after the longest retention. Archives stay."""
    return [
        s3.LifecycleRule(
            id="answers",
            tag_filters={lifecycle.TAG: lifecycle.ANSWER},
            expiration=cdk.Duration.days(lifecycle.ANSWER_DAYS),
        ),
        s3.LifecycleRule(
            id="incoming",
            tag_filters={lifecycle.TAG: lifecycle.INCOMING},
            expiration=cdk.Duration.days(lifecycle.INCOMING_DAYS),
        ),
        s3.LifecycleRule(
            id="blocks",
            tag_filters={lifecycle.TAG: lifecycle.BLOCK},
            expiration=cdk.Duration.days(longest_days + lifecycle.BLOCK_MARGIN_DAYS),
        ),
        s3.LifecycleRule(id="half-sent", abort_incomplete_multipart_upload_after=cdk.Duration.days(1)),
    ]


def _reading_large_answers() -> s3.CorsRule:
    """A browser that is redirected from the API to S3 sends `Origin: null`, so no narrower origin would match.

    The signed link is what admits a reader, not its origin.
    """
    return s3.CorsRule(
        allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD],
        allowed_origins=["*"],
        allowed_headers=["*"],
        max_age=86400,
    )
