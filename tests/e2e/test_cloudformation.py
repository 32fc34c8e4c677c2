from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.assembly import Stack, bootstrap, create_stack
from local.aws import LocalAws
from local.deployed import api, queue_mappings
from local.failures import NotServed, StackRefused

from .small.template import small, write_assembly


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    aws = LocalAws()
    bootstrap(aws)
    yield aws
    aws.stop()


def created(aws: LocalAws, folder: Path, **resources: dict[str, Any]) -> Stack:
    return create_stack(aws, write_assembly(folder, {"Resources": resources}))


def test_what_moto_would_leave_out_in_silence_is_refused_by_name(aws: LocalAws, tmp_path: Path) -> None:
    with pytest.raises(StackRefused, match="AWS::Glue::Crawler, AWS::Kinesis::Firehose"):
        created(aws, tmp_path, One={"Type": "AWS::Glue::Crawler"}, Two={"Type": "AWS::Kinesis::Firehose"})


def test_a_resource_that_aws_refuses_is_named(aws: LocalAws, tmp_path: Path) -> None:
    schedule = {"ScheduleExpression": "rate(1 minute)", "Target": {"Arn": "a", "RoleArn": "b"}}
    with pytest.raises(StackRefused, match=r"AWS::Scheduler::Schedule: (?s:.*)FlexibleTimeWindow"):
        created(aws, tmp_path, Schedule={"Type": "AWS::Scheduler::Schedule", "Properties": schedule})


def test_a_bucket_has_its_lifecycle_and_is_closed_to_the_public(aws: LocalAws, tmp_path: Path) -> None:
    rule = {
        "Status": "Enabled",
        "ExpirationInDays": 1,
        "TagFilters": [{"Key": "spandrel", "Value": "answers"}],
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
    }
    access = dict.fromkeys(["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"], True)
    properties = {"LifecycleConfiguration": {"Rules": [rule]}, "PublicAccessBlockConfiguration": access}
    stack = created(aws, tmp_path, Blocks={"Type": "AWS::S3::Bucket", "Properties": properties})
    (bucket,) = stack.ids("AWS::S3::Bucket")
    s3 = aws.client("s3")
    (kept,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (kept["Expiration"], kept["Filter"]) == ({"Days": 1}, {"Tag": rule["TagFilters"][0]})  # type: ignore[index]
    assert kept["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == access


def test_a_table_forgets_by_the_attribute_of_the_template_and_can_be_restored(aws: LocalAws, tmp_path: Path) -> None:
    properties = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    stack = created(aws, tmp_path, Table={"Type": "AWS::DynamoDB::Table", "Properties": properties})
    (table,) = stack.ids("AWS::DynamoDB::Table")
    dynamodb = aws.client("dynamodb")
    expiry = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert (expiry["AttributeName"], expiry["TimeToLiveStatus"]) == ("expires", "ENABLED")
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_two_accounts_know_nothing_of_each_other(aws: LocalAws, tmp_path: Path) -> None:
    created(aws, tmp_path, Queue={"Type": "AWS::SQS::Queue"})
    other = LocalAws()
    try:
        assert "QueueUrls" not in other.client("sqs").list_queues()
        assert other.client("cloudformation").list_stacks()["StackSummaries"] == []
    finally:
        other.stop()


def changed(resource: str, **properties: Any) -> dict[str, Any]:
    template = small()
    template["Resources"][resource]["Properties"] |= properties
    return template


@pytest.mark.parametrize(
    ("template", "what"),
    [
        (changed("Echoed", PayloadFormatVersion="1.0"), "payload format 2.0"),
        (changed("LockedRoute", AuthorizationType="AWS_IAM"), "authorization AWS_IAM"),
        (changed("Authorizer", IdentitySource=["$request.header.x"]), "identity sources"),
        (changed("Authorizer", EnableSimpleResponses=False), "simple responses"),
        (changed("Queue", VisibilityTimeout=5), "visibility timeout"),
    ],
)
def test_what_this_machine_does_not_do_as_aws_does_is_refused(
    aws: LocalAws, tmp_path: Path, template: dict[str, Any], what: str
) -> None:
    stack = create_stack(aws, write_assembly(tmp_path, template))
    with pytest.raises(NotServed, match=what):
        queue_mappings(aws, stack), api(aws, stack)
