"""The CloudFormation resource types of the template that moto does not create, or creates without all their properties.

A resource is made by calling the same local AWS that any client calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from moto.awslambda.models import EventSourceMapping
from moto.core.common_models import CloudFormationModel
from moto.dynamodb.models.table import Table
from moto.s3.models import FakeBucket
from moto.sqs.models import sqs_backends

if TYPE_CHECKING:
    from .aws import LocalAws

T = TypeVar("T")
Properties = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Created:
    """A resource that is there: what `Ref` gives, and what `Fn::GetAtt` can ask for."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Create = Callable[["LocalAws", Properties], Created]
Complete = Callable[["LocalAws", str, Properties], None]

# ---- types that moto lacks


def _api(aws: LocalAws, properties: Properties) -> Created:
    api = aws.client("apigatewayv2").create_api(**properties)
    return Created(api["ApiId"], {"ApiId": api["ApiId"], "ApiEndpoint": api["ApiEndpoint"]})


def _part_of_api(operation: str, identifier: str) -> Create:
    def create(aws: LocalAws, properties: Properties) -> Created:
        return Created(getattr(aws.client("apigatewayv2"), operation)(**properties)[identifier])

    return create


def _version(aws: LocalAws, properties: Properties) -> Created:
    version = aws.client("lambda").publish_version(FunctionName=properties["FunctionName"])
    return Created(version["FunctionArn"], {"Version": version["Version"], "FunctionArn": version["FunctionArn"]})


def _alias(aws: LocalAws, properties: Properties) -> Created:
    names = {name: properties[name] for name in ("FunctionName", "FunctionVersion", "Name")}
    arn = aws.client("lambda").create_alias(**names)["AliasArn"]
    return Created(arn, {"AliasArn": arn})


def _permission(aws: LocalAws, properties: Properties) -> Created:
    """Kept with the local IAM: moto has one policy for a function and all its aliases, AWS has one for each."""
    function = properties["FunctionName"]
    arn = (
        function if function.startswith("arn:") else f"arn:aws:lambda:{aws.region}:{aws.account_id}:function:{function}"
    )
    condition = {"ArnLike": {"aws:SourceArn": properties["SourceArn"]}} if "SourceArn" in properties else {}
    principal = {"Service": properties["Principal"]}
    statement = {"Effect": "Allow", "Principal": principal, "Action": properties["Action"], "Resource": arn}
    aws.gate.principals.put_policy(arn, json.dumps({"Statement": {**statement, "Condition": condition}}))
    return Created(f"{function}-permission")


def _bucket_policy(aws: LocalAws, properties: Properties) -> Created:
    """Kept with the local IAM: moto would apply it without its conditions."""
    aws.gate.principals.put_policy(f"arn:aws:s3:::{properties['Bucket']}", json.dumps(properties["PolicyDocument"]))
    return Created(properties["Bucket"])


def _queue_policy(aws: LocalAws, properties: Properties) -> Created:
    policy = {"Policy": json.dumps(properties["PolicyDocument"])}
    for url in properties["Queues"]:
        aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=policy)
    return Created(properties["Queues"][0])


def _topic_policy(aws: LocalAws, properties: Properties) -> Created:
    policy = json.dumps(properties["PolicyDocument"])
    for arn in properties["Topics"]:
        aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return Created(properties["Topics"][0])


def _subscription(aws: LocalAws, properties: Properties) -> Created:
    names = {name: properties[name] for name in ("TopicArn", "Protocol", "Endpoint")}
    return Created(aws.client("sns").subscribe(**names, ReturnSubscriptionArn=True)["SubscriptionArn"])


def _metric_filter(aws: LocalAws, properties: Properties) -> Created:
    """The logs' API spells the parts of a transformation with a small letter."""
    transformations = [
        {name[0].lower() + name[1:]: value for name, value in transformation.items()}
        for transformation in properties["MetricTransformations"]
    ]
    name = properties["FilterName"]
    aws.client("logs").put_metric_filter(
        logGroupName=properties["LogGroupName"],
        filterName=name,
        filterPattern=properties["FilterPattern"],
        metricTransformations=transformations,
    )
    return Created(name)


def _alarm(aws: LocalAws, properties: Properties) -> Created:
    aws.client("cloudwatch").put_metric_alarm(**properties)
    name = properties["AlarmName"]
    return Created(name, {"Arn": f"arn:aws:cloudwatch:{aws.region}:{aws.account_id}:alarm:{name}"})


