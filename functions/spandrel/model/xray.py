"""What X-Ray's segment documents are called in OTLP: the names that both directions of the mapping share.

A member of a document is named by its path, `http.request.method`. One that means the same as an attribute of
OpenTelemetry's semantic conventions has that name; any other has its path with PREFIX before it. docs/wire/xray.md has
the rest of the mapping, and the source of each rule.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "aws.xray."

# Path in a segment or subsegment -> attribute of its span. The values are texts, but for those below.
SPAN_ATTRIBUTES: Mapping[str, str] = {
    "http.request.method": "http.request.method",
    "http.request.url": "url.full",
    "http.request.user_agent": "user_agent.original",
    "http.request.client_ip": "client.address",
    "http.response.status": "http.response.status_code",
    "http.response.content_length": "http.response.body.size",
    "sql.sanitized_query": "db.query.text",
    "sql.database_type": "db.system.name",
    "aws.operation": "rpc.method",
    "aws.region": "cloud.region",
    "aws.request_id": "aws.request_id",
    "aws.id_2": "aws.extended_request_id",
    "aws.table_name": "aws.dynamodb.table_names",
    "aws.table_names": "aws.dynamodb.table_names",
    "aws.queue_url": "aws.sqs.queue.url",
    "aws.topic_arn": "aws.sns.topic.arn",
    "aws.bucket_name": "aws.s3.bucket",
    "aws.key": "aws.s3.key",
    "user": "enduser.id",
}
INTEGERS = frozenset({"http.response.status", "http.response.content_length"})
ONE_OF_A_LIST = frozenset({"aws.table_name"})  # a text here, a list of one there
LISTS = frozenset({"aws.table_names"})  # of more than one

# Path in a segment, or in a subsegment that is sent alone -> attribute of its resource. The values are texts.
RESOURCE_ATTRIBUTES: Mapping[str, str] = {
    "service.version": "service.version",
    "service.runtime": "process.runtime.name",
    "service.runtime_version": "process.runtime.version",
    "aws.account_id": "cloud.account.id",
    "aws.xray.sdk": "telemetry.sdk.name",
    "aws.xray.sdk_version": "telemetry.sdk.version",
    "aws.ec2.instance_id": "host.id",
    "aws.ec2.instance_size": "host.type",
    "aws.ec2.ami_id": "host.image.id",
    "aws.ec2.availability_zone": "cloud.availability_zone",
    "aws.ecs.container": "container.name",
    "aws.ecs.container_id": "container.id",
    "aws.ecs.container_arn": "aws.ecs.container.arn",
    "aws.ecs.cluster_arn": "aws.ecs.cluster.arn",
    "aws.ecs.task_arn": "aws.ecs.task.arn",
    "aws.ecs.task_family": "aws.ecs.task.family",
    "aws.eks.cluster_name": "k8s.cluster.name",
    "aws.eks.pod": "k8s.pod.name",
}
# What of a document says where it ran; all else says what was done.
RESOURCE_MEMBERS = frozenset({"origin", "resource_arn", "service"})
RESOURCE_MEMBERS_OF_AWS = frozenset({"cloudwatch_logs", "ec2", "ecs", "eks", "elastic_beanstalk", "xray"})
ACCOUNT = "account_id"  # in a segment where it ran, in a subsegment whose resource it called

# Path in an exception of a cause -> attribute of its event, which is named `exception`. The values are texts.
EXCEPTION_ATTRIBUTES: Mapping[str, str] = {"type": "exception.type", "message": "exception.message"}
EXCEPTION_PREFIX = PREFIX + "exception."
STACK = EXCEPTION_PREFIX + "stack"  # JSON, as it came
STACKTRACE = "exception.stacktrace"  # made of it, for people

PEER = "service.peer.name"  # the name of a subsegment that calls: it is that of the service it calls
ANNOTATIONS = PREFIX + "annotations"  # which attributes were annotations
ANNOTATION_PREFIX = PREFIX + "annotation."  # before the names of annotations that mean something else in OTLP
METADATA_PREFIX = PREFIX + "metadata."  # before a namespace: JSON
IN_PROGRESS = PREFIX + "in_progress"
OTHER = PREFIX + "other"  # JSON of a document's members that are no attributes, where they stood
EXCEPTION_OTHER = EXCEPTION_PREFIX + "other"


def groups_key(tenant: str) -> str:
    """The object in which a tenant's groups are."""
    return f"{tenant}/groups/xray.json"


# Attributes of a span that no annotation may pass for.
TAKEN = frozenset(SPAN_ATTRIBUTES.values()) | {PEER}