def _event_invoke_config(aws: LocalAws, properties: Properties) -> Created:
    aws.client("lambda").put_function_event_invoke_config(**properties)
    return Created(f"{properties['FunctionName']}:{properties['Qualifier']}")


def _schedule(aws: LocalAws, properties: Properties) -> Created:
    arn = aws.client("scheduler").create_schedule(**properties)["ScheduleArn"]
    return Created(properties["Name"], {"Arn": arn})


def _database(aws: LocalAws, properties: Properties) -> Created:
    aws.client("glue").create_database(DatabaseInput=properties["DatabaseInput"])
    return Created(properties["DatabaseInput"]["Name"])


def _glue_table(aws: LocalAws, properties: Properties) -> Created:
    aws.client("glue").create_table(DatabaseName=properties["DatabaseName"], TableInput=properties["TableInput"])
    return Created(properties["TableInput"]["Name"])


# ---- types that moto creates without all their properties


def _complete_bucket(aws: LocalAws, name: str, properties: Properties) -> None:
    s3 = aws.client("s3")
    rules = [_lifecycle_rule(rule) for rule in properties.get("LifecycleConfiguration", {}).get("Rules", [])]
    if rules:
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if "PublicAccessBlockConfiguration" in properties:
        access = properties["PublicAccessBlockConfiguration"]
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=access)


def _lifecycle_rule(rule: Properties) -> Properties:
    """A rule as CloudFormation spells it -> as S3's API does."""
    tags = rule.get("TagFilters", [])
    made: Properties = {"Status": rule["Status"], "Filter": {"Tag": tags[0]} if tags else {"Prefix": ""}}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "NoncurrentVersionExpiration" in rule:
        made["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    if "AbortIncompleteMultipartUpload" in rule:
        made["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    return made


def _complete_table(aws: LocalAws, name: str, properties: Properties) -> None:
    dynamodb = aws.client("dynamodb")
    if "TimeToLiveSpecification" in properties:
        expiry = properties["TimeToLiveSpecification"]
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    if "PointInTimeRecoverySpecification" in properties:
        recovery = properties["PointInTimeRecoverySpecification"]
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)


def _take_queue_from_moto(aws: LocalAws, _name: str, properties: Properties) -> None:
    """moto would call the function itself, inside SendMessage, and lose or stick the message; `local.poller` polls."""
    for queue in sqs_backends[aws.account_id][aws.region].queues.values():
        if queue.queue_arn == properties["EventSourceArn"]:
            queue.lambda_event_source_mappings.clear()


# type -> (who creates it, the property with its name, which CloudFormation fills where the template does not)
CREATED: dict[str, tuple[Create, str]] = {
    "AWS::ApiGatewayV2::Api": (_api, ""),
    "AWS::ApiGatewayV2::Authorizer": (_part_of_api("create_authorizer", "AuthorizerId"), ""),
    "AWS::ApiGatewayV2::Integration": (_part_of_api("create_integration", "IntegrationId"), ""),
    "AWS::ApiGatewayV2::Route": (_part_of_api("create_route", "RouteId"), ""),
    "AWS::ApiGatewayV2::Stage": (_part_of_api("create_stage", "StageName"), ""),
    "AWS::CloudWatch::Alarm": (_alarm, "AlarmName"),
    "AWS::Glue::Database": (_database, ""),
    "AWS::Glue::Table": (_glue_table, ""),
    "AWS::Lambda::Alias": (_alias, ""),
    "AWS::Lambda::EventInvokeConfig": (_event_invoke_config, ""),
    "AWS::Lambda::Permission": (_permission, ""),
    "AWS::Lambda::Version": (_version, ""),
    "AWS::Logs::MetricFilter": (_metric_filter, "FilterName"),
    "AWS::S3::BucketPolicy": (_bucket_policy, ""),
    "AWS::Scheduler::Schedule": (_schedule, "Name"),
    "AWS::SNS::Subscription": (_subscription, ""),
    "AWS::SNS::TopicPolicy": (_topic_policy, ""),
    "AWS::SQS::QueuePolicy": (_queue_policy, ""),
}
# moto's type -> what adds to each resource of it
COMPLETED: dict[type[CloudFormationModel], Complete] = {
    EventSourceMapping: _take_queue_from_moto,
    FakeBucket: _complete_bucket,
    Table: _complete_table,
}
